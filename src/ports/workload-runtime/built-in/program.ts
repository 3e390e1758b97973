// What a built-in image is to the driver: a small program that lives inside Knode.
import type { RequestListener } from 'node:http'
import type { Clock } from '../../../base/clock.ts'
import type { Random } from '../../../base/random.ts'

/** What a program may use. */
export interface ProgramContext {
  env: Readonly<Record<string, string>>
  /** Command-line arguments. */
  args: readonly string[]
  clock: Clock
  random: Random
  /** Prints text as a program would; lines end with `\n`. */
  stdout: (text: string) => void
  stderr: (text: string) => void
  /** Aborts when the program is asked to end. */
  signal: AbortSignal
}

/** What runs: a server of HTTP requests, or work that ends by itself with an exit code. */
export type Program =
  | { kind: 'server'; handle: RequestListener; started?: (port: number) => void }
  | { kind: 'work'; run: () => Promise<number> }

export interface BuiltInImage {
  /** Short names of the image, as people find them in tutorials. */
  readonly names: RegExp
  readonly description: string
  /** @throws {Error} when arguments or environment are wrong: the program exits with code 1 and prints the message. */
  start(context: ProgramContext): Program
}

/** As Go's `log` package prints a line: `2026/01/01 00:00:00 text`. */
export function goLog(context: ProgramContext, text: string): void {
  const time = new Date(context.clock.now()).toISOString()
  context.stderr(`${time.slice(0, 10).replaceAll('-', '/')} ${time.slice(11, 19)} ${text}\n`)
}
