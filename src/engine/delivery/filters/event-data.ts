// The data of an event as parsed JSON: parsed when first asked for, once for all who ask.
import { messageOf } from '../../../base/errors.ts'
import { attributeText } from '../../../model/cloudevents/event.ts'
import type { CloudEvent } from '../../../model/cloudevents/event.ts'
import { isJsonContent } from '../../../model/cloudevents/media-type.ts'

/** Why a filter over data cannot see the data. */
export type DataFault = 'data-missing' | 'data-not-json' | 'data-unparsable'

export type EventData = { value: unknown } | { fault: DataFault; message: string }

/** Lives as long as the event does, and no longer. */
const parsed = new WeakMap<CloudEvent, EventData>()

/** The parsed data, or why there are none. Who asks must not change the value. */
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
    return { value: JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString('utf8')) as unknown }
  } catch (error) {
    return { fault: 'data-unparsable', message: `the data are not valid JSON: ${messageOf(error)}` }
  }
}
