// The data of an event as parsed JSON: parsed when first asked for, once for all who ask.
import { messageOf } from '../../../base/errors.ts'
import { attributeText } from '../../../model/cloudevents/event.ts'
import type { CloudEvent } from '../../../model/cloudevents/event.ts'
import { isJsonContent } from '../../../model/cloudevents/media-type.ts'

/** Why a filter over data cannot see the data. */
export type DataFault = 'data-missing' | 'data-not-json' | 'data-unparsable'

export type EventData = { value: unknown } | { fault: DataFault; message: string }

/** Fields of an object that stays one. */
const plainFieldsMax = 500
/** Of the shortest field with the comma behind it. */
const fieldCharactersMin = 5

/** Lives as long as the event does, and no longer. */
const parsed = new WeakMap<CloudEvent, EventData>()

/** The parsed data, as CEL takes them, or why there are none. Who asks must not change the value. */
export function eventData(event: CloudEvent): EventData {
  let data = parsed.get(event)
  if (data === undefined) parsed.set(event, (data = parse(event)))
  return data
}

function parse(event: CloudEvent): EventData {
  if (event.data === undefined) return { fault: 'data-missing', message: 'the event has no data' }
  const contentType = attributeText(event, 'datacontenttype')
  if (!isJsonContent(contentType)) {
    return { fault: 'data-not-json', message: `the data are ${contentType}, not JSON` }
  }
  try {
    const { buffer, byteOffset, byteLength } = event.data
    const text = Buffer.from(buffer, byteOffset, byteLength).toString('utf8')
    const value: unknown = JSON.parse(text)
    const isPlain = text.length < fieldCharactersMin * plainFieldsMax && !text.includes('"constructor"')
    return { value: isPlain ? value : forCel(value) }
  } catch (error) {
    return { fault: 'data-unparsable', message: `the data are not valid JSON: ${messageOf(error)}` }
  }
}

/**
 * Objects as Maps where the CEL library needs that: it knows an object by its constructor, which one with a field of that
 * name seems not to have, and it takes the longer to look at one the more fields it has. Changes the value.
 */
function forCel(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) value[index] = forCel(item)
    return value
  }
  const parts = value as Record<string, unknown>
  const names = Object.keys(parts)
  for (const name of names) parts[name] = forCel(parts[name])
  return names.length > plainFieldsMax || Object.hasOwn(parts, 'constructor') ? new Map(Object.entries(parts)) : value
}
