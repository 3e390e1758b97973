// From words to an exit code: finds the command, runs it, and says what went wrong and what to do next.
import type { Clock } from '../base/clock.ts'
import { KnodeError } from '../base/errors.ts'
import { nearest } from '../base/nearest.ts'
import type { Random } from '../base/random.ts'
import { openApiClient } from './api-client.ts'
import { parseArguments } from './arguments.ts'
import type { Command } from './command.ts'
import { complaint } from './complaint.ts'
import { findConnection } from './connection.ts'
import { commandHelp, overview } from './help.ts'
import { printable } from './printable.ts'
import { commands } from './registry.ts'
import type { Terminal } from './terminal.ts'

export interface CliOptions {
  /** What follows `knode`. */
  words: readonly string[]
  terminal: Terminal
  env: Readonly<Record<string, string | undefined>>
  clock: Clock
  random: Random
  /** Aborts when the user wants to stop. */
  signal: AbortSignal
}

/** Exit codes: done, failed, wrong usage, stopped by the user. */
const exit = { done: 0, failed: 1, usage: 2, stopped: 130 } as const

/** Runs one command and returns its exit code; errors become words on standard error. */
export async function runCli(options: CliOptions): Promise<number> {
  const { terminal, env, signal } = options
  try {
    const [name = 'help', ...rest] = options.words
    if (['help', '--help', '-h'].includes(name)) return await help(rest, terminal)
    const command = await loadCommand(name === '--version' ? 'version' : name)
    const { flags, positionals, help: wantsHelp } = parseArguments(command, rest)
    if (wantsHelp) {
      terminal.out(commandHelp(command))
      return exit.done
    }
    const connect = async () =>
      openApiClient({
        ...(await findConnection(flags, env)),
        signal,
        warn: (text) => terminal.err(`Warning: ${printable(text)}\n`),
      })
    return (await command.run({ flags, positionals }, { ...options, connect })) ?? exit.done
  } catch (error) {
    if (signal.aborted && isAbort(error)) return exit.stopped
    terminal.err(complaint(error, terminal))
    return error instanceof KnodeError && usageCodes.includes(error.code) ? exit.usage : exit.failed
  }
}

const usageCodes = ['USAGE', 'BAD_CONFIG']

async function help([name]: readonly string[], terminal: Terminal): Promise<number> {
  if (name !== undefined && !name.startsWith('-')) terminal.out(commandHelp(await loadCommand(name)))
  else terminal.out(overview(await Promise.all(Object.keys(commands).map(loadCommand))))
  return exit.done
}

async function loadCommand(name: string): Promise<Command> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (load !== undefined) return (await load()).command
  const close = nearest(name, [...Object.keys(commands), 'help'])
  const hint = close === undefined ? 'knode help lists the commands' : `did you mean knode ${close}?`
  throw new KnodeError('USAGE', `there is no command "${name}"`, { hint })
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError'
