// Speaks the HTTP API that Docker and Podman share.
import { Agent, request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { KnodeError, messageOf } from '../../../base/errors.ts'
import { addressText } from './engine-address.ts'
import type { EngineAddress } from './engine-address.ts'

/** Largest answer that is not streamed, in bytes. */
const answerBytesMax = 16_777_216

export interface EngineCall {
  query?: Record<string, string>
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** The engine answered with a status of 400 or above. */
export class EngineRefusal extends KnodeError {
  readonly status: number

  constructor(status: number, message: string) {
    super('WORKLOAD_FAILED', message, { retryable: status >= 500 })
    this.status = status
  }
}

export class EngineClient implements Disposable {
  readonly address: EngineAddress
  #agent = new Agent({ keepAlive: true, maxSockets: Infinity })

  constructor(address: EngineAddress) {
    this.address = address
  }

  /** The parsed answer, `undefined` when it is empty. @throws {EngineRefusal} {KnodeError} WORKLOAD_FAILED */
  async call<Answer = undefined>(method: string, path: string, options: EngineCall = {}): Promise<Answer> {
    const text = (await readAll(await this.stream(method, path, options))).toString()
    if (text.trim() === '') return undefined as Answer
    try {
      return JSON.parse(text) as Answer
    } catch {
      // `_ping` answers in plain text.
      return text as Answer
    }
  }

  /** The answer as it comes; the caller reads or destroys it. Errors as in {@link call}. */
  async stream(method: string, path: string, options: EngineCall = {}): Promise<IncomingMessage> {
    const response = await this.#send(method, path, options)
    const status = response.statusCode ?? 0
    if (status < 400) return response
    throw new EngineRefusal(status, refusalText(await readAll(response), status))
  }

  #send(method: string, path: string, options: EngineCall): Promise<IncomingMessage> {
    const { address } = this
    const { query, body, headers, signal } = options
    const search = query === undefined ? '' : `?${new URLSearchParams(query).toString()}`
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    return new Promise((resolve, reject) => {
      const outgoing = request({
        ...(address.kind === 'unix' ? { socketPath: address.path } : { host: address.host, port: address.port }),
        agent: this.#agent,
        method,
        path: path + search,
        headers: {
          host: 'engine',
          ...(payload && { 'content-type': 'application/json', 'content-length': payload.byteLength }),
          ...headers,
        },
        ...(signal && { signal }),
      })
      outgoing.once('response', (response) => {
        // One that breaks off tells its reader; without a reader the event would end the process.
        response.on('error', () => undefined)
        resolve(response)
      })
      // It may fail once more, as when it is given up while it fails: that is no news.
      outgoing.on('error', () => undefined)
      outgoing.once('error', (cause: NodeJS.ErrnoException) => {
        if (signal?.aborted === true) return reject(signal.reason as Error)
        // An engine that its socket starts ends when it is idle, and closes a kept connection just as it is used again.
        if (outgoing.reusedSocket && cause.code === 'ECONNRESET') return resolve(this.#send(method, path, options))
        const message = `the container engine at ${addressText(address)} does not answer: ${cause.message}`
        reject(new KnodeError('WORKLOAD_FAILED', message, { cause }))
      })
      outgoing.end(payload)
    })
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength
    if (bytes > answerBytesMax) throw new KnodeError('WORKLOAD_FAILED', 'the container engine’s answer is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function refusalText(body: Buffer, status: number): string {
  try {
    const { message } = JSON.parse(body.toString()) as { message?: unknown }
    if (typeof message === 'string' && message !== '') return message
  } catch (thrown) {
    return body.toString().trim() || messageOf(thrown)
  }
  return `the container engine answered ${status}`
}
