// Takes an event from a request: the checks and answers of Knative's data plane, in its order.
// Source: knative/eventing pkg/broker/ingress/ingress_handler.go, knative/specs data-plane.md.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { InvalidEventError, messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Counter } from '../../base/metrics.ts'
import { readMessage } from '../../model/cloudevents/http-binding.ts'
import type { EventMessage } from '../../model/cloudevents/event.ts'
import type { AcceptResult, EventEndpoint } from '../reconciler.ts'
import type { BodyReader, BodyTaker } from './body-reader.ts'
import { pathObjection } from './event-address.ts'
import type { EventAddress } from './event-address.ts'
import type { RequestHead } from './request-head.ts'

export interface EventDoorDeps {
  bodies: BodyReader
  /** Largest body, in bytes. */
  eventBytesMax: number
  /** Longest time a body may take, in milliseconds. */
  bodyMs: number
  refused: Counter
  log: Logger
}

const allow = 'POST, OPTIONS'
const acceptedHeaders = ['Allow', allow, 'Content-Length', '0']
/** CloudEvents webhook specification, section 4.2: anyone may send, at any rate. */
const consentHeaders = [...acceptedHeaders, 'WebHook-Allowed-Origin', '*', 'WebHook-Allowed-Rate', '*']

export class EventDoor {
  #deps: EventDoorDeps

  constructor(deps: EventDoorDeps) {
    this.#deps = deps
  }

  /** Answers the request. `endpoint` is absent when nobody has the address. */
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    head: RequestHead,
    address: EventAddress,
    endpoint: EventEndpoint | undefined,
  ): void {
    const answer = this.#answerByHead(request, head, address, endpoint)
    if (answer !== undefined) return this.refuse(request, response, head, answer)
    if (request.method === 'OPTIONS') {
      if (head.bodyBytes !== 0) this.#deps.bodies.discard(request)
      response.writeHead(200, consentHeaders).end()
      return
    }
    const taking = new Taking(this, request, response, endpoint, `${head.host}${head.path}`)
    if (head.bodyBytes === 0) taking.onBody(nothing)
    else this.#deps.bodies.read(request, taking)
  }

  /** Answers without having wanted the body. */
  refuse(request: IncomingMessage, response: ServerResponse, head: RequestHead, answer: AcceptResult): void {
    if (head.bodyBytes !== 0) this.#deps.bodies.discard(request)
    this.answer(response, answer)
  }

  answer(response: ServerResponse, { status, message = '', retryAfterSeconds }: AcceptResult): void {
    if (status === 202) {
      response.writeHead(202, acceptedHeaders).end()
      return
    }
    if (status >= 400) this.#deps.refused.add(1, { 'http.response.status_code': status })
    const text = message === '' ? '' : `${message}\n`
    const headers = ['Allow', allow, 'Content-Type', plainText, 'Content-Length', String(Buffer.byteLength(text))]
    if (retryAfterSeconds !== undefined) headers.push('Retry-After', String(Math.ceil(retryAfterSeconds)))
    response.writeHead(status, headers).end(text)
  }

  #answerByHead(
    request: IncomingMessage,
    head: RequestHead,
    address: EventAddress,
    endpoint: EventEndpoint | undefined,
  ): AcceptResult | undefined {
    const { host, path } = head
    if (address === 'channel') {
      if (endpoint === undefined) return missing(`${host}${path}`)
      const objection = pathObjection(address, host, path)
      if (objection !== undefined) return objection
    }
    if (request.method === 'OPTIONS') return undefined
    if (request.method !== 'POST') return { status: 405, message: `${request.method} is not allowed: POST an event` }
    if (address === 'ingress') {
      const objection = pathObjection(address, host, path)
      if (objection !== undefined) return objection
    }
    if (head.bodyBytes !== undefined && head.bodyBytes > this.#deps.eventBytesMax) return this.tooLarge()
    // A door that is closed for a while is told before the body is read; one that does not exist only after, because
    // a malformed event answers 400 wherever it is sent.
    const refusal = endpoint?.refusal?.()
    return refusal !== undefined && refusal.status >= 429 ? refusal : undefined
  }

  tooLarge(): AcceptResult {
    return { status: 413, message: `the event is larger than ${this.#deps.eventBytesMax} bytes` }
  }

  tooLate(): AcceptResult {
    return { status: 408, message: `the body did not arrive within ${this.#deps.bodyMs} ms` }
  }

  /** Parses, hands over and answers. Never throws. */
  async take(
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
    endpoint: EventEndpoint | undefined,
    address: string,
  ): Promise<void> {
    let answer: AcceptResult
    try {
      const message = readMessage(request.rawHeaders, body)
      if (Array.isArray(message)) answer = await acceptAll(message, endpoint, address)
      else if (endpoint === undefined) answer = missing(address)
      else answer = endpoint.refusal?.() ?? (await endpoint.accept(message, given))
    } catch (thrown) {
      if (thrown instanceof InvalidEventError) answer = { status: 400, message: thrown.message }
      else {
        this.#deps.log.error('an event could not be taken', { address, err: thrown })
        answer = { status: 500, message: `the event could not be taken: ${messageOf(thrown)}` }
      }
    }
    this.answer(response, answer)
  }
}

const plainText = 'text/plain; charset=utf-8'
const nothing = Buffer.alloc(0)
/** Events that were just read belong to nobody yet. */
const given = { given: true }

const missing = (address: string): AcceptResult => ({ status: 404, message: `nothing takes events at ${address}` })

/** All or nothing for the sender: it repeats the whole batch when one of its events was not taken. */
async function acceptAll(
  messages: EventMessage[],
  endpoint: EventEndpoint | undefined,
  address: string,
): Promise<AcceptResult> {
  const refusal = endpoint === undefined ? missing(address) : endpoint.refusal?.()
  if (refusal !== undefined) return refusal
  const results = await Promise.all(messages.map((message) => endpoint!.accept(message, given)))
  const at = results.findIndex(({ status }) => status >= 300)
  if (at < 0) return { status: 202 }
  return { ...results[at]!, message: `event ${at} of the batch: ${results[at]!.message ?? 'refused'}` }
}

/** One event on its way in. */
class Taking implements BodyTaker {
  #door: EventDoor
  #request: IncomingMessage
  #response: ServerResponse
  #endpoint: EventEndpoint | undefined
  #address: string

  constructor(
    door: EventDoor,
    request: IncomingMessage,
    response: ServerResponse,
    endpoint: EventEndpoint | undefined,
    address: string,
  ) {
    this.#door = door
    this.#request = request
    this.#response = response
    this.#endpoint = endpoint
    this.#address = address
  }

  onBody(body: Buffer): void {
    void this.#door.take(this.#request, this.#response, body, this.#endpoint, this.#address)
  }

  onTooLarge(): void {
    this.#door.answer(this.#response, this.#door.tooLarge())
  }

  onTooLate(): void {
    // The rest of the body, should it come, is nothing this connection could make sense of.
    this.#response.shouldKeepAlive = false
    this.#door.answer(this.#response, this.#door.tooLate())
  }
}
