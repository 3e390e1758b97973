import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createServer, request as httpRequest } from 'node:http'
import type { IncomingMessage, RequestListener } from 'node:http'
import { describe, it } from 'node:test'
import { settle } from '../../base/fake-clock.ts'
import { systemClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { closedPort, openDoor, read, until } from '../../../test/harness/revision-door.ts'
import type { DoorSetup } from '../../../test/harness/revision-door.ts'
import { createCertificateTable } from './certificate-table.ts'
import { ConnectionDoor } from './connection-door.ts'
import { aGateway, channelHost, event } from './test-gateway.ts'
import type { TestGateway } from './test-gateway.ts'
import { connectH2c, frame, FrameReader, grpcEcho, readH2c, startH2cProgram } from './test-http2.ts'
import type { H2cClient } from './test-http2.ts'

const limit = { timeout: 20_000 }
const grpc = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' }

interface Setup extends AsyncDisposable {
  test: DoorSetup
  gateway: TestGateway
  client: H2cClient
}

/** A gateway with a Revision's door at every host of `example.com`, and a client that speaks HTTP/2. */
async function setUp(settings: Parameters<typeof openDoor>[0] = {}): Promise<Setup> {
  const test = await openDoor(settings)
  const gateway = await aGateway({ endpoints: { 'echo.default.example.com': test.door } })
  const client = connectH2c(gateway.port)
  return {
    test,
    gateway,
    client,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]()
      await gateway[Symbol.asyncDispose]()
      await test[Symbol.asyncDispose]()
    },
  }
}

describe('the gateway’s port', limit, () => {
  it('takes HTTP/2 and HTTP/1.1, however small the pieces in which a connection begins', async () => {
    await using gateway = await aGateway()
    const bytes = async (text: string): Promise<string> => {
      const socket = connect({ host: '127.0.0.1', port: gateway.port, noDelay: true })
      let answer = ''
      socket.on('data', (data: Buffer) => (answer += data.toString('latin1')))
      for (const byte of text) {
        socket.write(byte, 'latin1')
        await settle(2)
      }
      await until(() => answer.length >= 9)
      socket.destroy()
      return answer
    }
    assert.match(await bytes('PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n'), /^HTTP\/1\.1 404 /)
    // A SETTINGS frame: length, then type 4, no flags, stream 0.
    const answer = await bytes('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0')
    assert.equal(answer.slice(3, 9), '\x04\0\0\0\0\0')
    assert.match(await bytes('PRI * HTTP/1.1\r\n\r\nSM\r\n\r\n'), /^HTTP\/1\.1 400 /)
  })

  it('closes connections that never say what they speak', async () => {
    await using gateway = await aGateway({ limits: { headersMs: 50 } })
    const socket = connect({ host: '127.0.0.1', port: gateway.port }).resume()
    socket.write('PRI * HT')
    await once(socket, 'close')
  })

  it('forgets a client that goes away without a word', async () => {
    await using gateway = await aGateway()
    const open = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
    const before = open()
    for (const end of ['destroy', 'resetAndDestroy'] as const) {
      const socket = connect({ host: '127.0.0.1', port: gateway.port })
      socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1')
      await once(socket, 'data')
      socket[end]()
    }
    await until(() => open() <= before)
  })

  it('takes events by HTTP/2, and answers as it does by HTTP/1.1', async () => {
    await using gateway = await aGateway()
    using client = connectH2c(gateway.port)
    const headers = { ':method': 'POST', ':authority': channelHost, 'content-type': 'application/json', ...event }
    const stream = client.request(headers)
    stream.end('{"thirsty":true}')
    const answer = await readH2c(stream)
    assert.deepEqual([answer.status, answer.headers.allow], [202, 'POST, OPTIONS'])
    assert.equal(gateway.accepted.length, 1)
    const malformed = client.request({ ...headers, 'ce-specversion': '0.1' })
    malformed.end()
    assert.equal((await readH2c(malformed)).status, 400)
    const lost = await readH2c(client.request({ ':authority': 'nobody.example.com' }))
    assert.deepEqual([lost.status, lost.body.toString()], [404, 'nothing answers at host "nobody.example.com"\n'])
    const probe = client.request({ 'k-network-probe': 'probe', 'k-network-hash': 'h' })
    assert.equal((await readH2c(probe)).headers['k-network-hash'], 'h')
  })

  it('refuses what has too many headers', async () => {
    await using gateway = await aGateway({ limits: { headersMax: 20 } })
    using client = connectH2c(gateway.port)
    const headers = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`x-${at}`, 'a']))
    assert.equal((await readH2c(client.request(headers))).status, 431)
  })

  it('finishes HTTP/2 requests when it closes, and takes no new connection', async () => {
    await using set = await setUp()
    let answer = (): void => undefined
    await set.test.addPod({ handle: (_request, response) => void (answer = () => response.end('done')) })
    const stream = set.client.request({})
    await until(() => set.test.pods.select('default', set.test.door.spec.selector)[0]!.inFlight === 1)
    await settle(20)
    const closing = set.gateway[Symbol.asyncDispose]()
    await once(set.client.session, 'goaway')
    answer()
    assert.equal((await readH2c(stream)).body.toString(), 'done')
    await closing
  })
})

describe('HTTP/2 from client to program', limit, () => {
  it('a unary gRPC call: messages, headers and trailers', async () => {
    await using program = await startH2cProgram(grpcEcho)
    await using set = await setUp({ protocol: 'h2c' })
    await set.test.addPod({ port: program.port })
    const stream = set.client.request(grpc)
    stream.end(frame('hello'))
    const { status, headers, trailers, body } = await readH2c(stream)
    assert.deepEqual([status, headers['content-type'], headers['x-te']], [200, 'application/grpc', 'trailers'])
    assert.deepEqual(new FrameReader().read(body), ['HELLO'])
    assert.deepEqual([trailers['grpc-status'], trailers['grpc-message']], ['0', 'fine'])
  })

  it('a gRPC error that is all head', async () => {
    await using program = await startH2cProgram(grpcEcho)
    await using set = await setUp({ protocol: 'h2c' })
    await set.test.addPod({ port: program.port })
    const stream = set.client.request({ ...grpc, ':path': '/fail' })
    stream.end(frame('hello'))
    const { headers, isHeadOnly } = await readH2c(stream)
    assert.deepEqual([headers['grpc-status'], headers['grpc-message'], isHeadOnly], ['5', 'no such thing', true])
  })

  it('a gRPC stream, message by message both ways, waiting for its Pod at first', async () => {
    await using program = await startH2cProgram(grpcEcho)
    await using set = await setUp({ protocol: 'h2c' })
    const stream = set.client.request(grpc)
    const answered = readH2c(stream)
    await until(() => set.test.door.inFlight === 1)
    await set.test.addPod({ port: program.port })
    const reader = new FrameReader()
    const seen: string[] = []
    stream.on('data', (piece: Buffer) => seen.push(...reader.read(piece)))
    for (const message of ['one', 'two', 'three']) {
      stream.write(frame(message))
      await until(() => seen.includes(message.toUpperCase()))
    }
    stream.end()
    assert.equal((await answered).trailers['grpc-status'], '0')
    assert.equal(set.test.door.inFlight, 0)
  })

  it('trailers of the request', async () => {
    let seen: unknown
    await using program = await startH2cProgram((stream) => {
      stream.on('trailers', (trailers) => (seen = trailers['x-sum']))
      stream.resume().on('end', () => stream.respond({ ':status': 204 }, { endStream: true }))
    })
    await using set = await setUp({ protocol: 'h2c' })
    await set.test.addPod({ port: program.port })
    const stream = set.client.session.request(
      { ':authority': 'echo.default.example.com', ':method': 'POST' },
      { waitForTrailers: true },
    )
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '4' }))
    stream.end('body')
    assert.equal((await readH2c(stream)).status, 204)
    assert.equal(seen, '4')
  })

  it('each request to the less busy Pod, over few connections', async () => {
    await using first = await startH2cProgram(grpcEcho)
    await using second = await startH2cProgram(grpcEcho)
    await using set = await setUp({ protocol: 'h2c', containerConcurrency: 2 })
    await set.test.addPod({ port: first.port })
    await set.test.addPod({ port: second.port })
    const streams = Array.from({ length: 4 }, () => set.client.request(grpc))
    const pods = set.test.pods.select('default', set.test.door.spec.selector)
    await until(() => pods.every(({ inFlight }) => inFlight === 2))
    await until(() => first.sessions() === 1 && second.sessions() === 1)
    for (const stream of streams) stream.end()
    for (const answer of await Promise.all(streams.map(readH2c))) assert.equal(answer.trailers['grpc-status'], '0')
  })

  it('more connections when a program takes few requests on one', async () => {
    await using program = await startH2cProgram(grpcEcho, { maxConcurrentStreams: 2 })
    await using set = await setUp({ protocol: 'h2c' })
    await set.test.addPod({ port: program.port })
    const warm = set.client.request(grpc)
    warm.end()
    await readH2c(warm)
    const streams = Array.from({ length: 5 }, () => set.client.request(grpc))
    const heads = streams.map((stream) => once(stream, 'response'))
    await Promise.all(heads)
    assert.equal(program.sessions(), 3)
    for (const stream of streams) stream.resume().end()
    await Promise.all(streams.map((stream) => once(stream, 'close')))
  })

  it('another Pod when one refuses the connection', async () => {
    await using program = await startH2cProgram(grpcEcho)
    await using set = await setUp({ protocol: 'h2c', containerConcurrency: 1 })
    await set.test.addPod({ name: 'a', port: await closedPort() })
    await set.test.addPod({ name: 'b', port: program.port })
    const stream = set.client.request(grpc)
    stream.end(frame('hello'))
    assert.deepEqual(new FrameReader().read((await readH2c(stream)).body), ['HELLO'])
  })

  it('a new connection when the program has ended one', async () => {
    let asked = 0
    await using program = await startH2cProgram((stream) => {
      stream.respond({ ':status': 200 })
      stream.end(String(++asked))
      if (asked === 1) stream.session!.close()
    })
    await using set = await setUp({ protocol: 'h2c' })
    await set.test.addPod({ port: program.port })
    for (const expected of ['1', '2']) {
      assert.equal((await readH2c(set.client.request({}))).body.toString(), expected)
      await settle(10)
    }
  })

  it('a request again that the program says it has not looked at', async () => {
    let asked = 0
    await using program = await startH2cProgram((stream) => {
      if (++asked === 1) stream.close(7)
      else stream.respond({ ':status': 204 }, { endStream: true })
    })
    await using set = await setUp({ protocol: 'h2c' })
    await set.test.addPod({ port: program.port })
    const answer = readH2c(set.client.request({}))
    await until(() => asked === 1)
    await settle(20)
    await set.test.clock.advance(1_000)
    assert.deepEqual([(await answer).status, asked], [204, 2])
  })

  it('the going away of either side', async () => {
    const aborted: number[] = []
    let reset = (): void => undefined
    await using program = await startH2cProgram((stream) => {
      stream.respond({ ':status': 200 })
      stream.write('begun')
      stream.on('close', () => aborted.push(stream.rstCode ?? 0))
      reset = () => stream.destroy(new Error('broken'))
    })
    await using set = await setUp({ protocol: 'h2c', containerConcurrency: 1 })
    await set.test.addPod({ port: program.port })
    const leaving = set.client.request({})
    await once(leaving, 'data')
    leaving.close(8)
    await until(() => aborted.length === 1)
    assert.equal(aborted[0], 8)
    await until(() => set.test.door.inFlight === 0)
    const cut = set.client.request({})
    const answer = readH2c(cut)
    await once(cut, 'data')
    reset()
    await assert.rejects(answer, /reset with code 2/)
    assert.equal(set.test.door.inFlight, 0)
  })

  it('a request timeout: 504 before the answer, cut within it', async () => {
    await using program = await startH2cProgram((stream, headers) => {
      if (headers[':path'] !== '/begin') return
      stream.respond({ ':status': 200 })
      stream.write('begun ')
    })
    await using set = await setUp({ protocol: 'h2c', timeouts: { totalMs: 10_000 } })
    await set.test.addPod({ port: program.port })
    const silent = readH2c(set.client.request({}))
    const begun = set.client.request({ ':path': '/begin' })
    const answer = readH2c(begun)
    await once(begun, 'data')
    await set.test.clock.advance(10_000)
    const { status, body } = await silent
    assert.deepEqual([status, body.toString()], [504, 'request timeout'])
    assert.equal((await answer).body.toString(), 'begun request timeout')
  })
})

describe('between HTTP/2 and HTTP/1.1', limit, () => {
  it('an HTTP/2 client reaches a program that speaks HTTP/1.1', async () => {
    await using set = await setUp()
    const seen: unknown[] = []
    const handle: RequestListener = (request, response) => {
      const { method, url, headers } = request
      seen.push(method, url, headers.host, headers['x-mine'], headers['transfer-encoding'])
      response.writeHead(201, { 'set-cookie': ['a=1', 'b=2'], trailer: 'x-sum', connection: 'close' })
      request.on('data', (chunk: Buffer) => response.write(chunk))
      request.on('end', () => {
        response.addTrailers({ 'x-sum': '4' })
        response.end()
      })
    }
    await set.test.addPod({ handle })
    const stream = set.client.request({ ':method': 'PUT', ':path': '/a?b=c', 'x-mine': 'a' })
    stream.write('bo')
    stream.end('dy')
    const { status, headers, trailers, body } = await readH2c(stream)
    assert.deepEqual(seen, ['PUT', '/a?b=c', 'echo.default.example.com', 'a', 'chunked'])
    assert.deepEqual(
      [status, headers['set-cookie'], body.toString(), trailers['x-sum']],
      [201, ['a=1', 'b=2'], 'body', '4'],
    )
  })

  it('an HTTP/1.1 client reaches a program that speaks HTTP/2', async () => {
    await using program = await startH2cProgram((stream, headers) => {
      stream.respond(
        { ':status': 200, 'x-seen': `${headers[':method']} ${headers[':path']} ${headers[':authority']}` },
        {
          waitForTrailers: true,
        },
      )
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '4' }))
      stream.pipe(stream)
    })
    await using test = await openDoor({ protocol: 'h2c' })
    await test.addPod({ port: program.port })
    const big = 'x'.repeat(300_000)
    for (const body of ['', 'small', big]) {
      const answer = await test.send({ method: 'POST', path: '/a?b', headers: { host: 'echo.default' }, body })
      assert.deepEqual([answer.headers['x-seen'], answer.body.length], ['POST /a?b echo.default', body.length])
      if (body !== '') assert.equal(answer.trailers['x-sum'], '4')
    }
  })

  it('an early answer ends an upload by HTTP/2', async () => {
    await using set = await setUp()
    await set.test.addPod({ handle: (_request, response) => void response.writeHead(413).end('too much') })
    const stream = set.client.request({ ':method': 'POST' })
    stream.write(Buffer.alloc(500_000))
    const { status, body } = await readH2c(stream)
    assert.deepEqual([status, body.toString()], [413, 'too much'])
    assert.equal(set.test.door.inFlight, 0)
  })

  it('cookies that came apart reach a program together', async () => {
    await using set = await setUp()
    await set.test.addPod({ handle: (request, response) => void response.end(request.headers.cookie) })
    const stream = set.client.session.request([
      ':authority',
      'echo.default.example.com',
      'cookie',
      'a=1',
      'cookie',
      'b=2',
    ])
    assert.equal((await readH2c(stream)).body.toString(), 'a=1; b=2')
  })

  it('an answer that HTTP/2 cannot carry is answered 502', async () => {
    await using set = await setUp()
    const bytes = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nAge: 1\r\nAge: 2\r\n\r\n'
    await set.test.addPod({ handle: (request) => void request.socket.write(`${bytes}ok`) })
    const { status, headers, body } = await readH2c(set.client.request({}))
    assert.deepEqual([status, headers.age], [502, undefined])
    assert.match(body.toString(), /^the program’s answer cannot be passed on: /)
    assert.equal(set.test.door.inFlight, 0)
  })

  it('the bytes of headers stay as they are, both ways', async () => {
    const name = Buffer.from('渴', 'utf8').toString('latin1')
    await using set = await setUp()
    await set.test.addPod({
      handle: (request, response) => void response.setHeader('x-name', request.headers['x-name']!).end(),
    })
    assert.equal((await readH2c(set.client.request({ 'x-name': name }))).headers['x-name'], name)
    await using program = await startH2cProgram((stream, headers) => {
      stream.respond({ ':status': 204, 'x-name': headers['x-name'] }, { endStream: true })
    })
    await using test = await openDoor({ protocol: 'h2c' })
    await test.addPod({ port: program.port })
    assert.equal((await test.send({ headers: { 'x-name': name } })).headers['x-name'], name)
  })

  it('nobody waits for ever for a program that speaks the other protocol', async () => {
    await using program = await startH2cProgram(grpcEcho)
    await using http1 = await openDoor()
    await http1.addPod({ port: program.port })
    assert.equal((await http1.send()).status, 502)
    await using h2c = await openDoor({ protocol: 'h2c' })
    await h2c.addPod()
    assert.equal((await h2c.send()).status, 502)
  })
})

describe('what a slow reader holds back', limit, () => {
  const chunk = Buffer.alloc(65_536)
  const chunksMax = 500

  it('is not read of the program either, by HTTP/2', async () => {
    let written = 0
    await using program = await startH2cProgram((stream) => {
      stream.respond({ ':status': 200 })
      const push = (): void => {
        while (written < chunksMax) {
          written++
          if (!stream.write(chunk)) return void stream.once('drain', push)
        }
        stream.end()
      }
      push()
    })
    await using set = await setUp({ protocol: 'h2c' })
    await set.test.addPod({ port: program.port })
    const stream = set.client.request({})
    await once(stream, 'response')
    stream.pause()
    let before = -1
    while (written !== before) {
      before = written
      await settle(200)
    }
    assert.ok(written < chunksMax / 4, `${written} of ${chunksMax} pieces were written to a client that reads nothing`)
    // Others on the same connections are not held up.
    const { status } = await readH2c(set.client.request({ ':method': 'HEAD' }))
    assert.equal(status, 200)
    stream.resume()
    await once(stream, 'close')
  })

  it('is not read of the client either, by HTTP/1.1 and HTTP/2', async () => {
    for (const protocol of ['http1', 'h2c'] as const) {
      let resume = (): void => undefined
      let bytes = 0
      const count = (piece: Buffer): void => void (bytes += piece.length)
      await using program = await startH2cProgram((stream) => {
        stream.pause()
        resume = () => void stream.on('data', count).resume()
        stream.on('end', () => stream.respond({ ':status': 204 }, { endStream: true }))
      })
      await using test = await openDoor({ protocol })
      const handle: RequestListener = (request, response) => {
        request.pause()
        resume = () => void request.on('data', count).resume()
        request.on('end', () => response.writeHead(204).end())
      }
      await test.addPod(protocol === 'h2c' ? { port: program.port } : { handle })
      const request = httpRequest({ host: '127.0.0.1', port: test.port, method: 'POST', agent: false })
      let written = 0
      const push = (): void => {
        while (written < chunksMax) {
          written++
          if (!request.write(chunk)) return void request.once('drain', push)
        }
        request.end()
      }
      push()
      let before = -1
      while (written !== before) {
        before = written
        await settle(200)
      }
      assert.ok(
        written < chunksMax / 2,
        `${protocol}: ${written} of ${chunksMax} pieces for a program that reads nothing`,
      )
      resume()
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      await read(response)
      assert.equal(bytes, chunksMax * chunk.length)
    }
  })
})

describe('full duplex', limit, () => {
  it('an answer begins before the body has ended, by HTTP/1.1 too', async () => {
    await using test = await openDoor()
    await test.addPod({
      handle(request, response) {
        response.flushHeaders()
        request.on('data', (data: Buffer) => response.write(data))
        request.on('end', () => response.end())
      },
    })
    const request = httpRequest({ host: '127.0.0.1', port: test.port, method: 'POST', agent: false })
    request.write('a')
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    let text = ''
    response.on('data', (data: Buffer) => (text += data.toString()))
    await until(() => text === 'a')
    for (const piece of ['b', 'c']) {
      const before = text.length
      request.write(piece)
      await until(() => text.length > before)
    }
    request.end()
    await once(response, 'end')
    assert.equal(text, 'abc')
  })
})

it('a server that takes HTTP/2 and TLS keeps its other listeners', limit, async () => {
  const server = createServer((_request, response) => void response.end('ok'))
  let connections = 0
  server.on('connection', () => connections++)
  const door = new ConnectionDoor(server, {
    headerBytesMax: 16_384,
    headersMax: 100,
    headersMs: 1_000,
    handshakeMs: 1_000,
    idleMs: 1_000,
    certificates: createCertificateTable(),
    clock: systemClock,
    log: silentLogger,
    onRequest: (_request, response) => void response.end('ok'),
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const request = httpRequest({ host: '127.0.0.1', port, agent: false }).end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  assert.equal((await read(response)).body, 'ok')
  assert.equal(connections, 1)
  server.close()
  door.destroy()
})
