// The `knode` command: words in, exit code out.
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'
import { systemClock } from './base/clock.ts'
import { systemRandom } from './base/random.ts'

// Halves the time to the first word. Beside the packages, where nobody else can put code; without a place, no cache.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/knode-code', import.meta.url)))
const [{ runCli }, { processTerminal }] = await Promise.all([import('./cli/run.ts'), import('./cli/terminal.ts')])

const stopping = new AbortController()

/** Exit code of a process that ended because it was told to twice. */
const stoppedAtOnce = 130

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (stopping.signal.aborted) process.exit(stoppedAtOnce)
    stopping.abort()
  })
}

// A reader that has seen enough, like `head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

// A log that nobody takes any more is no reason to stop.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

process.exitCode = await runCli({
  words: process.argv.slice(2),
  terminal: processTerminal(process.env),
  env: process.env,
  clock: systemClock,
  random: systemRandom,
  signal: stopping.signal,
})
