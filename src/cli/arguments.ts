// Words of the command line → flags and positionals, or one clear complaint.
import { parseArgs } from 'node:util'
import { KnodeError } from '../base/errors.ts'
import { nearest } from '../base/nearest.ts'
import { parseGoDuration } from '../model/kubernetes/go-duration.ts'
import type { Command, CommandInput, Flag } from './command.ts'

export interface ParsedArguments extends CommandInput {
  /** `--help` or `-h` was among them. */
  help: boolean
}

/** @throws {KnodeError} USAGE that names the word and, for a misspelt flag, the nearest known one. */
export function parseArguments(command: Command, words: readonly string[]): ParsedArguments {
  if (command.parsesItself === true) return splitArguments(command, words)
  const options = Object.fromEntries(
    Object.entries({ ...command.flags, help: helpFlag }).map(([name, { type, short }]) => [
      name,
      { type: type === 'boolean' ? ('boolean' as const) : ('string' as const), ...(short && { short }) },
    ]),
  )
  const { tokens } = parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true })
  const given = new Map<string, string[]>()
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const flag = token.name === 'help' ? helpFlag : flagNamed(command, token.name)
    if (flag === undefined) throw unknownFlag(command, token.rawName)
    if (token.name === 'help') return { flags: {}, positionals, help: true }
    given.set(token.name, [...(given.get(token.name) ?? []), valueOf(command, flag, token.rawName, token.value)])
  }
  return { flags: flagValues(command, given), positionals: checkedCount(command, positionals), help: false }
}

/** For a command that parses its words itself: takes out the flags it leaves to others. */
function splitArguments(command: Command, words: readonly string[]): ParsedArguments {
  const flags: Record<string, string> = {}
  const positionals: string[] = []
  for (let at = 0; at < words.length; at++) {
    const [, name = '', value] = /^--([a-z-]+)(?:=(.*))?$/s.exec(words[at]!) ?? []
    const flag = flagNamed(command, name)
    if (flag === undefined) positionals.push(words[at]!)
    else flags[name] = valueOf(command, flag, `--${name}`, value ?? words[++at])
  }
  const help = ['--help', '-h'].includes(words[0] ?? '')
  return { flags, positionals, help }
}

const flagNamed = ({ flags }: Command, name: string): Flag | undefined =>
  Object.hasOwn(flags, name) ? flags[name] : undefined

const helpFlag: Flag = { type: 'boolean', short: 'h', description: 'show this text' }

function valueOf(command: Command, flag: Flag, rawName: string, value: string | undefined): string {
  if (flag.type === 'boolean') {
    if (value === undefined || value === 'true' || value === 'false') return value ?? 'true'
    throw usage(command, `${rawName} takes no value but true or false, got "${value}"`)
  }
  if (value === undefined) throw usage(command, `${rawName} needs a value: ${rawName} ${flag.value}`)
  return value
}

function flagValues(command: Command, given: ReadonlyMap<string, string[]>): Record<string, never> {
  const values: Record<string, unknown> = {}
  for (const [name, flag] of Object.entries<Flag>(command.flags)) {
    const texts = given.get(name) ?? []
    if (texts.length > 1 && flag.type !== 'list') throw usage(command, `--${name} is given ${texts.length} times`)
    values[name] = flag.type === 'list' ? texts : readValue(command, name, flag, texts[0])
  }
  return values as Record<string, never>
}

function readValue(command: Command, name: string, flag: Exclude<Flag, { type: 'list' }>, text?: string): unknown {
  if (text === undefined) return flag.type === 'boolean' && flag.leavesOpen !== true ? false : undefined
  switch (flag.type) {
    case 'boolean':
      return text === 'true'
    case 'text':
      if (flag.choices === undefined || flag.choices.includes(text)) return text
      throw usage(command, `--${name}: "${text}" is none of ${flag.choices.join(', ')}`, nearest(text, flag.choices))
    case 'integer':
      if (/^\d{1,15}$/.test(text) && Number(text) >= flag.min) return Number(text)
      throw usage(command, `--${name}: expected a whole number from ${flag.min}, got "${text}"`)
    case 'duration': {
      const durationMs = parseGoDuration(text)
      if (durationMs !== undefined && durationMs >= 0) return durationMs
      throw usage(command, `--${name}: expected a duration like 30s or 1m30s, got "${text}"`)
    }
    default:
      return flag satisfies never
  }
}

function checkedCount(command: Command, positionals: string[]): string[] {
  const { min, max } = command.positionals
  if (positionals.length < min) throw usage(command, `knode ${command.name} needs more: knode ${usageLine(command)}`)
  if (positionals.length > max) throw usage(command, `knode ${command.name} does not take "${positionals[max]}"`)
  return positionals
}

/** `get KIND [NAME...] [flags]` */
export const usageLine = ({ name, usage, flags }: Command): string =>
  [name, usage, Object.keys(flags).length > 0 ? '[flags]' : ''].filter((part) => part !== '').join(' ')

function unknownFlag(command: Command, rawName: string): KnodeError {
  const known = Object.entries<Flag>(command.flags).map(([name]) => `--${name}`)
  const begun = known.filter((name) => name.startsWith(rawName))
  const close = rawName.startsWith('--') ? (nearest(rawName, [...known, '--help']) ?? begun[0]) : undefined
  return usage(command, `knode ${command.name} has no flag ${rawName}`, close)
}

function usage(command: Command, message: string, meant?: string): KnodeError {
  const question = meant === undefined ? '' : `did you mean ${meant}? `
  return new KnodeError('USAGE', message, { hint: `${question}see: knode ${command.name} --help` })
}
