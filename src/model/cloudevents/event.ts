// A CloudEvent in memory. Source: CloudEvents 1.0.2, "Context Attributes" and "Type System".

/** Boolean and Integer arrive typed only from JSON; everything else is its canonical string. */
export type AttributeValue = string | number | boolean

/**
 * An event. It is shared between subscribers: never change one in place, use {@link withAttributes}.
 *
 * - `attributes`: context attributes and extensions by lower-case name (`id`, `source`, `type`, `specversion`,
 *   `datacontenttype`, `subject`, `time`, …). `time` keeps its text; it is never parsed into a Date.
 * - `data`: the bytes as they stood on the wire; `undefined` when the event has no data.
 */
export interface CloudEvent {
  readonly attributes: ReadonlyMap<string, AttributeValue>
  readonly data: Uint8Array | undefined
}

/**
 * What travels through a stream: the event and the headers that Knative passes on hop by hop
 * (`traceparent`, `tracestate`, `baggage`, `x-request-id`, `x-b3-*`, `knative-*`), by lower-case name.
 */
export interface EventMessage {
  readonly event: CloudEvent
  readonly headers: Readonly<Record<string, string>>
}

/** Builds an event from plain attributes; `undefined` values are left out. Strings as data are taken as UTF-8. */
export function cloudEvent(
  attributes: Readonly<Record<string, AttributeValue | undefined>>,
  data?: Uint8Array | string,
): CloudEvent {
  const map = new Map<string, AttributeValue>()
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) map.set(name, value)
  if (!map.has('specversion')) map.set('specversion', '1.0')
  return { attributes: map, data: typeof data === 'string' ? Buffer.from(data) : data }
}

/** A copy with some attributes set, or removed where the value is `undefined`. Data is shared. */
export function withAttributes(
  event: CloudEvent,
  changes: Readonly<Record<string, AttributeValue | undefined>>,
): CloudEvent {
  const attributes = new Map(event.attributes)
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) attributes.delete(name)
    else attributes.set(name, value)
  }
  return { attributes, data: event.data }
}

/** The canonical string of an attribute, or `undefined` when the event does not have it. */
export function attributeText(event: CloudEvent, name: string): string | undefined {
  const value = event.attributes.get(name)
  return typeof value === 'string' || value === undefined ? value : String(value)
}
