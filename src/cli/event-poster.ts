// Sends events by HTTP over a few kept connections and says what became of each.
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { CloudEvent } from '../model/cloudevents/event.ts'
import { contentModeOf, readEvent, writeBinary } from '../model/cloudevents/http-binding.ts'
import { outliveAnswer } from './idle-socket.ts'

/** Events on their way at a time, at most. */
export const inFlightMax = 64

/** Longest wait for one answer, in milliseconds. */
const answerMsMax = 60_000

/** Longest answer that is read, in bytes. */
const answerBytesMax = 10_485_760

/** What became of one event. */
export interface Posted {
  /** Absent when there was no answer. */
  status?: number
  tookMs: number
  /** The answer's words when it is a refusal, or why there was none. */
  reason?: string
  /** The event that a subscriber answered with. */
  reply?: CloudEvent
}

export interface EventPoster extends Disposable {
  /** Never throws: what went wrong is in the outcome. */
  post(event: CloudEvent): Promise<Posted>
}

export interface PosterOptions {
  url: string
  clock: Clock
  signal: AbortSignal
}

export function openEventPoster({ url, clock, signal }: PosterOptions): EventPoster {
  const isSecure = url.startsWith('https:')
  const keptOpen = { keepAlive: true, maxSockets: inFlightMax }
  const agent = isSecure ? new HttpsAgent(keptOpen) : new HttpAgent(keptOpen)
  const exchange = (event: CloudEvent): Promise<{ response: IncomingMessage; body: Buffer }> => {
    const { headers, body } = writeBinary(event)
    const { promise, resolve, reject } = Promise.withResolvers<{ response: IncomingMessage; body: Buffer }>()
    const request = (isSecure ? httpsRequest : httpRequest)(
      url,
      { method: 'POST', agent, signal, headers: { ...headers, 'content-length': String(body.length) } },
      (response) => void readAll(response).then((answer) => resolve({ response, body: answer }), reject),
    )
    request.setTimeout(answerMsMax, () => request.destroy(new Error(`no answer within ${answerMsMax / 1000} s`)))
    request.on('error', reject)
    outliveAnswer(request)
    request.end(body)
    return promise
  }
  return {
    [Symbol.dispose]: () => agent.destroy(),
    async post(event) {
      const startedMs = clock.monotonicMs()
      try {
        const { response, body } = await exchange(event)
        const { statusCode: status = 0, rawHeaders } = response
        const tookMs = clock.monotonicMs() - startedMs
        if (status >= 300) return { status, tookMs, reason: wordsOf(body) }
        if (contentModeOf(rawHeaders) === 'none') return { status, tookMs }
        return { status, tookMs, reply: readEvent(rawHeaders, body).event }
      } catch (error) {
        return { tookMs: clock.monotonicMs() - startedMs, reason: whyNot(error) }
      }
    },
  }
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > answerBytesMax) throw new Error(`the answer is longer than ${answerBytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const wordsOf = (body: Buffer): string => body.toString('utf8', 0, 500).trim()

function whyNot(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ECONNREFUSED':
      return 'the connection was refused'
    case 'ENOTFOUND':
      return 'its host name is not known'
    default:
      return messageOf(error)
  }
}
