// What a command is: its words for people, its flags for the parser, and what it does.
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { ApiClient } from './api-client.ts'
import type { Terminal } from './terminal.ts'

interface FlagBase {
  /** One letter. */
  short?: string
  description: string
}

/** A flag that is there or not; `--flag=false` says that it is not. */
interface BooleanFlag extends FlagBase {
  type: 'boolean'
  /** Absent, it is undefined instead of false: something weaker decides then. */
  leavesOpen?: true
}

interface TextFlag<Choice extends string = string> extends FlagBase {
  type: 'text'
  /** What stands for the value in the help, e.g. `FILE`. */
  value: string
  choices?: readonly Choice[]
}

/** May be given several times. */
interface ListFlag extends FlagBase {
  type: 'list'
  value: string
}

interface IntegerFlag extends FlagBase {
  type: 'integer'
  value: string
  min: number
}

/** A time span as Go writes it: `30s`, `1m30s`; in milliseconds for the command. */
interface DurationFlag extends FlagBase {
  type: 'duration'
  value: string
}

export type Flag = BooleanFlag | TextFlag | ListFlag | IntegerFlag | DurationFlag
export type Flags = Record<string, Flag>

type FlagValue<F extends Flag> = F extends BooleanFlag
  ? F extends { leavesOpen: true }
    ? boolean | undefined
    : boolean
  : F extends { choices: readonly (infer Choice)[] }
    ? Choice | undefined
    : F extends TextFlag
      ? string | undefined
      : F extends ListFlag
        ? string[]
        : number | undefined

/** Flags by name; booleans default to false unless they leave it open, lists to empty. */
type FlagValues<F extends Flags> = { readonly [Name in keyof F]: FlagValue<F[Name]> }

interface CommandContext {
  terminal: Terminal
  env: Readonly<Record<string, string | undefined>>
  clock: Clock
  random: Random
  /** Aborts at the first Ctrl-C or SIGTERM. */
  signal: AbortSignal
  /** The running Knode that flags, environment and directory name. @throws {KnodeError} API_UNREACHABLE */
  connect: () => Promise<ApiClient>
}

export interface CommandInput<F extends Flags = Flags> {
  flags: FlagValues<F>
  positionals: string[]
}

export interface CommandDefinition<F extends Flags> {
  name: string
  /** One line for the list of commands. */
  summary: string
  /** What follows the name, e.g. `KIND [NAME...]`; flags are added by the help. */
  usage: string
  /** How many words may follow. */
  positionals: { min: number; max: number }
  /** More words on how it behaves, in whole lines. */
  details?: string
  examples: readonly string[]
  flags: F
  /**
   * The command reads its words itself: `positionals` are all but the flags listed in `flags`, which are only those
   * that name the running Knode.
   */
  parsesItself?: true
  /** Returns the exit code, 0 when nothing. */
  run(input: CommandInput<F>, context: CommandContext): Promise<number | void>
}

/** A command whose flags' types are forgotten, as the registry holds it. */
export type Command = CommandDefinition<Flags>

export function defineCommand<const F extends Flags>(definition: CommandDefinition<F>): Command {
  // The parser hands over what the flags say.
  return definition
}

/** Where the running Knode is: on every command that talks to it. */
export const connectionFlags = {
  kubeconfig: { type: 'text', value: 'FILE', description: 'kubeconfig of the running Knode' },
  server: { type: 'text', value: 'URL', description: 'address of the API, instead of the kubeconfig’s' },
  'data-dir': { type: 'text', value: 'DIR', description: 'data directory of the running Knode (default ./.knode)' },
} as const satisfies Flags

export const namespaceFlag = {
  namespace: { type: 'text', short: 'n', value: 'NS', description: 'namespace (default: the kubeconfig’s)' },
} as const satisfies Flags

export const filesFlag = {
  filename: {
    type: 'list',
    short: 'f',
    value: 'FILE',
    description: 'manifest file, directory, or - for standard input; repeatable',
  },
  recursive: { type: 'boolean', short: 'R', description: 'look into subdirectories, too' },
} as const satisfies Flags
