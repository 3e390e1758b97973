// The image appender: adds env MESSAGE to the message of each event, and replies. Source: knative/eventing cmd/appender.
import { withAttributes } from '../../../model/cloudevents/event.ts'
import type { CloudEvent } from '../../../model/cloudevents/event.ts'
import { goLog } from './program.ts'
import type { BuiltInImage, ProgramContext } from './program.ts'
import { eventReceiver } from './receiver.ts'
import type { ReceiverAnswer } from './receiver.ts'

export const appender: BuiltInImage = {
  names: /^appender$/,
  description: 'adds env MESSAGE to the message of the events it receives, and replies with them',
  start: (context) => ({
    kind: 'server',
    handle: eventReceiver((event) => append(event, context)),
    started: (port) => goLog(context, `listening on ${port}, appending ${JSON.stringify(suffixOf(context))} to events`),
  }),
}

interface Payload {
  id: number
  message: string
}

const suffixOf = ({ env }: ProgramContext): string =>
  env['MESSAGE'] ?? 'boring default msg, change me with env[MESSAGE]'

function append(event: CloudEvent, context: ProgramContext): ReceiverAnswer {
  const payload = read(event)
  if (typeof payload === 'string') {
    goLog(context, `Got error while unmarshalling data: ${payload}`)
    return { status: 400, message: `got error while unmarshalling data: ${payload}` }
  }
  goLog(context, 'Received a new event: ')
  goLog(context, logLine(event, payload))
  const changed: Payload = { id: payload.id, message: payload.message + suffixOf(context) }
  const type = context.env['TYPE']
  const reply = {
    ...withAttributes(event, {
      datacontenttype: 'application/json',
      ...(type !== undefined && type !== '' && { type }),
    }),
    data: Buffer.from(JSON.stringify(changed)),
  }
  goLog(context, 'Transform the event to: ')
  goLog(context, logLine(reply, changed))
  return { reply }
}

/** The payload, or why the data is none. Fields that are absent are empty, as in Go. */
function read({ data }: CloudEvent): Payload | string {
  let parsed: unknown
  try {
    parsed = data === undefined ? {} : JSON.parse(Buffer.from(data).toString())
  } catch {
    return 'the data is not JSON'
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return 'the data is not a JSON object'
  const { id = 0, message = '' } = parsed as { id?: unknown; message?: unknown }
  if (!Number.isInteger(id)) return 'id is not an integer'
  return typeof message === 'string' ? { id: id as number, message } : 'message is not a string'
}

function logLine({ attributes }: CloudEvent, { id, message }: Payload): string {
  const [time = '', source = '', type = ''] = ['time', 'source', 'type'].map((name) => attributes.get(name) ?? '')
  return `[${time}] ${source} ${type}: &{Sequence:${id} Message:${message}}`
}
