// knode logs: what a workload has written.
import { KnodeError } from '../../base/errors.ts'
import { connectionFlags, defineCommand, namespaceFlag } from '../command.ts'

export const command = defineCommand({
  name: 'logs',
  summary: 'Show what a workload has written',
  usage: 'WORKLOAD',
  positionals: { min: 1, max: 1 },
  details: 'WORKLOAD is the name of a Service, or of one of its revisions or instances.',
  examples: ['knode logs event-display', 'knode logs event-display -f --tail 10 -n shop'],
  flags: {
    ...namespaceFlag,
    follow: { type: 'boolean', short: 'f', description: 'go on with new lines, until stopped' },
    tail: { type: 'integer', value: 'N', min: 0, description: 'only the last N lines' },
    ...connectionFlags,
  },
  async run({ flags, positionals: [name = ''] }, { terminal, connect, signal }) {
    if (name.includes('/')) {
      throw new KnodeError('USAGE', `"${name}" is no workload’s name`, { hint: 'name its namespace with -n' })
    }
    const client = await connect()
    const namespace = flags.namespace ?? client.namespace
    const path = `/knode/v1/logs/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`
    const query = { follow: flags.follow ? true : undefined, tailLines: flags.tail }
    for await (const line of client.lines({ path, query, signal })) terminal.out(`${line}\n`)
  },
})
