// The streams of a command that reads and prints, and how it fails: words on standard error, an exit code.
import { readFile } from 'node:fs/promises'
import { KnodeError, messageOf } from '../base/errors.ts'

export interface CommandIo {
  stdin: AsyncIterable<Uint8Array | string>
  stdout: { write(text: string): unknown }
  stderr: { write(text: string): unknown }
}

/** Done, failed, wrong usage. */
const exitCodes = { done: 0, failed: 1, usage: 2 } as const

/** Runs a command; what it throws is told on standard error and becomes the exit code. */
export async function runReporting(io: Pick<CommandIo, 'stderr'>, run: () => Promise<void>): Promise<number> {
  try {
    await run()
    return exitCodes.done
  } catch (error) {
    const hint = error instanceof KnodeError ? error.hint : undefined
    io.stderr.write(`knode: ${messageOf(error)}\n${hint === undefined ? '' : `${hint.replace(/^/gm, '  ')}\n`}`)
    return error instanceof KnodeError && error.code === 'USAGE' ? exitCodes.usage : exitCodes.failed
  }
}

/** A file, or with `-` all of standard input. @throws {KnodeError} NOT_FOUND */
export async function readInput(path: string, { stdin }: Pick<CommandIo, 'stdin'>): Promise<Buffer> {
  if (path === '-') {
    const chunks: Buffer[] = []
    for await (const chunk of stdin) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk))
    return Buffer.concat(chunks)
  }
  return readFile(path).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'there is no such file' : messageOf(cause)
    throw new KnodeError('NOT_FOUND', `${path}: ${why}`, { cause })
  })
}

/** The lines of standard input as they come, without their ends; a last one needs no end. */
export async function* inputLines({ stdin }: Pick<CommandIo, 'stdin'>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stdin) {
    const lines = (rest + (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))).split('\n')
    rest = lines.pop() ?? ''
    yield* lines.map(withoutReturn)
  }
  rest += decoder.decode()
  if (rest !== '') yield withoutReturn(rest)
}

const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line)
