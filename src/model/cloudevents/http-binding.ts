// Events as HTTP messages, read and written. Sources: CloudEvents HTTP protocol binding 1.0.2, Knative data-plane spec.
import { InvalidEventError } from '../../base/errors.ts'
import { nameObjection, quoted, settleAttributes } from './attributes.ts'
import type { AttributeValue, CloudEvent, EventMessage } from './event.ts'
import { decodeHeaderText, encodeHeaderText, isPlainHeader } from './header-text.ts'
import { parseBatchJson, parseEventJson, writeEventJson } from './json-format.ts'
import { essenceOf } from './media-type.ts'
import { isListHeader, isPassedOn } from './passed-headers.ts'

/**
 * Headers of a request or response: best Node's `rawHeaders` (name, value, name, value …), else an object by name.
 * Node's own `headers` object joins duplicates and is therefore less exact.
 */
export type HeaderInput = readonly string[] | Readonly<Record<string, string | readonly string[] | undefined>>

export type ContentMode = 'binary' | 'structured' | 'batch' | 'none'

export interface HttpEvent {
  /** Lower-case names; values are printable ASCII, but for passed-on headers, which stay as they were read. */
  headers: Record<string, string>
  body: Uint8Array
}

/** How the message carries events, judged by its headers alone; `none` when it does not. */
export function contentModeOf(headers: HeaderInput): ContentMode {
  return modeOf(lookUp(headers))
}

/**
 * Whatever the message carries: one event, or the events of a batch in order. The headers are gone through once.
 * @throws {InvalidEventError} saying what is wrong and where.
 */
export function readMessage(headers: HeaderInput, body: Uint8Array): EventMessage | EventMessage[] {
  const fields = lookUp(headers)
  return modeOf(fields) === 'batch' ? eventsOf(fields, body) : eventOf(fields, body)
}

/**
 * The one event of a binary or structured message, with the headers that travel on. The event keeps `body`, or a part
 * of it, as its data.
 * @throws {InvalidEventError} saying what is wrong and where.
 */
export function readEvent(headers: HeaderInput, body: Uint8Array): EventMessage {
  return eventOf(lookUp(headers), body)
}

function eventOf(fields: Fields, body: Uint8Array): EventMessage {
  const mode = modeOf(fields)
  switch (mode) {
    case 'binary':
      return { event: readBinary(fields, body), headers: fields.passed }
    case 'structured':
      return { event: parseEventJson(body), headers: fields.passed }
    case 'batch':
      throw new InvalidEventError('the body is a batch where one event is expected')
    case 'none':
      throw new InvalidEventError(`no event: ${whyNone(fields)}`)
    default:
      return mode satisfies never
  }
}

/**
 * The events of a batch, in order; each gets the message's passed-on headers.
 * @throws {InvalidEventError} naming the place in the array.
 */
export function readBatch(headers: HeaderInput, body: Uint8Array): EventMessage[] {
  const fields = lookUp(headers)
  if (modeOf(fields) !== 'batch') throw new InvalidEventError('Content-Type is not application/cloudevents-batch+json')
  return eventsOf(fields, body)
}

const eventsOf = (fields: Fields, body: Uint8Array): EventMessage[] =>
  parseBatchJson(body).map((event) => ({ event, headers: fields.passed }))

/** Binary mode: attributes as `ce-` headers, data as body. Of a message the passed-on headers are added. */
export function writeBinary(message: CloudEvent | EventMessage): HttpEvent {
  const { event, headers: passed } = asMessage(message)
  const headers: Record<string, string> = { ...passed }
  for (const [name, value] of event.attributes) headers[headerName(name)] = headerValue(name, value)
  return { headers, body: event.data ?? nothing }
}

/** The headers of {@link writeBinary} as name, value, name, value …, without the attribute `omitted`. */
export function binaryHeaders({ event, headers: passed }: EventMessage, omitted?: string): string[] {
  const headers: string[] = []
  for (const name in passed) headers.push(name, passed[name]!)
  event.attributes.forEach((value, name) => {
    if (name !== omitted) headers.push(headerName(name), headerValue(name, value))
  })
  return headers
}

/** Names are the sender's choice: only so many are remembered, and only up to so many characters. */
const namesMax = 1_000
const nameLengthMax = 64
/** Headers of a message whose places are remembered. */
const placesMax = 64
const headerNames = new Map<string, string>([['datacontenttype', 'content-type']])

/** The header that carries the attribute. One and the same text each time, which is what makes it cheap to compare. */
function headerName(attribute: string): string {
  let name = headerNames.get(attribute)
  if (name !== undefined) return name
  name = `ce-${attribute}`
  if (headerNames.size < namesMax && name.length <= nameLengthMax) headerNames.set(attribute, name)
  return name
}

function headerValue(attribute: string, value: AttributeValue): string {
  if (attribute === 'datacontenttype') return legalHeader(String(value))
  return typeof value === 'string' ? encodeHeaderText(value) : String(value)
}

/** Structured mode in JSON. Of a message the passed-on headers are added. */
export function writeStructured(message: CloudEvent | EventMessage): HttpEvent {
  const { event, headers } = asMessage(message)
  return { headers: { ...headers, 'content-type': structuredType }, body: writeEventJson(event) }
}

/**
 * A batch in JSON: all events of one specversion, as a receiver may demand. Headers that were passed on belong to single
 * events and stay behind.
 */
export function writeBatch(events: readonly CloudEvent[]): HttpEvent {
  const parts: Uint8Array[] = []
  for (const event of events) parts.push(parts.length === 0 ? openingBracket : comma, writeEventJson(event))
  parts.push(parts.length === 0 ? emptyArray : closingBracket)
  return { headers: { 'content-type': batchType }, body: Buffer.concat(parts) }
}

const openingBracket = Buffer.from('[')
const comma = Buffer.from(',')
const closingBracket = Buffer.from(']')
const emptyArray = Buffer.from('[]')
const structuredType = 'application/cloudevents+json'
const batchType = 'application/cloudevents-batch+json'
const nothing = new Uint8Array(0)

/** The headers that matter, of each name the first. */
interface Fields {
  contentType: string | undefined
  /** By attribute name in lower case, values as on the wire at first. */
  attributes: Map<string, AttributeValue>
  /** What is wrong with the names of attributes. */
  problems: string[] | undefined
  passed: Record<string, string>
}

function lookUp(headers: HeaderInput): Fields {
  const fields: Fields = { contentType: undefined, attributes: new Map(), problems: undefined, passed: {} }
  if (isRaw(headers)) {
    for (let at = 0; at + 1 < headers.length; at += 2) addField(fields, useAt(at, headers[at]!), headers[at + 1]!)
  } else {
    for (const [name, value] of Object.entries(headers)) {
      if (typeof value === 'string') addField(fields, useOf(name), value)
      else for (const one of value ?? []) addField(fields, useOf(name), one)
    }
  }
  return fields
}

const isRaw = (headers: HeaderInput): headers is readonly string[] => Array.isArray(headers)

function addField(fields: Fields, { use, name, objection }: HeaderUse, value: string): void {
  switch (use) {
    case 'attribute':
      if (objection !== undefined) (fields.problems ??= []).push(objection)
      else if (!fields.attributes.has(name)) fields.attributes.set(name, value)
      break
    case 'content-type':
      fields.contentType ??= value
      break
    case 'pass-on': {
      const before = fields.passed[name]
      if (before === undefined) fields.passed[name] = value
      else if (isListHeader(name)) fields.passed[name] = `${before},${value}`
      break
    }
    case 'drop':
      break
    default:
      use satisfies never
  }
}

/** What a header is to an event; `name` is that of the attribute or of the header, in lower case. */
interface HeaderUse {
  /** As it was written. */
  rawName: string
  use: 'attribute' | 'content-type' | 'pass-on' | 'drop'
  name: string
  /** Why no attribute has this name. */
  objection?: string | undefined
}

/** By name as written: every event brings the same few, and looking is cheaper than judging each time. */
const headerUses = new Map<string, HeaderUse>()

/** By place in the last message: senders repeat themselves, and comparing is cheaper than looking up. */
const lastUses: HeaderUse[] = []

function useAt(at: number, rawName: string): HeaderUse {
  const place = at >> 1
  const last = lastUses[place]
  if (last !== undefined && last.rawName === rawName) return last
  const use = useOf(rawName)
  const isKept = place < placesMax && rawName.length <= nameLengthMax
  if (isKept && place <= lastUses.length) lastUses[place] = use
  return use
}

function useOf(rawName: string): HeaderUse {
  let known = headerUses.get(rawName)
  if (known === undefined) {
    known = { rawName, ...judge(rawName.toLowerCase()) }
    if (headerUses.size < namesMax && rawName.length <= nameLengthMax) headerUses.set(rawName, known)
  }
  return known
}

function judge(name: string): Omit<HeaderUse, 'rawName'> {
  if (name.startsWith('ce-')) {
    const objection = attributeObjection(name.slice(3))
    return { use: 'attribute', name: name.slice(3), objection: objection && `header ${quoted(name)}: ${objection}` }
  }
  if (name === 'content-type') return { use: 'content-type', name }
  return { use: isPassedOn(name) ? 'pass-on' : 'drop', name }
}

// A batch is asked for first: its type begins like that of a single structured event.
function modeOf({ contentType, attributes }: Fields): ContentMode {
  const essence = essenceOf(contentType)
  if (essence === batchType) return 'batch'
  if (essence === structuredType) return 'structured'
  return attributes.has('specversion') ? 'binary' : 'none'
}

function whyNone({ contentType, attributes, problems }: Fields): string {
  if (essenceOf(contentType).startsWith('application/cloudevents')) {
    return `the event format ${quoted(essenceOf(contentType))} is not supported, only ${structuredType} is`
  }
  if (attributes.size > 0 || problems !== undefined) return 'the header ce-specversion is missing'
  return `there are no ce- headers, and Content-Type is ${contentType === undefined ? 'missing' : quoted(contentType)}`
}

/** Turns the header values into attributes, in the map they are in: this runs for every event. */
function readBinary({ attributes, contentType, problems = [] }: Fields, body: Uint8Array): CloudEvent {
  let isPlain = true
  attributes.forEach((value, name) => {
    const raw = String(value)
    if (isPlainHeader(raw)) return
    isPlain = false
    const text = decodeHeaderText(raw)
    if (text === undefined) problems.push(`header ${quoted(`ce-${name}`)}: the value is not UTF-8`)
    else attributes.set(name, text)
  })
  if (contentType !== undefined) {
    isPlain &&= isPlainHeader(contentType)
    attributes.set('datacontenttype', contentType)
  }
  settleAttributes(attributes, problems, { isPlain })
  return { attributes, data: body.length === 0 ? undefined : body }
}

function attributeObjection(name: string): string | undefined {
  if (name === '') return 'the attribute name is missing'
  if (name === 'datacontenttype') return 'the content type of the data belongs into Content-Type'
  return nameObjection(name)
}

const asMessage = (message: CloudEvent | EventMessage): EventMessage =>
  'event' in message ? message : { event: message, headers: {} }

/** Content types are written as they are; what no header may carry, an adapter's typing mistake, is taken out. */
const legalHeader = (text: string): string => text.replace(/[^\t\x20-\x7e]/g, '')
