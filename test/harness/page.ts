// Runs the commands of a Markdown page as a reader would: one shell, block after block.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { inTime } from '../../src/base/eventually.ts'
import { patience } from './kubectl.ts'

/** A fenced block of shell commands. */
export interface Block {
  /** The `##` heading it stands under. */
  section: string
  /** The words after ```` ```sh ````, e.g. `terminal=1`. */
  info: string
  text: string
}

export interface PageRun {
  code: number | null
  /** Everything that was printed. */
  said: string
  /** What the blocks under a heading printed; the beginning of the heading is enough. */
  outputOf: (section: string) => string
}

/** The shell blocks of a page. */
export async function readPage(path: string): Promise<Block[]> {
  const blocks: Block[] = []
  let section = ''
  for (const [, heading, info, text] of (await readFile(path, 'utf8')).matchAll(
    /^## (.+)$|^```sh(.*)\n([\s\S]*?)^```$/gm,
  )) {
    if (heading !== undefined) section = heading
    else blocks.push({ section, info: info ?? '', text: text ?? '' })
  }
  return blocks
}

/** As a reader with patience: what waits by itself is given longer than the page says. */
const patient = `kubectl() { if [ "$1" = wait ]; then command kubectl "$@" ${patience}; else command kubectl "$@"; fi; }`

/** Longest run of a page that goes well, in milliseconds of waiting. */
const patienceMs = 1_200_000

/** A reader who runs `command` of the page again until all the words are in what it says, in place of a short sleep. */
export function untilItSays(block: Block, command: string, words: readonly string[]): Block {
  const sleepAndLook = new RegExp(`^(sleep \\d+\\n)?${command.replaceAll('.', '\\.')}$`, 'm')
  assert.match(block.text, sleepAndLook)
  const all = words.map((word) => `grep -qF '${word}' <<<"$said"`).join(' && ')
  const patiently = `until said=$(${command}) && ${all}; do sleep 0.2; done\necho "$said"`
  return { ...block, text: block.text.replace(sleepAndLook, () => patiently) }
}

/** Runs the blocks in one bash that stops at the first failure. */
export async function runBlocks(
  blocks: readonly Block[],
  { cwd, env = {} }: { cwd: string; env?: Record<string, string> },
): Promise<PageRun> {
  const shell = spawn('bash', ['-euo', 'pipefail', '-s'], { cwd, env: { ...process.env, HOME: cwd, ...env } })
  let said = ''
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const closed = once(shell, 'close') as Promise<[number | null]>
  shell.stdin.end([patient, ...blocks.map(({ section, text }) => `echo '=== ${section}'\n${text}`)].join('\n'))
  const [code] = await inTime(closed, () => `the page to end; it said:\n${said}`, { patienceMs }).finally(() =>
    shell.kill('SIGKILL'),
  )
  const outputOf = (section: string): string =>
    said
      .split('=== ')
      .filter((part) => part.startsWith(section))
      .join('')
  return { code, said, outputOf }
}
