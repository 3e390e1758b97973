// The HTTP front in a test: the kinds of test-server.ts behind a real socket, on a fake clock.
import { request as httpRequest } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { silentLogger } from '../../../base/log.ts'
import { seededRandom } from '../../../base/random.ts'
import { aServer } from '../test-server.ts'
import type { TestServer } from '../test-server.ts'
import { startApiServer } from './api-front.ts'
import type { ApiServerOptions } from './api-front.ts'

export interface Answer {
  code: number
  headers: IncomingHttpHeaders
  text: string
  /** The body, when it is JSON. */
  json: any
}

export interface Watching {
  code: number
  /** The next event of the stream; undefined when it has ended. */
  next(): Promise<{ type: string; object: any } | undefined>
  /** The client goes away. */
  abort(): void
}

export interface TestFront extends TestServer, AsyncDisposable {
  url: string
  /** A request with the right token. A body that is not a string or bytes is sent as JSON. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  watch(path: string, headers?: Record<string, string>): Promise<Watching>
}

export const token = 'open sesame'.replace(' ', '-')

export async function aFront(options: Partial<ApiServerOptions> = {}): Promise<TestFront> {
  const server = await aServer()
  const { operations, registry, clock } = server
  const front = await startApiServer({
    port: 0,
    operations,
    registry,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    token,
    version: '1.2.3',
    ...options,
  })
  const authorization = `Bearer ${token}`
  return {
    ...server,
    url: front.url,
    call: (method, path, body, headers) => call(front.url + path, method, body, { authorization, ...headers }),
    watch: (path, headers) => watch(front.url + path, { authorization, ...headers }),
    [Symbol.asyncDispose]: () => front[Symbol.asyncDispose](),
  }
}

function call(url: string, method: string, body: unknown, headers: Record<string, string>): Promise<Answer> {
  const given = body === undefined || typeof body === 'string' || Buffer.isBuffer(body)
  const bytes = Buffer.from(given ? ((body as string | undefined) ?? '') : JSON.stringify(body))
  const sent = { ...headers, ...(body !== undefined && { 'content-length': String(bytes.length) }) }
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers: withoutBlanks(sent), agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const json = text.startsWith('{') ? (JSON.parse(text) as unknown) : undefined
        resolve({ code: response.statusCode ?? 0, headers: response.headers, text, json })
      })
    })
    request.on('error', reject)
    request.end(bytes)
  })
}

/** An empty text stands for a header that is not sent. */
const withoutBlanks = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''))

function watch(url: string, headers: Record<string, string>): Promise<Watching> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { headers, agent: false }, (response) => {
      const lines = linesOf(response)
      resolve({
        code: response.statusCode ?? 0,
        async next() {
          const { done, value } = await lines.next()
          return done === true ? undefined : (JSON.parse(value) as { type: string; object: unknown })
        },
        abort: () => request.destroy(),
      })
    })
    request.on('error', reject)
    request.end()
  })
}

async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}
