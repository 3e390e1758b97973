// The words of `--help` and `knode help`.
import { usageLine } from './arguments.ts'
import type { Command, Flag } from './command.ts'

/** The help of one command. */
export function commandHelp(command: Command): string {
  const flags = Object.entries<Flag>(command.flags).map(([name, flag]): [string, string] => [
    `${flag.short === undefined ? '    ' : `-${flag.short}, `}--${name}${flag.type === 'boolean' ? '' : ` ${flag.value}`}`,
    flag.type === 'text' && flag.choices !== undefined
      ? `${flag.description} (${flag.choices.join(', ')})`
      : flag.description,
  ])
  const sections = [
    command.summary,
    `Usage:\n  knode ${usageLine(command)}`,
    ...(command.details === undefined ? [] : [command.details]),
    `Examples:\n${command.examples.map((example) => `  ${example}`).join('\n')}`,
    ...(flags.length === 0 ? [] : [`Flags:\n${columns(flags)}`]),
  ]
  return `${sections.join('\n\n')}\n`
}

/** The list of commands. */
export function overview(commands: readonly Command[]): string {
  return [
    'Knode runs Knative manifests in one process.',
    'Usage:\n  knode COMMAND [flags]',
    `Commands:\n${columns(commands.map(({ name, summary }) => [name, summary]))}`,
    'Start with:\n  knode up                        in one terminal\n  knode apply -f broker.yaml      in another',
    'knode COMMAND --help tells more about each.\n',
  ].join('\n\n')
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')
}
