// Requests of a function's process: probes, events and plain HTTP, each answered with what the handler returns.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { messageOf } from '../../../../base/errors.ts'
import { contentModeOf, readEvent } from '../../../../model/cloudevents/http-binding.ts'
import { createContext } from './function-context.ts'
import { toFunctionEvent } from './function-event.ts'
import type { FunctionLog } from './function-log.ts'
import { failureReply, replyOf } from './function-reply.ts'
import type { FunctionReply } from './function-reply.ts'
import type { HealthCheck, UserFunction } from './load-function.ts'

/** Largest body of a request, in bytes. Source: faas-js-runtime, BODY_LIMIT is 1 MiB; events of Knative may be larger. */
const bodyBytesMax = 16_777_216
const allowedMethods = 'OPTIONS, GET, DELETE, POST, PUT, HEAD, PATCH'

export function functionListener(userFunction: UserFunction, log: FunctionLog): RequestListener {
  const { env } = process
  const probes: [path: string, check: HealthCheck | undefined][] = [
    [userFunction.readiness?.path ?? env['READINESS_URL'] ?? '/health/readiness', userFunction.readiness],
    [userFunction.liveness?.path ?? env['LIVENESS_URL'] ?? '/health/liveness', userFunction.liveness],
  ]
  return (request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0]
    const probe = request.method === 'GET' ? probes.find(([probePath]) => probePath === path) : undefined
    if (probe !== undefined) return void answerProbe(probe[1], request, response)
    const cors = corsHeaders(userFunction, request)
    if (request.method === 'OPTIONS') {
      return send(response, { status: 204, headers: { ...cors, 'access-control-allow-headers': '*' }, body: '' })
    }
    readBody(request, response, (body) => {
      void answer(userFunction, request, body, log).then(({ status, headers, body }) =>
        send(response, { status, headers: { ...cors, ...headers }, body }),
      )
    })
  }
}

async function answerProbe(check: HealthCheck | undefined, request: IncomingMessage, response: ServerResponse) {
  try {
    const body = check === undefined ? 'OK' : await check(request, response)
    if (!response.headersSent) send(response, replyOf(body ?? 'OK'))
  } catch (thrown) {
    send(response, { status: 503, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: messageOf(thrown) })
  }
}

async function answer(
  { handle }: UserFunction,
  request: IncomingMessage,
  body: Buffer,
  log: FunctionLog,
): Promise<FunctionReply> {
  let context: ReturnType<typeof createContext>
  try {
    context = createContext(request, body, log)
    if (contentModeOf(request.rawHeaders) !== 'none') {
      context.cloudevent = toFunctionEvent(readEvent(request.rawHeaders, body).event)
    }
  } catch (thrown) {
    return { ...failureReply(thrown), status: 400 }
  }
  try {
    return replyOf(await handle(context, context.cloudevent ?? context.body))
  } catch (thrown) {
    log.error(`Error processing user function: "${String(thrown)}"`)
    return failureReply(thrown)
  }
}

function corsHeaders({ cors }: UserFunction, { headers }: IncomingMessage): Record<string, string> {
  if (cors === undefined) {
    return { 'access-control-allow-methods': allowedMethods, 'access-control-allow-origin': '*' }
  }
  const origin = headers.origin
  const isAllowed = origin !== undefined && cors().includes(origin)
  return { 'access-control-allow-methods': allowedMethods, ...(isAllowed && { 'access-control-allow-origin': origin }) }
}

function send(response: ServerResponse, { status, headers, body }: FunctionReply): void {
  try {
    response.writeHead(status, headers).end(body)
  } catch (thrown) {
    // A status or header that cannot be sent: the handler's mistake, told to the caller.
    const { status: failed, headers: plain, body: why } = failureReply(new Error(messageOf(thrown)))
    response.writeHead(failed, plain).end(why)
  }
}

function readBody(request: IncomingMessage, response: ServerResponse, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= bodyBytesMax) return void chunks.push(chunk)
    request.removeAllListeners('end')
    if (!response.headersSent) response.writeHead(413).end(() => request.destroy())
  })
  request.on('end', () => done(Buffer.concat(chunks)))
}
