// How programs built on the CloudEvents SDK for Go receive events over HTTP.
// Source: cloudevents/sdk-go v2/protocol/http/protocol.go, ServeHTTP.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { messageOf } from '../../../base/errors.ts'
import { contentModeOf, readEvent, writeBinary } from '../../../model/cloudevents/http-binding.ts'
import type { CloudEvent } from '../../../model/cloudevents/event.ts'

/** Largest event a built-in program takes, in bytes. */
const bodyBytesMax = 16_777_216

export interface ReceiverAnswer {
  /** @default 200 */
  status?: number
  message?: string
  reply?: CloudEvent
}

/** A server that hands each event to `receive`. */
export function eventReceiver(receive: (event: CloudEvent) => ReceiverAnswer | void): RequestListener {
  return (request, response) => {
    if (request.url === '/healthz') return void response.writeHead(204).end()
    if (request.method !== 'POST') return void response.writeHead(405).end()
    readBody(request, response, (body) => answer(response, handle(request, body, receive)))
  }
}

function handle(
  { rawHeaders }: IncomingMessage,
  body: Buffer,
  receive: (event: CloudEvent) => ReceiverAnswer | void,
): ReceiverAnswer {
  if (contentModeOf(rawHeaders) === 'none') return { status: 415, message: 'unknown Message encoding' }
  try {
    return receive(readEvent(rawHeaders, body).event) ?? {}
  } catch (thrown) {
    return { status: 400, message: messageOf(thrown) }
  }
}

function answer(response: ServerResponse, { status = 200, message, reply }: ReceiverAnswer): void {
  if (reply === undefined) return void response.writeHead(status).end(message)
  const { headers, body } = writeBinary(reply)
  response.writeHead(status, headers).end(body)
}

function readBody(request: IncomingMessage, response: ServerResponse, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= bodyBytesMax) return void chunks.push(chunk)
    // More may come before the answer has left. A second head would throw, here, in Knode itself.
    request.removeAllListeners('end')
    if (!response.headersSent) response.writeHead(413).end(() => request.destroy())
  })
  request.on('end', () => done(Buffer.concat(chunks)))
}
