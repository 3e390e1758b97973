// What a handler returned, as an HTTP response. Source: faas-js-runtime lib/invoker.js.
import { messageOf } from '../../../../base/errors.ts'
import { writeBinary } from '../../../../model/cloudevents/http-binding.ts'
import { fromFunctionEvent, isFunctionEvent } from './function-event.ts'

export interface FunctionReply {
  status: number
  headers: Record<string, string>
  body: string | Uint8Array
}

const textType = 'text/plain; charset=utf-8'
const jsonType = 'application/json; charset=utf-8'

/**
 * - an event, in answer to an event: the event in binary mode;
 * - nothing, `''`, `0` or `false`: 204;
 * - text: 200 and the text;
 * - an object with any of `statusCode`, `headers` and `body`: these;
 * - anything else: 200 and the value as JSON.
 */
export function replyOf(returned: unknown): FunctionReply {
  if (isFunctionEvent(returned)) return { status: 200, ...writeBinary(fromFunctionEvent(returned)) }
  if (!returned) return { status: 204, headers: {}, body: '' }
  if (typeof returned === 'string') return { status: 200, headers: { 'content-type': textType }, body: returned }
  if (returned instanceof Uint8Array) return { status: 200, headers: { 'content-type': binaryType }, body: returned }
  const { statusCode, headers, body } = returned as { statusCode?: unknown; headers?: unknown; body?: unknown }
  const own = lowerCased(headers)
  const isParts = body !== undefined || statusCode !== undefined || typeof headers === 'object'
  const content = isParts ? contentOf(body) : contentOf(returned)
  return {
    status: typeof statusCode === 'number' ? statusCode : 200,
    headers: { ...content.headers, ...own },
    body: content.body,
  }
}

/** The answer when a handler threw: an error's numeric `code`, if it is a status, and its message. */
export function failureReply(thrown: unknown): FunctionReply {
  const code = (thrown as { code?: unknown } | null)?.code
  const isStatus = typeof code === 'number' && Number.isInteger(code) && code >= 400 && code <= 599
  return { status: isStatus ? code : 500, headers: { 'content-type': textType }, body: messageOf(thrown) }
}

const binaryType = 'application/octet-stream'

function contentOf(body: unknown): Pick<FunctionReply, 'headers' | 'body'> {
  if (body === undefined || body === null) return { headers: {}, body: '' }
  if (typeof body === 'string') return { headers: { 'content-type': textType }, body }
  if (body instanceof Uint8Array) return { headers: { 'content-type': binaryType }, body }
  return { headers: { 'content-type': jsonType }, body: JSON.stringify(body) }
}

function lowerCased(headers: unknown): Record<string, string> {
  if (typeof headers !== 'object' || headers === null) return {}
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]))
}
