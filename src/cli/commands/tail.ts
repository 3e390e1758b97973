// knode tail: events as they flow, and where each one went.
import type { FlowLine } from '../../app/flow-line.ts'
import { connectionFlags, defineCommand, namespaceFlag } from '../command.ts'
import { flowText } from '../flow-text.ts'
import type { LeftOut } from '../flow-text.ts'

export const command = defineCommand({
  name: 'tail',
  summary: 'Show events as they flow, and where each one went',
  usage: '[BROKER]',
  positionals: { min: 0, max: 1 },
  details: 'Without BROKER, events of every Broker and channel. Goes on until stopped.',
  examples: ['knode tail', 'knode tail default --type order.created', 'knode tail -o json | jq .event.id'],
  flags: {
    ...namespaceFlag,
    type: { type: 'text', value: 'TYPE', description: 'only events of this type' },
    output: { type: 'text', short: 'o', value: 'FORM', choices: ['pretty', 'json'], description: 'form' },
    ...connectionFlags,
  },
  async run({ flags, positionals: [broker] }, { terminal, connect, signal }) {
    const client = await connect()
    const namespace = flags.namespace ?? (broker === undefined ? undefined : client.namespace)
    const query = { namespace, broker, type: flags.type }
    if (terminal.showsProgress) terminal.err(terminal.paint('dim', 'waiting for events, Ctrl-C to stop\n'))
    for await (const line of client.lines({ path: '/knode/v1/tail', query, signal })) {
      if (line === '') continue
      if (flags.output === 'json') terminal.out(`${line}\n`)
      else terminal.out(`${flowText(JSON.parse(line) as FlowLine | LeftOut, terminal)}\n`)
    }
  },
})
