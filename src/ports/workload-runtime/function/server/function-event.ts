// An event as functions see it: attributes as properties, data parsed. Shaped like the class of the CloudEvents SDK.
import { randomUUID } from 'node:crypto'
import { InvalidEventError, messageOf } from '../../../../base/errors.ts'
import { nameObjection, settleAttributes } from '../../../../model/cloudevents/attributes.ts'
import type { AttributeValue, CloudEvent } from '../../../../model/cloudevents/event.ts'
import { isJsonContent, isTextContent } from '../../../../model/cloudevents/media-type.ts'

/** Attributes and extensions are properties of the same name. */
export interface FunctionEvent {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly specversion: string
  /** JSON is parsed, text is a string, anything else a Buffer. */
  readonly data?: unknown
  readonly [attribute: string]: unknown
}

/** Properties of an event that are no attributes. */
const notAttributes = new Set(['data', 'data_base64'])

/** Named as the SDK's class: functions and their libraries may look at the constructor's name. */
const EventClass = class CloudEvent {
  constructor(fields: Record<string, unknown>) {
    Object.assign(this, fields)
  }

  cloneWith(changes: Record<string, unknown>): FunctionEvent {
    return new CloudEvent({ ...this.toJSON(), ...changes }) as unknown as FunctionEvent
  }

  toJSON(): Record<string, unknown> {
    return Object.fromEntries(Object.entries(this))
  }
}

export function toFunctionEvent({ attributes, data }: CloudEvent): FunctionEvent {
  const contentType = attributes.get('datacontenttype')
  const fields = Object.fromEntries(attributes)
  const parsed = data === undefined ? {} : { data: dataOf(data, typeof contentType === 'string' ? contentType : '') }
  return new EventClass({ ...fields, ...parsed }) as unknown as FunctionEvent
}

/** An event from the given fields; `id`, `source`, `type` and `time` are made up when absent. */
export function newFunctionEvent(fields: Record<string, unknown>): FunctionEvent {
  const defaults = {
    specversion: '1.0',
    id: randomUUID(),
    time: new Date().toISOString(),
    ...(typeof fields['data'] === 'object' && { datacontenttype: 'application/json' }),
  }
  return new EventClass({ ...defaults, ...fields }) as unknown as FunctionEvent
}

/** Whether a handler's answer is an event: of the SDK's class, or of ours. */
export function isFunctionEvent(value: unknown): value is FunctionEvent {
  return typeof value === 'object' && value !== null && value.constructor?.name === 'CloudEvent'
}

/** @throws {InvalidEventError} when attributes are missing or malformed. */
export function fromFunctionEvent(event: FunctionEvent): CloudEvent {
  const attributes = new Map<string, AttributeValue>([['specversion', '1.0']])
  for (const [name, value] of Object.entries(event)) {
    if (notAttributes.has(name) || value === undefined || value === null || typeof value === 'function') continue
    attributes.set(name, attributeOf(value))
  }
  const data = bytesOf(event.data)
  if (data !== undefined && typeof event.data !== 'string' && !(event.data instanceof Uint8Array)) {
    if (!attributes.has('datacontenttype')) attributes.set('datacontenttype', 'application/json')
  }
  const problems = [...attributes.keys()].map(nameObjection).filter((objection) => objection !== undefined)
  try {
    settleAttributes(attributes, problems)
  } catch (thrown) {
    throw new InvalidEventError(`the returned event is not valid: ${messageOf(thrown)}`)
  }
  return { attributes, data }
}

function dataOf(data: Uint8Array, contentType: string): unknown {
  const buffer = Buffer.from(data)
  if (contentType === '' || isJsonContent(contentType)) {
    try {
      return JSON.parse(buffer.toString())
    } catch {
      return buffer.toString()
    }
  }
  return isTextContent(contentType) ? buffer.toString() : buffer
}

/** A Date is a timestamp; whatever else is no attribute's type is told as text, and refused if that is malformed. */
function attributeOf(value: unknown): AttributeValue {
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string') return value
  return value instanceof Date ? value.toISOString() : JSON.stringify(value)
}

function bytesOf(data: unknown): Uint8Array | undefined {
  if (data === undefined || data === null) return undefined
  if (data instanceof Uint8Array) return data
  return Buffer.from(typeof data === 'string' ? data : JSON.stringify(data))
}
