// knode streams: the durable logs, their consumers, and how far behind these are.
import type { ObjectName, StreamLine } from '../../app/routes/streams.ts'
import { humanAge } from '../../model/kubernetes/human-duration.ts'
import { connectionFlags, defineCommand } from '../command.ts'
import { TablePrinter } from '../table.ts'

export const command = defineCommand({
  name: 'streams',
  summary: 'List the event streams and how far behind their consumers are',
  usage: '',
  positionals: { min: 0, max: 0 },
  examples: ['knode streams', 'knode streams -o json'],
  flags: {
    output: { type: 'text', short: 'o', value: 'FORM', choices: ['json'], description: 'form' },
    ...connectionFlags,
  },
  async run({ flags }, { terminal, connect, clock }) {
    const client = await connect()
    const { body } = await client.call<{ streams: StreamLine[] }>({ path: '/knode/v1/streams' })
    if (flags.output === 'json') return terminal.out(`${JSON.stringify(body, undefined, 2)}\n`)
    if (body.streams.length === 0) return terminal.err('No streams yet: a Broker or a channel makes one.\n')
    const rows = body.streams.flatMap((stream) => rowsOf(stream, clock.now()))
    const head = ['STREAM', 'CONSUMER', 'EVENTS', 'BYTES', 'OLDEST', 'LAG', 'IN FLIGHT', 'RETRYING', 'STATE']
    new TablePrinter(terminal).print(rows, head)
    const damage = body.streams.flatMap(damageOf)
    if (damage.length > 0) terminal.out(`\n${damage.map((line) => terminal.paint('red', line)).join('\n')}\n`)
  },
})

function rowsOf(stream: StreamLine, nowMs: number): string[][] {
  const { firstOffset, nextOffset, bytes, oldestMs, consumers } = stream
  const oldest = oldestMs === undefined ? '' : humanAge(new Date(oldestMs).toISOString(), nowMs)
  const own = [nameOf(stream), '', String(nextOffset - firstOffset), bytesText(bytes), oldest, '', '', '', '']
  const below = consumers.map(({ name, owner, lag, inFlight, retrying, active }) => {
    const consumer = shown(owner) ?? name
    return ['', consumer, '', '', '', String(lag), String(inFlight), String(retrying), active ? 'active' : 'idle']
  })
  return [own, ...below]
}

const shown = (object: ObjectName | undefined): string | undefined =>
  object && `${object.kind.split('.')[0]} ${object.namespace}/${object.name}`

/** Without an object that it belongs to, a stream has only its own name. */
const nameOf = ({ resource, name }: StreamLine): string => shown(resource) ?? name

function damageOf(stream: StreamLine): string[] {
  return stream.damaged.map(({ fromOffset, toOffset, segment, position }) => {
    const count = toOffset - fromOffset
    const offsets = count === 1 ? `offset ${fromOffset}` : `offsets ${fromOffset} to ${toOffset - 1}`
    return `damaged: ${count} event${count === 1 ? '' : 's'} of ${nameOf(stream)}, ${offsets}, in ${segment} at byte ${position}`
  })
}

function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
