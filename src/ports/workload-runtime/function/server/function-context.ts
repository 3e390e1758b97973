// What a handler gets as its first argument. Source: faas-js-runtime, "Context".
import type { IncomingMessage } from 'node:http'
import { newFunctionEvent } from './function-event.ts'
import type { FunctionEvent } from './function-event.ts'
import type { FunctionLog } from './function-log.ts'

/** Parameters of the query are properties, too, unless they have the name of one below. */
export interface FunctionContext {
  /** JSON is parsed, a form an object, text a string, anything else a Buffer; `undefined` when it is empty. */
  body: unknown
  /** The body as text. */
  rawBody: string | undefined
  query: Record<string, string | string[]>
  headers: IncomingMessage['headers']
  method: string
  /** Path without the query. */
  path: string
  httpVersion: string
  httpVersionMajor: number
  httpVersionMinor: number
  contentType: string | undefined
  log: FunctionLog
  /** The event, when the request is one. */
  cloudevent?: FunctionEvent
  /** Builds an event to return: `context.cloudEventResponse(data).type('t').source('/s').response()`. */
  cloudEventResponse(data: unknown): EventBuilder
}

export interface EventBuilder {
  version(specversion: string): EventBuilder
  id(id: string): EventBuilder
  type(type: string): EventBuilder
  source(source: string): EventBuilder
  response(): FunctionEvent
}

export function createContext(request: IncomingMessage, bytes: Buffer, log: FunctionLog): FunctionContext {
  const url = new URL(request.url ?? '/', 'http://function')
  const query = fieldsOf(url.searchParams)
  return {
    ...query,
    ...bodyOf(bytes, request.headers['content-type'] ?? ''),
    query,
    headers: request.headers,
    method: request.method ?? 'GET',
    path: url.pathname,
    httpVersion: request.httpVersion,
    httpVersionMajor: request.httpVersionMajor,
    httpVersionMinor: request.httpVersionMinor,
    contentType: request.headers['content-type'],
    log,
    cloudEventResponse: (data) => eventBuilder({ data }),
  }
}

/** @throws {SyntaxError} when JSON does not parse. */
function bodyOf(bytes: Buffer, contentType: string): { body: unknown; rawBody: string | undefined } {
  if (bytes.byteLength === 0) return { body: undefined, rawBody: undefined }
  const rawBody = bytes.toString()
  const essence = contentType.split(';', 1)[0]!.trim().toLowerCase()
  if (essence === 'application/json') return { body: JSON.parse(rawBody), rawBody }
  if (essence === 'application/x-www-form-urlencoded') return { body: fieldsOf(new URLSearchParams(rawBody)), rawBody }
  const isText = essence === 'text/plain' || essence === 'application/cloudevents+json'
  return { body: isText ? rawBody : bytes, rawBody }
}

/** A name that comes several times has an array. */
function fieldsOf(parameters: URLSearchParams): Record<string, string | string[]> {
  const names = [...new Set(parameters.keys())]
  return Object.fromEntries(
    names.map((name) => {
      const values = parameters.getAll(name)
      return [name, values.length === 1 ? values[0]! : values]
    }),
  )
}

function eventBuilder(fields: Record<string, unknown>): EventBuilder {
  const having = (name: string) => (value: string) => eventBuilder({ ...fields, [name]: value })
  return {
    version: having('specversion'),
    id: having('id'),
    type: having('type'),
    source: having('source'),
    response: () => newFunctionEvent(fields),
  }
}
