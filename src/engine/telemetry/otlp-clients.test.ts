// Both ways to a receiver, over real sockets: what is sent, and what is made of each answer.
import assert from 'node:assert/strict'
import { createServer as createHttpServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createSecureServer, createServer as createHttp2Server } from 'node:http2'
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { createCertificate } from '../../base/certificate.ts'
import { systemClock } from '../../base/clock.ts'
import type { Clock } from '../../base/clock.ts'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { eventually } from '../../base/eventually.ts'
import { WireWriter } from '../../model/protobuf/wire-writer.ts'
import type { ExportResult, OtlpClient, OtlpClientOptions } from './otlp-client.ts'
import { createGrpcClient } from './otlp-grpc.ts'
import { createHttpClient } from './otlp-http.ts'

const path = '/v1/traces'
const message = Buffer.from('a message')
const usual = { path, headers: {}, timeoutMs: 10_000, compression: 'none' } as const

async function listen(server: Server): Promise<AsyncDisposable & { port: number }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const partial = (rejected: number, text: string): Buffer => {
  const writer = new WireWriter()
  writer.message(1, () => {
    writer.varint(1, rejected)
    writer.string(2, text)
  })
  return Buffer.from(writer.bytes)
}

/** google.rpc.Status with a message, and a RetryInfo. */
const rpcStatus = (text: string, seconds?: number): Buffer => {
  const writer = new WireWriter()
  writer.varint(1, 14)
  writer.string(2, text)
  if (seconds !== undefined) {
    writer.message(3, () => {
      writer.string(1, 'type.googleapis.com/google.rpc.RetryInfo')
      writer.message(2, () => writer.message(1, () => writer.varint(1, seconds)))
    })
  }
  return Buffer.from(writer.bytes)
}

async function byHttp(
  answer: (response: ServerResponse, request: IncomingMessage) => void,
  clock: Clock = systemClock,
  use: (client: OtlpClient, port: number) => Promise<ExportResult> = (client) => client.send(message, 60_000),
  more: Partial<OtlpClientOptions> = {},
): Promise<{ result: ExportResult; request: IncomingMessage | undefined; body: string }> {
  let seen: IncomingMessage | undefined
  let body = ''
  const server = createHttpServer((request, response) => {
    seen = request
    request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')))
    request.on('end', () => answer(response, request))
  })
  await using listening = await listen(server)
  const origin = `http://127.0.0.1:${listening.port}`
  await using client = createHttpClient({ origin, ...usual, headers: { 'x-key': 'k' }, ...more }, clock)
  const result = await use(client, listening.port)
  await client[Symbol.asyncDispose]()
  return { result, request: seen, body }
}

test('HTTP: a message is posted whole, with its type and the headers that were asked for', async () => {
  const { result, request, body } = await byHttp((response) => void response.end())
  assert.deepEqual(result, { kind: 'taken' })
  assert.deepEqual([request?.method, request?.url, body], ['POST', path, 'a message'])
  const { 'content-type': type, 'x-key': key, 'content-length': length } = request!.headers
  assert.deepEqual([type, key, length], ['application/x-protobuf', 'k', '9'])
})

const protobuf = { 'content-type': 'application/x-protobuf' }
const httpAnswers: [what: string, status: number, headers: OutgoingHttpHeaders, body: Buffer, result: ExportResult][] =
  [
    [
      'a part that is not taken is told',
      200,
      protobuf,
      partial(3, 'too old'),
      { kind: 'taken', partial: { rejectedCount: 3, message: 'too old' } },
    ],
    ['an answer that is no message is one', 200, {}, Buffer.from('{}'), { kind: 'taken' }],
    ['429 waits as long as it is told', 429, { 'retry-after': '7' }, rpcStatus(''), later('answered 429', 7_000)],
    ['503 may come again', 503, protobuf, rpcStatus('full'), later('answered 503: full')],
    ['502 and 504, too', 504, {}, Buffer.of(), later('answered 504')],
    ['400 is final', 400, protobuf, rpcStatus('bad'), { kind: 'refused', reason: 'answered 400: bad' }],
    ['500 is final', 500, {}, Buffer.of(), { kind: 'refused', reason: 'answered 500' }],
    ['nobody is sent elsewhere', 307, { location: '/other' }, Buffer.of(), { kind: 'refused', reason: 'answered 307' }],
  ]
for (const [what, status, headers, body, expected] of httpAnswers) {
  test(`HTTP: ${what}`, async () => {
    const { result } = await byHttp((response) => void response.writeHead(status, headers).end(body))
    assert.deepEqual(result, expected)
  })
}

test('HTTP: with gzip the message is compressed, and says so', async () => {
  const { result, request, body } = await byHttp((response) => void response.end(), systemClock, undefined, {
    compression: 'gzip',
  })
  assert.deepEqual(result, { kind: 'taken' })
  assert.equal(request!.headers['content-encoding'], 'gzip')
  assert.equal(request!.headers['content-length'], String(body.length))
  assert.equal(gunzipSync(Buffer.from(body, 'latin1')).toString(), 'a message')
})

test('HTTP: a date says when to come again', async () => {
  const clock = new FakeClock()
  const date = new Date(clock.now() + 30_000).toUTCString()
  const { result } = await byHttp((response) => void response.writeHead(503, { 'retry-after': date }).end(), clock)
  assert.deepEqual(result, later('answered 503', 30_000))
})

test('HTTP: who does not answer in time is left alone', async () => {
  const clock = new FakeClock()
  let isAsked = false
  const { result } = await byHttp(
    () => (isAsked = true),
    clock,
    async (client) => {
      const sending = client.send(message, 60_000)
      await eventually(() => isAsked, 'the request')
      await clock.advance(10_000)
      return sending
    },
  )
  assert.deepEqual(result, later('no answer within 10000 ms'))
})

interface Called {
  headers: IncomingHttpHeaders
  body: Buffer
}

type Answer = (stream: ServerHttp2Stream) => void

async function byGrpc(
  answer: Answer,
  clock: Clock = systemClock,
  more: Partial<OtlpClientOptions> = {},
): Promise<{ result: ExportResult; calls: Called[] }> {
  const server = createHttp2Server()
  const calls = takeCalls(server, answer)
  await using listening = await listen(server)
  const origin = `http://127.0.0.1:${listening.port}`
  const client = createGrpcClient(
    { origin, ...usual, path: '/a.Service/Export', headers: { 'x-key': 'k' }, ...more },
    clock,
  )
  const result = await client.send(message, 60_000)
  await client[Symbol.asyncDispose]()
  return { result, calls }
}

function takeCalls(server: Server, answer: Answer): Called[] {
  const calls: Called[] = []
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const chunks: Buffer[] = []
    stream.on('error', () => undefined)
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      calls.push({ headers, body: Buffer.concat(chunks) })
      answer(stream)
    })
  })
  return calls
}

const grpcHead = { ':status': 200, 'content-type': 'application/grpc' }
/** An answer with a message, and its status in the trailers. */
const answered =
  (body: Buffer, trailers: OutgoingHttpHeaders): Answer =>
  (stream) => {
    stream.respond(grpcHead, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers(trailers))
    stream.end(Buffer.concat([Buffer.of(0, 0, 0, 0, body.length), body]))
  }
const onlyHead =
  (headers: OutgoingHttpHeaders): Answer =>
  (stream) =>
    stream.respond({ ...grpcHead, ...headers }, { endStream: true })

test('gRPC: a call is one message with its length before it', async () => {
  const { result, calls } = await byGrpc(answered(Buffer.of(), { 'grpc-status': '0' }))
  assert.deepEqual(result, { kind: 'taken' })
  const [{ headers, body }] = calls as [Called]
  const { ':method': method, ':path': called, te, 'content-type': type, 'x-key': key } = headers
  assert.deepEqual([method, called, te, type, key], ['POST', '/a.Service/Export', 'trailers', 'application/grpc', 'k'])
  assert.equal(body.toString('latin1'), '\0\0\0\0\x09a message')
})

test('gRPC: with gzip the message is compressed, and its answer may be', async () => {
  const answer: Answer = (stream) => {
    stream.respond({ ...grpcHead, 'grpc-encoding': 'gzip' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    const body = gzipSync(partial(3, 'too old'))
    stream.end(Buffer.concat([Buffer.of(1, 0, 0, 0, body.length), body]))
  }
  const { result, calls } = await byGrpc(answer, systemClock, { compression: 'gzip' })
  assert.deepEqual(result, { kind: 'taken', partial: { rejectedCount: 3, message: 'too old' } })
  const [{ headers, body }] = calls as [Called]
  assert.equal(headers['grpc-encoding'], 'gzip')
  assert.deepEqual([body[0], body.readUInt32BE(1)], [1, body.length - 5])
  assert.equal(gunzipSync(body.subarray(5)).toString(), 'a message')
})

test('gRPC: a compressed answer that cannot be read, or would be too long, is as good as none', async () => {
  const tooLong = gzipSync(partial(1, 'long'.repeat(100_000)))
  for (const body of [Buffer.from('no gzip'), tooLong]) {
    const answer: Answer = (stream) => {
      stream.respond(grpcHead, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      const prefix = Buffer.of(1, 0, 0, 0, 0)
      prefix.writeUInt32BE(body.length, 1)
      stream.end(Buffer.concat([prefix, body]))
    }
    assert.deepEqual((await byGrpc(answer)).result, { kind: 'taken' })
  }
})

const retryInfo = rpcStatus('', 4).toString('base64')
const grpcAnswers: [what: string, answer: Answer, result: ExportResult][] = [
  [
    'a part that is not taken is told',
    answered(partial(3, 'too old'), { 'grpc-status': '0' }),
    { kind: 'taken', partial: { rejectedCount: 3, message: 'too old' } },
  ],
  [
    'UNAVAILABLE may come again',
    onlyHead({ 'grpc-status': '14', 'grpc-message': '50%25 full' }),
    later('gRPC status 14: 50% full'),
  ],
  [
    'the receiver says when',
    onlyHead({ 'grpc-status': '14', 'grpc-status-details-bin': retryInfo }),
    later('gRPC status 14', 4_000),
  ],
  ['RESOURCE_EXHAUSTED is final', onlyHead({ 'grpc-status': '8' }), { kind: 'refused', reason: 'gRPC status 8' }],
  [
    'unless it says when to come again',
    onlyHead({ 'grpc-status': '8', 'grpc-status-details-bin': retryInfo }),
    later('gRPC status 8', 4_000),
  ],
  [
    'a status in the trailers counts',
    answered(Buffer.of(), { 'grpc-status': '3' }),
    { kind: 'refused', reason: 'gRPC status 3' },
  ],
  [
    'who does not speak gRPC is told apart',
    (stream) => stream.respond({ ':status': 404 }, { endStream: true }),
    { kind: 'refused', reason: 'answered 404 without a gRPC status' },
  ],
  [
    '503 of a proxy may come again',
    (stream) => stream.respond({ ':status': 503 }, { endStream: true }),
    later('answered 503 without a gRPC status'),
  ],
]
for (const [what, answer, expected] of grpcAnswers) {
  test(`gRPC: ${what}`, async () => assert.deepEqual((await byGrpc(answer)).result, expected))
}

test('gRPC: a stream that is reset, or never answered, may come again', async () => {
  const reset = await byGrpc((stream) => stream.close(2))
  assert.equal(reset.result.kind, 'later')
  const clock = new FakeClock()
  const silent = await byGrpc(() => void settle().then(() => clock.advance(10_000)), clock)
  assert.deepEqual(silent.result, later('no answer within 10000 ms'))
})

for (const protocol of ['grpc', 'http/protobuf'] as const) {
  test(`${protocol}: who fell silent is left, its connection too: the next message takes a new one`, async () => {
    const create = protocol === 'grpc' ? createGrpcClient : createHttpClient
    let closed = 0
    let opened = 0
    const server = createTcpServer((socket) => {
      opened++
      socket.on('error', () => undefined).on('close', () => closed++)
      socket.resume()
    })
    await using listening = await listen(server)
    const clock = new FakeClock()
    const origin = `http://127.0.0.1:${listening.port}`
    await using client = create({ origin, ...usual }, clock)
    for (const count of [1, 2]) {
      const sending = client.send(message, 60_000)
      await eventually(() => opened === count, 'a connection')
      await clock.advance(10_000)
      assert.deepEqual(await sending, later('no answer within 10000 ms'))
      await eventually(() => closed === count, 'its end')
    }
  })

  test(`${protocol}: what is left of the time may be shorter than the limit of one attempt`, async () => {
    const create = protocol === 'grpc' ? createGrpcClient : createHttpClient
    let opened = 0
    const server = createTcpServer((socket) => {
      opened++
      socket.on('error', () => undefined).resume()
    })
    await using listening = await listen(server)
    const clock = new FakeClock()
    await using client = create({ origin: `http://127.0.0.1:${listening.port}`, ...usual }, clock)
    const sending = client.send(message, 700)
    await eventually(() => opened === 1, 'a connection')
    await clock.advance(700)
    assert.deepEqual(await sending, later('no answer within 700 ms'))
    await client[Symbol.asyncDispose]()
  })

  test(`${protocol}: after the end nothing is sent any more`, async () => {
    const create = protocol === 'grpc' ? createGrpcClient : createHttpClient
    let opened = 0
    const server = createTcpServer((socket) => void socket.destroy(void opened++))
    await using listening = await listen(server)
    const origin = `http://127.0.0.1:${listening.port}`
    const client = create({ origin, ...usual }, systemClock)
    await client[Symbol.asyncDispose]()
    assert.equal((await client.send(message, 60_000)).kind, 'later')
    assert.equal(opened, 0)
  })
}

test('gRPC: the end also cuts a call whose receiver has said that it will go away', async () => {
  const server = createHttp2Server()
  takeCalls(server, (stream) => stream.session?.goaway())
  await using listening = await listen(server)
  const origin = `http://127.0.0.1:${listening.port}`
  const client = createGrpcClient({ origin, ...usual }, new FakeClock())
  const goneAway = new Promise<void>((resolve) => {
    server.on('session', (session) => session.socket.on('close', resolve))
  })
  const isCalled = new Promise((resolve) => server.on('stream', resolve))
  const sending = client.send(message, 60_000)
  await isCalled
  await settle()
  await client[Symbol.asyncDispose]()
  assert.equal((await sending).kind, 'later')
  await goneAway
})

for (const protocol of ['grpc', 'http/protobuf'] as const) {
  const create = protocol === 'grpc' ? createGrpcClient : createHttpClient

  test(`${protocol}: nobody there is told, and the next message finds who has come since`, async () => {
    const server: Server =
      protocol === 'grpc'
        ? createHttp2Server()
        : createHttpServer((request, response) => void request.resume().on('end', () => response.end()))
    if (protocol === 'grpc') takeCalls(server, answered(Buffer.of(), { 'grpc-status': '0' }))
    const listening = await listen(server)
    const { port } = listening
    await listening[Symbol.asyncDispose]()
    const client = create({ origin: `http://127.0.0.1:${port}`, ...usual }, systemClock)
    const first = await client.send(message, 60_000)
    assert.equal(first.kind, 'later')
    assert.match((first as { reason: string }).reason, /ECONNREFUSED/)
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    assert.deepEqual(await client.send(message, 60_000), { kind: 'taken' })
    await client[Symbol.asyncDispose]()
    await new Promise((resolve) => server.close(resolve))
  })
}

for (const protocol of ['grpc', 'http/protobuf'] as const) {
  test(`${protocol}: by https only a receiver is spoken to whose certificate is trusted`, async () => {
    const { cert, key } = createCertificate({ commonName: 'otel', hosts: ['127.0.0.1'], nowMs: systemClock.now() })
    const create = protocol === 'grpc' ? createGrpcClient : createHttpClient
    const server: Server =
      protocol === 'grpc'
        ? createSecureServer({ cert, key })
        : createHttpsServer({ cert, key }, (request, response) => void request.resume().on('end', () => response.end()))
    if (protocol === 'grpc') takeCalls(server, answered(Buffer.of(), { 'grpc-status': '0' }))
    await using listening = await listen(server)
    const options = { origin: `https://127.0.0.1:${listening.port}`, ...usual }
    await using stranger = create(options, systemClock)
    assert.match(JSON.stringify(await stranger.send(message, 60_000)), /certificate/)
    await using friend = create({ ...options, ca: cert }, systemClock)
    assert.equal((await friend.send(message, 60_000)).kind, 'taken')
  })
}

function later(reason: string, delayMs?: number): ExportResult {
  return { kind: 'later', reason, ...(delayMs !== undefined && { delayMs }) }
}
