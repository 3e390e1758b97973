// HTTP/2 and HTTP/1.1 on one port.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createServer, request as httpRequest } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import { describe, it } from 'node:test'
import { settle } from '../../base/fake-clock.ts'
import { systemClock } from '../../base/clock.ts'
import type { Clock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { limit, read, until } from '../../../test/harness/revision-door.ts'
import { createCertificateTable } from './certificate-table.ts'
import { ConnectionDoor } from './connection-door.ts'
import { setUp } from './test-http2-door.ts'
import { aGateway, channelHost, event } from './test-gateway.ts'
import { connectH2c, readH2c } from './test-http2.ts'

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

/** A door to `server` on which every request is well. */
const openDoorOf = (server: Server, clock: Clock): ConnectionDoor =>
  new ConnectionDoor(server, {
    headerBytesMax: 16_384,
    headersMax: 100,
    headersMs: 300_000,
    handshakeMs: 300_000,
    idleMs: 300_000,
    certificates: createCertificateTable(),
    clock,
    log: silentLogger,
    onRequest: (_request, response) => void response.end('ok'),
  })

it('a server that takes HTTP/2 and TLS keeps its other listeners', limit, async () => {
  const server = createServer((_request, response) => void response.end('ok'))
  let connections = 0
  server.on('connection', () => connections++)
  const door = openDoorOf(server, systemClock)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const request = httpRequest({ host: '127.0.0.1', port, agent: false }).end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  assert.equal((await read(response)).body, 'ok')
  assert.equal(connections, 1)
  server.close()
  door.destroy()
})

it('a client is heard that spoke while the machine stood still for longer than it may keep silent', limit, async () => {
  const server = createServer((_request, response) => void response.end('ok'))
  let tooLate: (() => void) | undefined
  const clock: Clock = {
    ...systemClock,
    setTimer(_delayMs, fire) {
      tooLate = fire
      return () => (tooLate = undefined)
    },
  }
  const door = openDoorOf(server, clock)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const socket = connect({ host: '127.0.0.1', port })
  await until(() => tooLate !== undefined)
  let answer = ''
  socket.on('data', (data: Buffer) => (answer += data.toString()))
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  // It is there, and nobody has read it: as when the process goes on, finds its timers due, and looks at them first.
  tooLate!()
  await once(socket, 'close')
  assert.match(answer, /^HTTP\/1\.1 200 /)
  server.close()
  door.destroy()
})
