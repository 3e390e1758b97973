// Where a command writes and reads: the process' own streams, or a test's.
import { styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

export interface Terminal {
  /** Results: standard output. */
  out: (text: string) => void
  /** Everything else: standard error. */
  err: (text: string) => void
  /** Whether standard output is a terminal: pretty there, plain in a pipe. */
  readonly isTerminal: boolean
  /** Whether standard error is one: progress is shown only there. */
  readonly showsProgress: boolean
  /** The text in colour, where that is wanted. */
  paint: (style: Style, text: string) => string
  /** Standard input, as it comes. */
  input: () => AsyncIterable<Buffer>
}

/** Whole standard input. */
export async function readInput({ input }: Pick<Terminal, 'input'>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of input()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The process' streams. `NO_COLOR` and `TERM=dumb` are honoured. */
export function processTerminal(env: Readonly<Record<string, string | undefined>>): Terminal {
  const isTerminal = process.stdout.isTTY
  const isColored = isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTerminal,
    showsProgress: process.stderr.isTTY,
    paint: (style, text) => (isColored ? styleText(style, text, { validateStream: false }) : text),
    input: () => process.stdin as AsyncIterable<Buffer>,
  }
}
