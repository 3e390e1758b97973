// For tests of the HTTP binding: messages, and what was read of them.
import type { AttributeValue } from './event.ts'
import { readEvent } from './http-binding.ts'

export const minimal = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't' }
export const binary = (headers: Record<string, string> = {}, body = ''): ReturnType<typeof readEvent> =>
  readEvent({ ...minimal, ...headers }, Buffer.from(body))
export const structured = (members: Record<string, unknown> | string): ReturnType<typeof readEvent> =>
  readEvent({ 'content-type': 'application/cloudevents+json' }, Buffer.from(jsonOf(members)))
export const jsonOf = (members: Record<string, unknown> | string): string =>
  typeof members === 'string'
    ? members
    : JSON.stringify({ specversion: '1.0', id: '1', source: '/s', type: 't', ...members })
export const attributes = ({
  event,
}: {
  event: { attributes: ReadonlyMap<string, AttributeValue> }
}): Record<string, AttributeValue> => Object.fromEntries(event.attributes)
export const text = (data: Uint8Array | undefined): string | undefined =>
  data === undefined ? undefined : Buffer.from(data).toString()
