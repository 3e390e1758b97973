// Connections: kept, bounded, replaced when stale, never leaked.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createTlsServer } from 'node:https'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createCertificate } from '../../base/certificate.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { createHttpClient } from './http-client.ts'
import type { HttpRequest } from './http-client.ts'
import { resolveLimits } from './limits.ts'
import type { DeliveryLimits } from './limits.ts'
import { startSubscriber } from './scripted-subscriber.ts'
import type { ScriptedAnswer } from './scripted-subscriber.ts'
import { eventually } from '../../base/eventually.ts'

function aClient(limits: Partial<DeliveryLimits> = {}) {
  const clock = new FakeClock()
  const client = createHttpClient({ clock, limits: resolveLimits(limits) })
  const post = (origin: string, more: Partial<HttpRequest> = {}) =>
    client.exchange({
      origin,
      pool: `${origin} ${more.CACerts ?? ''}`,
      path: '/',
      headers: { host: 'shop' },
      body: Buffer.from('x'),
      timeoutMs: 30_000,
      ...more,
    })
  return { clock, client, post }
}

test('requests in a row share a connection; no more than the bound are open, the rest wait', async () => {
  await using subscriber = await startSubscriber(() => ({ status: 200 }))
  const { client, post } = aClient({ socketsPerHostMax: 3 })
  await using _closing = client
  const results = await Promise.all(Array.from({ length: 50 }, () => post(subscriber.url)))
  assert.ok(results.every(({ kind }) => kind === 'answer'))
  assert.equal(new Set(subscriber.requests.map(({ connection }) => connection)).size, 3)
})

test('waiting for a free connection does not count as waiting for the answer', async () => {
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  await using subscriber = await startSubscriber(async () => (await released, { status: 200 }))
  const { client, clock, post } = aClient({ socketsPerHostMax: 1 })
  await using _closing = client
  const first = post(subscriber.url, { timeoutMs: 60_000 })
  const second = post(subscriber.url, { timeoutMs: 1_000 })
  await eventually(() => subscriber.requests.length === 1, 'the first request')
  await clock.advance(50_000)
  release()
  assert.deepEqual([(await first).kind, (await second).kind], ['answer', 'answer'])
})

test('a request that meets a connection being closed is sent again on a fresh one', async (t) => {
  // Answers the first request, and closes the connection as soon as it is used again.
  const server = createServer((socket) => {
    let requests = 0
    socket.on('error', () => socket.destroy())
    socket.on('data', () =>
      ++requests === 1 ? socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n') : socket.destroy(),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { client, post } = aClient()
  await using _closing = client
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (let count = 0; count < 5; count++) assert.equal((await post(url)).kind, 'answer')
})

test('a connection whose other side answered and reads no more of the request is not used again', async (t) => {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => socket.destroy()))
    socket.once('data', () => {
      socket.pause()
      socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { client, post } = aClient()
  await using _closing = client
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (let count = 0; count < 3; count++) {
    const answer = await post(url, { body: Buffer.alloc(20_000_000) })
    assert.equal(answer.kind === 'answer' && answer.status, 413)
  }
  assert.equal(sockets.size, 3)
})

test('a request on a fresh connection that is closed is not sent twice', async () => {
  await using subscriber = await startSubscriber(() => ({ bytes: '', after: 'close' }))
  const { client, post } = aClient()
  await using _closing = client
  assert.deepEqual(await post(subscriber.url), { kind: 'no-answer', reason: 'other side closed', errorType: 'closed' })
  assert.equal(subscriber.requests.length, 1)
})

test('a redirect is an answer like any other', async () => {
  await using subscriber = await startSubscriber(() => ({ status: 307, headers: { location: '/elsewhere' } }))
  const { client, post } = aClient()
  await using _closing = client
  const result = await post(subscriber.url)
  assert.equal(result.kind === 'answer' && result.status, 307)
  assert.equal(subscriber.requests.length, 1)
})

test('an informational answer is waited past', async () => {
  const bytes = 'HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 204 No\r\n\r\n'
  await using subscriber = await startSubscriber(() => ({ bytes, after: 'next' }))
  const { client, post } = aClient()
  await using _closing = client
  const result = await post(subscriber.url)
  assert.equal(result.kind === 'answer' && result.status, 204)
})

test('a kept connection that falls silent is cut after the timeout', async () => {
  await using subscriber = await startSubscriber((_request, count) =>
    count === 1 ? { status: 200 } : { bytes: '', after: 'silence' },
  )
  const { client, clock, post } = aClient()
  await using _closing = client
  await post(subscriber.url)
  const second = post(subscriber.url)
  await eventually(() => subscriber.requests.length === 2, 'the second request')
  await clock.advance(30_000)
  assert.deepEqual(await second, {
    kind: 'no-answer',
    reason: 'no complete answer within 30000 ms',
    errorType: 'timeout',
  })
  await eventually(() => subscriber.connections === 0, 'the connection to be cut')
})

test('a request that waits for a connection is cut at once, and those behind it wait for theirs', async () => {
  const gate = Promise.withResolvers<void>()
  await using subscriber = await startSubscriber(async () => (await gate.promise, { status: 200 }))
  const { client, post } = aClient({ socketsPerHostMax: 1 })
  await using _closing = client
  const [stop, other] = [new AbortController(), new AbortController()]
  const first = post(subscriber.url)
  await eventually(() => subscriber.requests.length === 1, 'the first request')
  const cut = [post(subscriber.url, { signal: stop.signal }), post(subscriber.url, { signal: stop.signal })]
  const last = post(subscriber.url, { signal: other.signal })
  stop.abort()
  cut.push(post(subscriber.url, { signal: stop.signal }))
  for (const result of await Promise.all(cut)) {
    assert.deepEqual(result, { kind: 'no-answer', reason: 'aborted', errorType: 'aborted' })
  }
  assert.equal(subscriber.requests.length, 1)
  gate.resolve()
  assert.deepEqual([(await first).kind, (await last).kind], ['answer', 'answer'])
  assert.equal(subscriber.requests.length, 2)
})

test('a connection that does not open in time is given up: a TLS handshake that is never answered holds no socket', async (t) => {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket)))
    socket.resume()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { client, clock, post } = aClient()
  await using _closing = client
  const asked = post(`https://127.0.0.1:${(server.address() as AddressInfo).port}`, { timeoutMs: 1_000 })
  await eventually(() => sockets.size === 1, 'the connection')
  await clock.advance(1_000)
  const late = { kind: 'no-answer', reason: 'no complete answer within 1000 ms', errorType: 'timeout' }
  assert.deepEqual(await asked, late)
  await eventually(() => sockets.size === 0, 'the connection to be cut')
})

test('an aborted signal cuts the request, also before it began', async () => {
  await using subscriber = await startSubscriber(() => ({ bytes: '', after: 'silence' }))
  const { client, post } = aClient()
  await using _closing = client
  const stop = new AbortController()
  const cut = post(subscriber.url, { signal: stop.signal })
  await eventually(() => subscriber.requests.length === 1, 'the request')
  stop.abort()
  assert.deepEqual(await cut, { kind: 'no-answer', reason: 'aborted', errorType: 'aborted' })
  assert.deepEqual(await post(subscriber.url, { signal: stop.signal }), {
    kind: 'no-answer',
    reason: 'aborted',
    errorType: 'aborted',
  })
  await eventually(() => subscriber.connections === 0, 'the connections to be cut')
  assert.equal(subscriber.requests.length, 1)
})

test('a header that HTTP cannot carry fails the request, not the process', async () => {
  const { client, post } = aClient()
  await using _closing = client
  const result = await post('http://127.0.0.1:1', { headers: { host: 'shop', 'x-request-id': 'a\r\nb' } })
  assert.equal(result.kind, 'no-answer')
})

test('a certificate that is not trusted is refused; the right authority makes it trusted', async (t) => {
  const { key, cert } = createCertificate({ commonName: 'shop', hosts: ['localhost'], nowMs: Date.now() })
  const server = createTlsServer({ key, cert }, (_request, response) => void response.end('ok'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`
  const { client, post } = aClient()
  await using _closing = client
  const headers = { host: 'localhost' }
  assert.match(JSON.stringify(await post(origin, { headers })), /self-signed certificate/)
  assert.equal((await post(origin, { headers, CACerts: cert })).kind, 'answer')
})

test('10,000 bad answers leave neither connections nor memory behind', async () => {
  const bodyOf3000 = `HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n${'x'.repeat(3_000)}`
  const whole = 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nall of it'
  const answers: ScriptedAnswer[] = [
    { bytes: 'garbage\r\n\r\n', after: 'silence' },
    { bytes: 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nmore than announced', after: 'silence' },
    { bytes: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n', after: 'silence' },
    { status: 500, body: 'x'.repeat(3_000) },
    { bytes: bodyOf3000, after: 'silence' },
    { bytes: `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(5_000)}`, after: 'silence' },
    ...Array.from(whole, (_, at): ScriptedAnswer => ({ bytes: whole.slice(0, at), after: 'close' })),
  ]
  const silent: ScriptedAnswer[] = [
    { bytes: '', after: 'silence' },
    { bytes: whole.slice(0, -1), after: 'silence' },
  ]
  const atOnce = 20
  let [answered, hung] = [0, 0]
  await using subscriber = await startSubscriber(({ line }) => {
    subscriber.requests.length = 0
    const which = silent[Number(line.split('/')[1])]
    if (which === undefined) return answers[answered++ % answers.length]!
    hung++
    return which
  })
  const limits = { answerBytesMax: 2_000, answerHeaderBytesMax: 4_000, socketsPerHostMax: atOnce }
  const { client, clock, post } = aClient(limits)
  await using _closing = client
  const ask = async (rounds: number): Promise<void> => {
    for (let round = 0; round < rounds; round++) {
      hung = 0
      let settled = 0
      const asking = Array.from({ length: atOnce }, async (_, at) => {
        await post(subscriber.url, { path: `/${at}` })
        settled++
      })
      const isStuck = (): boolean => settled === atOnce - silent.length && hung >= silent.length
      await eventually(isStuck, 'all but the silent ones to be settled')
      await clock.advance(30_000)
      await Promise.all(asking)
    }
  }
  await ask(100)
  const before = heapBytes()
  await ask(400)
  assert.equal(clock.pendingTimers, 0)
  await eventually(() => subscriber.connections <= atOnce, 'the connections to be closed')
  assert.ok(heapBytes() - before < 3_000_000, `${heapBytes() - before} bytes more`)
})

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}
