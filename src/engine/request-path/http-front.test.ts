import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { describe, it } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { settle } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/log.ts'
import { createMetrics } from '../../base/metrics.ts'
import type { AcceptResult, Endpoint } from '../reconciler.ts'
import { createCertificateTable } from './certificate-table.ts'
import { createEndpointTable } from './endpoint-table.ts'
import { startGateway } from './http-front.ts'
import { aGateway, brokerHost, event, send, sendRaw } from './test-gateway.ts'
import type { Sent, TestGateway } from './test-gateway.ts'

describe('the gateway’s limits', () => {
  const limits = { eventBytesMax: 1_000 }
  const big = 'x'.repeat(1_001)

  it('takes a body of exactly the limit', async () => {
    await using gateway = await aGateway({ limits })
    const answer = await send(gateway, { path: '/default/shop', headers: event, body: 'x'.repeat(1_000) })
    assert.equal(answer.status, 202)
  })

  it('answers 413 to a longer one by its announced length', async () => {
    await using gateway = await aGateway({ limits })
    const answer = await send(gateway, { path: '/default/shop', headers: event, body: big })
    assert.deepEqual([answer.status, answer.body], [413, 'the event is larger than 1000 bytes\n'])
  })

  it('goes on with the connection after a body that was too long', async () => {
    await using gateway = await aGateway({ limits })
    const tooLong = `POST /default/shop HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${big.length}\r\n\r\n${big}`
    const next = 'OPTIONS / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
    assert.match(await sendRaw(gateway, tooLong, next), /^HTTP\/1\.1 413 [^]*HTTP\/1\.1 200 /)
  })

  it('answers 413 to a longer one while it arrives in chunks', async () => {
    await using gateway = await aGateway({ limits })
    const headers = { ...event, 'transfer-encoding': 'chunked' }
    const answer = await send(gateway, { path: '/default/shop', headers, body: big })
    assert.equal(answer.status, 413)
    assert.equal(gateway.accepted.length, 0)
  })

  it('does not ask for a body that is too long', async () => {
    await using gateway = await aGateway({ limits })
    const head = `POST /default/shop HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n`
    const answer = await sendRaw(gateway, head.replace('Host: a', `Host: ${brokerHost}`))
    assert.match(answer, /^HTTP\/1\.1 413 /)
  })

  it('ends a connection whose unwanted body never ends', async () => {
    await using gateway = await aGateway({ limits: { ...limits, discardBytesMax: 50_000 } })
    const chunk = `${(10_000).toString(16)}\r\n${'x'.repeat(10_000)}\r\n`
    const head = 'POST /default/shop HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n'
    const answer = await sendRaw(gateway, head, ...Array<string>(8).fill(chunk)).catch(() => 'HTTP/1.1 413 reset')
    assert.match(answer, /^HTTP\/1\.1 413 /)
  })

  it('answers 408 to a body that does not arrive, and closes', async () => {
    await using gateway = await aGateway({ limits: { bodyMs: 50 } })
    const head = 'POST /default/shop HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf'
    const answer = await sendRaw(gateway, head)
    assert.match(answer, /^HTTP\/1\.1 408 /)
    assert.match(answer, /the body did not arrive within 50 ms/)
  })

  it('closes a connection whose unwanted body does not arrive', async () => {
    await using gateway = await aGateway({ limits: { bodyMs: 50 } })
    const answer = await sendRaw(
      gateway,
      'PUT /default/shop HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf',
    )
    assert.match(answer, /^HTTP\/1\.1 405 /)
  })

  it('answers 408 to a head that does not arrive, and closes', async () => {
    await using gateway = await aGateway({ limits: { headersMs: 50 } })
    assert.match(await sendRaw(gateway, 'POST /default/shop HTTP/1.1\r\nHost: loc'), /^HTTP\/1\.1 408 /)
  })

  it('closes at once what connects beyond the limit, and lives on', async () => {
    await using gateway = await aGateway({ limits: { connectionsMax: 1 } })
    const first = connect({ host: '127.0.0.1', port: gateway.port })
    await once(first, 'connect')
    assert.equal(await sendRaw(gateway, 'GET /').catch(() => ''), '')
    first.destroy()
    // As soon as the gateway has seen it go.
    let status: number | undefined
    while (status !== 202) {
      status = (await send(gateway, { path: '/default/shop', headers: event }).catch(() => undefined))?.status
    }
  })

  it('takes an event that sits in its headers nearly alone, and answers 431 when they are too long', async () => {
    await using gateway = await aGateway({ limits: { headerBytesMax: 200_000 } })
    const path = '/default/shop'
    const long = await send(gateway, { path, headers: { ...event, 'ce-long': 'x'.repeat(150_000) } })
    assert.equal(long.status, 202)
    const tooLong = await send(gateway, { path, headers: { ...event, 'ce-long': 'x'.repeat(250_000) } })
    assert.equal(tooLong.status, 431)
  })

  it('answers 431 to thousands of headers instead of dropping some in silence', async () => {
    await using gateway = await aGateway({ limits: { headersMax: 100 } })
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`x-${at}`, 'y']))
    const path = '/default/shop'
    assert.equal((await send(gateway, { path, headers: { ...many(90), ...event } })).status, 202)
    assert.equal((await send(gateway, { path, headers: { ...many(200), ...event } })).status, 431)
    assert.equal((await send(gateway, { path, headers: { ...many(94), ...event } })).status, 431)
  })

  it('survives bytes that are no HTTP', async () => {
    await using gateway = await aGateway()
    const garbage = [
      '\x00\x01\x02',
      'GET\r\n\r\n',
      'POST / HTTP/9.9\r\n\r\n',
      `${'A'.repeat(5_000)}\r\n`,
      '\x16\x03\x01',
    ]
    for (const bytes of garbage)
      assert.match(await sendRaw(gateway, `${bytes}\r\n\r\n`).catch(() => ''), /^$|^HTTP\/1\.1 4/)
    const twoHosts = 'POST /default/shop HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n'
    assert.match(await sendRaw(gateway, twoHosts), /^HTTP\/1\.1 400 [^]*more than one Host header/)
    assert.equal((await send(gateway, { path: '/default/shop', headers: event })).status, 202)
  })

  it('refuses hosts that are longer than any name: what is remembered of hosts has a limit', async () => {
    await using gateway = await aGateway()
    const ask = async (host: string): Promise<string> => {
      const inUrl = `POST http://${host}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`
      const inHeader = `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`
      return (await sendRaw(gateway, inUrl)) + (await sendRaw(gateway, inHeader))
    }
    const tooLong = await ask('a'.repeat(513))
    assert.equal(tooLong.match(/HTTP\/1\.1 400 [^]*?the host has more than 512 characters/g)?.length, 2)
    assert.equal((await ask('a'.repeat(512))).match(/HTTP\/1\.1 404 /g)?.length, 2)
  })

  it('forgets a client that leaves in the middle of its body', async () => {
    await using gateway = await aGateway()
    await new Promise<void>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: gateway.port }, () => {
        socket.write('POST /default/shop HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf', () =>
          socket.destroy(),
        )
      })
      socket.on('close', () => resolve())
    })
    assert.equal((await send(gateway, { path: '/default/shop', headers: event })).status, 202)
    assert.equal(gateway.accepted.length, 1)
  })
})

describe('the gateway’s probes', () => {
  const rows: [promise: string, sent: Sent, status: number, body: string][] = [
    ['kubelet’s probe is fine anywhere', { method: 'GET', headers: { 'user-agent': 'kube-probe/1.32' } }, 200, ''],
    [
      'a network probe echoes',
      { method: 'GET', headers: { 'k-network-probe': 'probe', 'k-network-hash': 'h' } },
      200,
      '',
    ],
    [
      'a network probe needs a hash',
      { method: 'GET', headers: { 'k-network-probe': 'probe' } },
      400,
      'a probe request must contain a non-empty "K-Network-Hash" header\n',
    ],
    [
      'a probe for somebody else never reaches what is behind',
      { method: 'GET', headers: { 'k-network-probe': 'queue' } },
      400,
      'unexpected probe header value: queue\n',
    ],
  ]
  for (const [promise, sent, status, body] of rows) {
    it(promise, async () => {
      await using gateway = await aGateway()
      const answer = await send(gateway, sent)
      assert.deepEqual([answer.status, answer.body], [status, body])
      if (sent.headers?.['k-network-hash'] !== undefined) assert.equal(answer.headers['k-network-hash'], 'h')
    })
  }
})

describe('the gateway in front of HTTP endpoints', () => {
  const echo: Endpoint = {
    kind: 'http',
    handle: (request, response) => response.end(`${request.method} ${request.headers.host} ${request.url}`),
    upgrade: (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
      socket.pipe(socket)
    },
  }
  const endpoints = { 'hello.default.svc.cluster.local': echo, 'broken.default.svc': { ...echo, handle: fail } }

  it('hands the request over by its host', async () => {
    await using gateway = await aGateway({ endpoints })
    const sent = { method: 'DELETE', host: 'hello.default.svc.cluster.local', path: '/x?y=1' }
    assert.equal((await send(gateway, sent)).body, 'DELETE hello.default.svc.cluster.local /x?y=1')
  })

  it('hands over a request that takes it for a proxy', async () => {
    await using gateway = await aGateway({ endpoints })
    const url = 'http://hello.default.svc.cluster.local/x'
    assert.match((await send(gateway, { method: 'GET', path: url })).body, /^GET 127\.0\.0\.1:\d+ http:.*\/x$/)
  })

  it('answers 404 to a host that nobody has', async () => {
    await using gateway = await aGateway({ endpoints })
    const answer = await send(gateway, { host: 'evil.example.com', path: '/default/shop', headers: event })
    assert.deepEqual([answer.status, answer.body], [404, 'nothing answers at host "evil.example.com"\n'])
  })

  it('answers 500 when the endpoint throws', async () => {
    await using gateway = await aGateway({ endpoints })
    assert.equal((await send(gateway, { method: 'GET', host: 'broken.default.svc' })).status, 500)
  })

  it('hands over a connection to be upgraded', async () => {
    await using gateway = await aGateway({ endpoints })
    const socket = await upgraded(gateway, 'hello.default.svc.cluster.local')
    socket.write('ping')
    assert.equal(await nextData(socket), 'ping')
    socket.destroy()
  })

  it('answers the usual way when a body comes with the offer to upgrade: it would be taken for the other protocol', async () => {
    await using gateway = await aGateway({ endpoints })
    const offer = { connection: 'Upgrade', upgrade: 'websocket' }
    const host = 'hello.default.svc.cluster.local'
    assert.equal(
      (await send(gateway, { host, headers: { ...offer, 'content-length': '4' }, body: 'body' })).status,
      200,
    )
    const chunked = { ...offer, 'transfer-encoding': 'chunked' }
    assert.equal((await send(gateway, { host, headers: chunked, body: 'body' })).status, 200)
  })

  it('answers the usual way where nothing can be upgraded, as to clients that offer h2c with each request', async () => {
    await using gateway = await aGateway({ endpoints })
    const offer = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': '' }
    assert.equal((await send(gateway, { path: '/default/shop', headers: { ...event, ...offer } })).status, 202)
    const sent = { method: 'GET', host: 'hello.default.svc.cluster.local', headers: offer }
    assert.equal((await send(gateway, sent)).status, 200)
  })
})

describe('closing the gateway', () => {
  it('finishes what it took, refuses what comes, and leaves nothing open', async () => {
    let finish = (): void => undefined
    let onTaken = (): void => undefined
    const taken = new Promise<void>((resolve) => (onTaken = resolve))
    const gateway = await aGateway({
      accept: () => {
        onTaken()
        return new Promise((resolve) => (finish = () => resolve({ status: 202 })))
      },
    })
    const sending = send(gateway, { path: '/default/shop', headers: event })
    await taken
    const closing = gateway[Symbol.asyncDispose]()
    await assert.rejects(send(gateway, { path: '/default/shop', headers: event }), { code: 'ECONNREFUSED' })
    finish()
    const answer = await sending
    assert.deepEqual([answer.status, answer.headers.connection], [202, 'close'])
    await closing
    await gateway[Symbol.asyncDispose]()
  })

  it('answers 503 to requests on connections that are still open', async () => {
    let finish = (): void => undefined
    const accept = (): Promise<AcceptResult> => new Promise((resolve) => (finish = () => resolve({ status: 202 })))
    const gateway = await aGateway({ accept })
    const socket = connect({ host: '127.0.0.1', port: gateway.port })
    const answers = new Promise<string>((resolve) => {
      let text = ''
      socket.on('data', (data: Buffer) => (text += String(data)))
      socket.on('close', () => resolve(text))
    })
    const attributes = Object.entries(event).map(([name, value]) => `${name}: ${value}\r\n`)
    const host = 'Host: localhost\r\nContent-Length: 0\r\n'
    socket.write(`POST /default/shop HTTP/1.1\r\n${host}${attributes.join('')}\r\n`)
    while (gateway.accepted.length === 0) await new Promise((resolve) => setImmediate(resolve))
    const closing = gateway[Symbol.asyncDispose]()
    await new Promise<void>((resolve) => {
      socket.write(`GET / HTTP/1.1\r\n${host}User-Agent: kube-probe/1\r\n\r\n`, () => resolve())
    })
    // Bytes that were written are read within a few turns of the loop; the first answer must still be under way then.
    await settle(10)
    finish()
    assert.match(await answers, /^HTTP\/1\.1 202 [^]*HTTP\/1\.1 503 [^]*shutting down\n$/)
    await closing
  })

  it('gives up on requests that take longer than the deadline', async () => {
    const gateway = await aGateway({ accept: () => new Promise(() => undefined), limits: { drainMs: 50 } })
    const sending = assert.rejects(send(gateway, { path: '/default/shop', headers: event }), { code: 'ECONNRESET' })
    while (gateway.accepted.length === 0) await new Promise((resolve) => setImmediate(resolve))
    await gateway[Symbol.asyncDispose]()
    await sending
  })

  it('ends upgraded connections', async () => {
    const endpoint: Endpoint = {
      kind: 'http',
      handle: (_request, response) => response.end(),
      upgrade: (_request, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
        socket.resume()
      },
    }
    const gateway = await aGateway({ endpoints: { 'hello.default.svc': endpoint } })
    const socket = await upgraded(gateway, 'hello.default.svc')
    socket.resume()
    const closed = new Promise((resolve) => socket.on('close', resolve))
    socket.on('error', () => undefined)
    await gateway[Symbol.asyncDispose]()
    await closed
  })
})

describe('starting the gateway', () => {
  it('says which address is taken', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    const tables = { endpoints: createEndpointTable(), certificates: createCertificateTable() }
    const options = { clock: systemClock, log: silentLogger, metrics: createMetrics() }
    const starting = startGateway({ host: '127.0.0.1', port, ...tables, ...options })
    await assert.rejects(starting, {
      code: 'ADDRESS_IN_USE',
      message: `the gateway’s address 127.0.0.1:${port} is in use`,
    })
    other.close()
  })
})

function fail(): never {
  throw new Error('bug')
}

function upgraded({ port }: TestGateway, host: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const headers = { host, connection: 'Upgrade', upgrade: 'websocket' }
    const request = httpRequest({ host: '127.0.0.1', port, headers, agent: false })
    request.on('upgrade', (_response, socket) => resolve(socket))
    request.on('response', (response) => reject(new Error(`answered ${response.statusCode}`)))
    request.on('error', reject)
    request.end()
  })
}

const nextData = (socket: Socket): Promise<string> =>
  new Promise((resolve) => socket.once('data', (data: Buffer) => resolve(String(data))))
