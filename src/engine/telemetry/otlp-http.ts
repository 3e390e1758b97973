// OTLP by HTTP: one POST of a protobuf message. Source: OpenTelemetry protocol specification, "OTLP/HTTP".
import { Client } from 'undici'
import type { Dispatcher } from 'undici'
import type { CancelTimer, Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { readPartialSuccess, readStatusMessage } from '../../model/otlp/export-response.ts'
import { answerBytesMax, encoded, userAgent } from './otlp-client.ts'
import type { ExportResult, OtlpClient, OtlpClientOptions } from './otlp-client.ts'

const contentType = 'application/x-protobuf'
/** Receivers that have no time for it now. */
const retriable = new Set([429, 502, 503, 504])

export function createHttpClient(options: OtlpClientOptions, clock: Clock): OtlpClient {
  const { origin, path, headers, ca, compression } = options
  const client = new Client(origin, {
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: options.timeoutMs, ...(ca !== undefined && { ca }) },
  })
  return {
    async send(message, withinMs) {
      const timeoutMs = Math.min(options.timeoutMs, withinMs)
      const late = new AbortController()
      let cancel: CancelTimer | undefined
      try {
        const body = await encoded(message, compression)
        cancel = clock.setTimer(timeoutMs, () => late.abort(new Error(`no answer within ${timeoutMs} ms`)))
        const answer = await client.request({
          method: 'POST',
          path,
          headers: {
            'user-agent': userAgent,
            ...headers,
            'content-type': contentType,
            ...(compression === 'gzip' && { 'content-encoding': compression }),
          },
          body,
          signal: late.signal,
        })
        return resultOf(answer, await bodyOf(answer.body), clock)
      } catch (error) {
        return { kind: 'later', reason: messageOf(error) }
      } finally {
        cancel?.()
      }
    },
    [Symbol.asyncDispose]: () => client.destroy(),
  }
}

function resultOf({ statusCode, headers }: Dispatcher.ResponseData, body: Uint8Array, clock: Clock): ExportResult {
  if (statusCode >= 200 && statusCode < 300) {
    const partial = readPartialSuccess(body)
    return { kind: 'taken', ...(partial !== undefined && { partial }) }
  }
  const said = String(headers['content-type']).startsWith(contentType) ? readStatusMessage(body) : ''
  const reason = `answered ${statusCode}${said === '' ? '' : `: ${said}`}`
  if (!retriable.has(statusCode)) return { kind: 'refused', reason }
  const delayMs = retryAfterMs(headers['retry-after'], clock.now())
  return { kind: 'later', reason, ...(delayMs !== undefined && { delayMs }) }
}

/** Seconds or a date (RFC 9110 section 10.2.3). */
function retryAfterMs(value: string | string[] | undefined, nowMs: number): number | undefined {
  if (typeof value !== 'string') return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000
  const untilMs = Date.parse(value)
  return Number.isNaN(untilMs) ? undefined : Math.max(0, untilMs - nowMs)
}

async function bodyOf(body: Dispatcher.ResponseData['body']): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length
    // Leaving the loop ends the connection.
    if (bytes > answerBytesMax) return new Uint8Array()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
