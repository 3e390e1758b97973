// Events as JSON; data is neither parsed nor written anew. Source: CloudEvents JSON event format 1.0.2, and 0.3.
import { isUtf8 } from 'node:buffer'
import { InvalidEventError } from '../../base/errors.ts'
import { nameObjection, quoted, settleAttributes } from './attributes.ts'
import type { AttributeValue, CloudEvent } from './event.ts'
import { elementsOf, isJson, membersOf, scanDocument, stringAt, textAt, typeOf } from './json-scanner.ts'
import type { JsonSlice } from './json-scanner.ts'
import { isJsonContent, isTextContent } from './media-type.ts'

/**
 * Reads a structured event. JSON data are the very bytes of `body`, of which the event keeps a part.
 * @throws {InvalidEventError} saying what is wrong and where.
 */
export function parseEventJson(body: Uint8Array): CloudEvent {
  return readObject(body, scanDocument(body))
}

/**
 * Reads a batch: a JSON array, which may be empty.
 * @throws {InvalidEventError} naming the element.
 */
export function parseBatchJson(body: Uint8Array): CloudEvent[] {
  const batch = scanDocument(body)
  if (typeOf(body, batch) !== 'array') throw new InvalidEventError('the batch is no JSON array')
  const events = elementsOf(body, batch).map((element, index) => {
    try {
      return readObject(body, element)
    } catch (error) {
      if (!(error instanceof InvalidEventError)) throw error
      throw new InvalidEventError(`event [${index}] of the batch: ${error.message}`, { cause: error })
    }
  })
  const version = events[0]?.attributes.get('specversion')
  const other = events.findIndex((event) => event.attributes.get('specversion') !== version)
  if (other > 0) throw new InvalidEventError(`event [${other}] of the batch has another specversion than event [0]`)
  return events
}

/** The event as one JSON object: JSON data embedded as it is, text as a string, anything else in base64. */
export function writeEventJson({ attributes, data }: CloudEvent): Uint8Array {
  if (data === undefined) return Buffer.from(`{${membersOfAttributes(attributes).join(',')}}`)
  const isOld = attributes.get('specversion') === '0.3'
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  // Of the other values this attribute may have only base64 speaks of the data; later versions know no such attribute.
  const isEncoded = isOld && attributes.get(encodingAttribute) === 'base64'
  const encoded = isEncoded && isBase64(bytes.toString('latin1')) ? bytes.toString('latin1') : undefined
  const contentType = String(attributes.get('datacontenttype') ?? '')
  const isJsonType = isJsonContent(contentType)
  if (encoded === undefined && isJsonType && isJson(data)) {
    const members = membersOfAttributes(attributes, isEncoded ? encodingAttribute : undefined)
    return Buffer.concat([Buffer.from(`{${members.join(',')},"data":`), bytes, closingBrace])
  }
  // As data of a JSON type a string would be read as that JSON string, quotes and all.
  if (encoded === undefined && !isJsonType && isTextContent(contentType) && isUtf8(data)) {
    const members = membersOfAttributes(attributes, isEncoded ? encodingAttribute : undefined)
    return Buffer.from(`{${members.join(',')},"data":${JSON.stringify(bytes.toString('utf8'))}}`)
  }
  const base64 = encoded ?? bytes.toString('base64')
  const members = membersOfAttributes(attributes, isOld ? encodingAttribute : undefined)
  const dataMembers = isOld ? `"${encodingAttribute}":"base64","data":"${base64}"` : `"data_base64":"${base64}"`
  return Buffer.from(`{${members.join(',')},${dataMembers}}`)
}

function membersOfAttributes(attributes: CloudEvent['attributes'], omitted?: string): string[] {
  const members: string[] = []
  for (const [name, value] of attributes) {
    if (name !== omitted) members.push(`${JSON.stringify(name)}:${JSON.stringify(value)}`)
  }
  return members
}

/** Of CloudEvents 0.3: says that the string in `data` is base64. */
const encodingAttribute = 'datacontentencoding'
const closingBrace = Buffer.from('}')

function readObject(body: Uint8Array, object: JsonSlice): CloudEvent {
  const found = typeOf(body, object)
  if (found !== 'object') throw new InvalidEventError(`an event is a JSON object, not ${article(found)} ${found}`)
  const attributes = new Map<string, AttributeValue>()
  const problems: string[] = []
  const dataMembers: DataMembers = {}
  const members = new Map(membersOf(body, object).map(({ name, value }) => [name, value]))
  const isOld = members.has('specversion') && textAt(body, members.get('specversion')!) === '"0.3"'
  for (const [name, value] of members) {
    if (name === 'data' || (name === 'data_base64' && !isOld)) dataMembers[name] = value
    else addAttribute(attributes, problems, name, body, value)
  }
  if (isOld && attributes.get(encodingAttribute) === 'base64') {
    attributes.delete(encodingAttribute)
    if (dataMembers.data !== undefined) dataMembers.data_base64 = dataMembers.data
    delete dataMembers.data
  }
  const data = readData(body, dataMembers, attributes, problems)
  settleAttributes(attributes, problems)
  return { attributes, data }
}

interface DataMembers {
  data?: JsonSlice
  data_base64?: JsonSlice
}

/** Names of extensions are lower-cased as upstream does; a core attribute must be spelt right. */
function addAttribute(
  attributes: Map<string, AttributeValue>,
  problems: string[],
  spelt: string,
  body: Uint8Array,
  slice: JsonSlice,
): void {
  const name = spelt.toLowerCase()
  const objection =
    spelt !== name && coreNames.has(name) ? `member ${quoted(spelt)} must be spelt "${name}"` : nameObjection(name)
  if (objection !== undefined) return void problems.push(objection)
  const value = readScalar(body, slice)
  if (value === undefined) problems.push(`attribute "${name}" is ${scalarObjection(body, slice)}`)
  else if (value !== null) attributes.set(name, value)
}

const coreNames: ReadonlySet<string> = new Set([
  'data',
  'datacontenttype',
  'dataschema',
  'id',
  'source',
  'specversion',
  'subject',
  'time',
  'type',
])

/** `null` stands for an unset attribute, `undefined` for a value that no attribute can have. */
function readScalar(body: Uint8Array, slice: JsonSlice): AttributeValue | null | undefined {
  const type = typeOf(body, slice)
  switch (type) {
    case 'null':
      return null
    case 'string':
      return stringAt(body, slice)
    case 'boolean':
      return textAt(body, slice) === 'true'
    case 'number': {
      const text = textAt(body, slice)
      const value = Number(text)
      return /^-?\d+$/.test(text) && value === (value | 0) ? value | 0 : undefined
    }
    case 'array':
    case 'object':
      return undefined
    default:
      return type satisfies never
  }
}

function scalarObjection(body: Uint8Array, slice: JsonSlice): string {
  const type = typeOf(body, slice)
  if (type !== 'number') return `${article(type)} ${type}; attributes are strings, booleans and integers`
  return `the number ${textAt(body, slice).slice(0, 40)}; only integers of 32 bits are allowed`
}

const article = (type: string): string => (/^[aeiou]/.test(type) ? 'an' : 'a')

function readData(
  body: Uint8Array,
  { data, data_base64: base64 }: DataMembers,
  attributes: ReadonlyMap<string, AttributeValue>,
  problems: string[],
): Uint8Array | undefined {
  if (base64 !== undefined && typeOf(body, base64) !== 'null') {
    if (data !== undefined) problems.push('there are both "data" and "data_base64"')
    const text = typeOf(body, base64) === 'string' ? stringAt(body, base64) : undefined
    if (text !== undefined && isBase64(text)) return Buffer.from(text, 'base64')
    const isOld = attributes.get('specversion') === '0.3'
    problems.push(`"${isOld ? 'data' : 'data_base64'}" is no base64`)
    return undefined
  }
  if (data === undefined) return undefined
  const contentType = attributes.get('datacontenttype')
  if (typeof contentType !== 'string' || isJsonContent(contentType)) return body.subarray(data.start, data.end)
  const type = typeOf(body, data)
  if (type === 'null') return undefined
  const text = type === 'string' ? stringAt(body, data) : undefined
  if (text?.isWellFormed() === true) return Buffer.from(text)
  const fault = text === undefined ? `${article(type)} ${type}, not a string` : 'no well-formed text'
  problems.push(`"data" is ${fault}, though datacontenttype is ${quoted(contentType)}`)
  return undefined
}

const isBase64 = (text: string): boolean => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
