// Runs the CLI inside the test's process and keeps what it prints.
import { systemClock } from '../../src/base/clock.ts'
import type { Clock } from '../../src/base/clock.ts'
import { seededRandom } from '../../src/base/random.ts'
import { runCli } from '../../src/cli/run.ts'

export interface CliResult {
  code: number
  out: string
  err: string
}

export interface RunOptions {
  /** Address of the API, given as `--server`. */
  server?: string
  env?: Record<string, string>
  input?: string
  clock?: Clock
  signal?: AbortSignal
  /** Called with everything printed on standard output so far. */
  onOut?: (out: string) => void
  /** … and on standard error. */
  onErr?: (err: string) => void
  isTerminal?: boolean
}

export async function runInProcess(words: readonly string[], options: RunOptions = {}): Promise<CliResult> {
  const result: CliResult = { code: 0, out: '', err: '' }
  const { server, isTerminal = false } = options
  result.code = await runCli({
    words: server === undefined ? words : [...words, '--server', server],
    terminal: {
      out: (text) => {
        result.out += text
        options.onOut?.(result.out)
      },
      err: (text) => {
        result.err += text
        options.onErr?.(result.err)
      },
      isTerminal,
      showsProgress: isTerminal,
      paint: (style, text) => (isTerminal ? `<${style}>${text}</>` : text),
      async *input() {
        yield Buffer.from(options.input ?? '')
      },
    },
    // No kubeconfig of the machine gets in.
    env: { KNODE_DATA_DIR: '/nonexistent', ...options.env },
    clock: options.clock ?? systemClock,
    random: seededRandom(1),
    signal: options.signal ?? new AbortController().signal,
  })
  return result
}
