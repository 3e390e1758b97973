// Builds the events that `knode send` sends, from flags.
import { isUtf8 } from 'node:buffer'
import type { Clock } from '../base/clock.ts'
import { KnodeError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import { cloudEvent } from '../model/cloudevents/event.ts'
import type { CloudEvent } from '../model/cloudevents/event.ts'

export interface EventWords {
  type?: string | undefined
  source?: string | undefined
  id?: string | undefined
  subject?: string | undefined
  contentType?: string | undefined
  /** `NAME=VALUE` each. */
  extension: readonly string[]
  data: Buffer | undefined
  /** How many will be made; with more than one, a given id is a prefix. */
  count: number
  clock: Clock
  random: Random
}

/** Makes the event of a number from 0. @throws {KnodeError} USAGE for bad attributes, before any event is made */
export function eventMaker(words: EventWords): (number: number) => CloudEvent {
  const { type = 'dev.knode.sent', source = '/knode/send', id, subject, data, count, clock, random } = words
  for (const [name, value] of Object.entries({ type, source, id, subject })) {
    if (value === '') throw new KnodeError('USAGE', `the attribute ${name} must not be empty`)
  }
  const extensions = Object.fromEntries(words.extension.map(parseExtension))
  const datacontenttype = words.contentType ?? (data === undefined ? undefined : guessType(data))
  return (number) =>
    cloudEvent(
      {
        specversion: '1.0',
        id: id === undefined ? random.uuid() : count > 1 ? `${id}-${number}` : id,
        source,
        type,
        subject,
        time: new Date(clock.now()).toISOString(),
        datacontenttype,
        ...extensions,
      },
      data,
    )
}

const settable: Record<string, string> = { id: '--id', source: '--source', type: '--type', subject: '--subject' }

function parseExtension(text: string): [string, string] {
  const at = text.indexOf('=')
  const name = at < 0 ? text : text.slice(0, at)
  if (at < 1) throw new KnodeError('USAGE', `-e "${text}": expected NAME=VALUE`)
  if (Object.hasOwn(settable, name))
    throw new KnodeError('USAGE', `-e ${name}: use ${settable[name]} for this attribute`)
  if (!/^[a-z0-9]+$/.test(name) || name === 'data' || name === 'specversion') {
    throw new KnodeError('USAGE', `-e "${text}": "${name}" is no name of an extension`, {
      hint: 'names of CloudEvents attributes are lower-case letters and digits',
    })
  }
  return [name, text.slice(at + 1)]
}

function guessType(data: Buffer): string {
  if (!isUtf8(data)) return 'application/octet-stream'
  try {
    JSON.parse(data.toString('utf8'))
    return 'application/json'
  } catch {
    return 'text/plain; charset=utf-8'
  }
}
