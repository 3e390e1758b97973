// One step in the life of an event, as a line of `knode tail -o json`.
import type { FlowFact } from '../engine/flow.ts'
import { attributeText } from '../model/cloudevents/event.ts'
import { isJsonContent } from '../model/cloudevents/media-type.ts'

/** Longest text of an event's data that is shown, in characters. */
const dataCharactersMax = 4096

export interface FlowLine {
  what: FlowFact['what']
  /** RFC 3339. */
  time: string
  stream: string
  /** Attributes by name; `data` is shown with the first line of an event only. */
  event: Record<string, unknown>
  owner?: FlowFact['owner']
  url?: string
  status?: number
  attempt?: number
  tookMs?: number
  message?: string
}

export function flowLine({ timeMs, event, ...fact }: FlowFact): FlowLine {
  const attributes: Record<string, unknown> = Object.fromEntries(event.attributes)
  if (fact.what === 'accepted' && event.data !== undefined) {
    attributes['data'] = shownData(event.data, attributeText(event, 'datacontenttype'))
  }
  return { time: new Date(timeMs).toISOString(), ...fact, event: attributes }
}

function shownData(data: Uint8Array, mediaType: string | undefined): unknown {
  const text = Buffer.from(data).toString('utf8')
  if (text.length <= dataCharactersMax && isJsonContent(mediaType)) {
    try {
      return JSON.parse(text) as unknown
    } catch {
      // Not what its media type says: shown as text.
    }
  }
  return text.length > dataCharactersMax ? `${text.slice(0, dataCharactersMax)}…` : text
}
