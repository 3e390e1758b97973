import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpsRequest } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { describe, it } from 'node:test'
import { connect } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { Agent, WebSocket } from 'undici'
import { createAuthority, createCertificate } from '../../base/certificate.ts'
import { eventually } from '../../base/eventually.ts'
import { settle } from '../../base/fake-clock.ts'
import { createLogger } from '../../base/log.ts'
import { startEchoProgram } from '../../../test/harness/echo-program.ts'
import { openDoor, read } from '../../../test/harness/revision-door.ts'
import type { DoorSetup, SendOptions } from '../../../test/harness/revision-door.ts'
import type { CertificateTable } from '../reconciler.ts'
import { createCertificateTable } from './certificate-table.ts'
import { aGateway, channelHost, event } from './test-gateway.ts'
import type { TestGateway } from './test-gateway.ts'
import { connectH2c, frame, FrameReader, grpcEcho, readH2c, startH2cProgram } from './test-http2.ts'

const limit = { timeout: 60_000 }
const nowMs = Date.now()
const authority = createAuthority({ commonName: 'test authority', nowMs })
const ca = authority.cert
const host = 'echo.default.example.com'
const certificateFor = (...hosts: string[]) => ({
  hosts,
  pair: createCertificate({ commonName: hosts[0]!, hosts, nowMs, authority }),
})

interface Setup extends AsyncDisposable {
  test: DoorSetup
  gateway: TestGateway
  certificates: CertificateTable
  /** Log lines at `debug` and above. */
  lines: Record<string, unknown>[]
}

/** A gateway with a certificate for `host`, and a Revision's door there. */
async function setUp(
  settings: Parameters<typeof openDoor>[0] = {},
  limits: Parameters<typeof aGateway>[0] = {},
): Promise<Setup> {
  const test = await openDoor(settings)
  const certificates = createCertificateTable()
  certificates.program('a', [certificateFor(host)])
  const lines: Setup['lines'] = []
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>)
  const log = createLogger({ level: 'debug', write })
  const endpoints = { [host]: test.door, ' /chat': test.door }
  const gateway = await aGateway({ endpoints, certificates, log, ...limits })
  return {
    test,
    gateway,
    certificates,
    lines,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await test[Symbol.asyncDispose]()
    },
  }
}

async function ask(port: number, servername: string, { method = 'GET', headers = {}, body }: SendOptions = {}) {
  const options = { host: '127.0.0.1', port, ca, servername, agent: false as const }
  const request = httpsRequest({ ...options, method, headers: { host: servername, ...headers } }).end(body)
  const [response] = (await once(request, 'response')) as [Parameters<typeof read>[0]]
  return await read(response)
}

/** Shakes hands. @throws what the client says of a failure */
async function handshake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, ca, ...options })
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  return socket
}

describe('TLS on the gateway’s port', limit, () => {
  it('carries HTTP/1.1, and tells the program that its client came by https', async () => {
    await using set = await setUp()
    const seen: Record<string, unknown>[] = []
    await set.test.addPod({
      handle: (request, response) => {
        seen.push(request.headers)
        request.pipe(response)
      },
    })
    const headers = { 'x-forwarded-proto': 'http' }
    const { status, body } = await ask(set.gateway.port, host, { method: 'POST', headers, body: '渴了' })
    assert.deepEqual([status, body], [200, '渴了'])
    assert.deepEqual([seen[0]?.['x-forwarded-proto'], seen[0]?.['forwarded']], ['https', 'for=127.0.0.1;proto=https'])
  })

  it('takes events as plain HTTP does', async () => {
    await using set = await setUp()
    set.certificates.program('b', [certificateFor(channelHost)])
    assert.equal((await ask(set.gateway.port, channelHost, { method: 'POST', headers: event })).status, 202)
    assert.equal(set.gateway.accepted.length, 1)
  })

  it('carries HTTP/2 to clients that want it, gRPC with trailers too', async () => {
    await using program = await startH2cProgram(grpcEcho)
    await using set = await setUp({ protocol: 'h2c' })
    await set.test.addPod({ port: program.port })
    using client = connectH2c(set.gateway.port, { ca, servername: host })
    const stream = client.request({ ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' })
    stream.end(frame('hello'))
    const { status, body, trailers } = await readH2c(stream)
    assert.deepEqual([status, ...new FrameReader().read(body), trailers['grpc-status']], [200, 'HELLO', '0'])
    assert.equal((client.session.socket as TLSSocket).alpnProtocol, 'h2')
  })

  it('speaks HTTP/1.1 with who names no protocol, and nothing with who names none of ours', async () => {
    await using set = await setUp()
    const old = await handshake(set.gateway.port, { servername: host })
    assert.equal(old.alpnProtocol, false)
    old.write(`GET / HTTP/1.1\r\nHost: nobody\r\nConnection: close\r\n\r\n`)
    const [answer] = (await once(old, 'data')) as [Buffer]
    assert.match(answer.toString(), /^HTTP\/1\.1 404 /)
    await assert.rejects(handshake(set.gateway.port, { servername: host, ALPNProtocols: ['acme-tls/1'] }), {
      code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    })
  })

  it('talks to a WebSocket client', async () => {
    await using program = await startEchoProgram('http1')
    await using set = await setUp()
    await set.test.addPod({ port: program.port })
    const dispatcher = new Agent({ connect: { ca, servername: host } })
    const socket = new WebSocket(`wss://127.0.0.1:${set.gateway.port}/chat`, { dispatcher })
    await once(socket, 'open')
    const heard: unknown[] = []
    socket.addEventListener('message', ({ data }) => heard.push(data))
    socket.send('渴了')
    await eventually(() => heard.includes('渴了'), 'the echo')
    socket.close()
    await once(socket, 'close')
    await dispatcher.destroy()
  })

  it('shows each host its own certificate, one for any part in front, and the new one from when it is there', async () => {
    await using set = await setUp()
    const { certificates, gateway } = set
    const wild = certificateFor('*.shop.example.com')
    certificates.program('b', [wild, certificateFor('one.shop.example.com')])
    const subject = async (servername: string): Promise<string> => {
      using socket = {
        value: await handshake(gateway.port, { servername }),
        [Symbol.dispose]() {
          this.value.destroy()
        },
      }
      return String(socket.value.getPeerCertificate().subject.CN)
    }
    assert.equal(await subject('one.shop.example.com'), 'one.shop.example.com')
    assert.equal(await subject('two.shop.example.com'), '*.shop.example.com')
    assert.equal(await subject('TWO.Shop.example.com'), '*.shop.example.com')
    await assert.rejects(subject('a.b.shop.example.com'))
    certificates.program('b', [wild])
    assert.equal(await subject('one.shop.example.com'), '*.shop.example.com')
    const renewed = { ...certificateFor(host), hosts: [host] }
    certificates.program('a', [renewed])
    const shown = await handshake(gateway.port, { servername: host })
    const expected = renewed.pair.cert.replace(/-----[^-]+-----|\s/g, '')
    assert.equal(shown.getPeerCertificate().raw.toString('base64'), expected)
    shown.destroy()
  })
})

describe('TLS that cannot be', limit, () => {
  it('is refused by an alert where nobody has a certificate for the host, and told of once for each host', async () => {
    await using set = await setUp()
    const refused = { code: 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE' }
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      await assert.rejects(handshake(set.gateway.port, { servername: 'nobody.example.com', maxVersion }), refused)
      await assert.rejects(handshake(set.gateway.port, { maxVersion }), refused)
    }
    await assert.rejects(
      handshake(set.gateway.port, { servername: host, maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' }),
    )
    const warnings = set.lines.filter(({ level }) => level === 'warn')
    assert.deepEqual(
      warnings.map(({ msg, host: named }) => [msg, named]),
      [
        ['a TLS client was refused: no Ingress has a certificate for the host it names', 'nobody.example.com'],
        ['a TLS client was refused: it names no host', ''],
      ],
    )
    await set.test.addPod()
    assert.equal((await ask(set.gateway.port, host)).body, 'pod-1', 'others are served')
  })

  it('is cut off when the handshake takes too long, or is none', async () => {
    await using set = await setUp({}, { limits: { handshakeMs: 50 } })
    for (const beginning of ['\x16', '\x16\x03\x01', '\x16garbage that is no handshake at all']) {
      const socket = connectPlain({ host: '127.0.0.1', port: set.gateway.port }).resume()
      socket.write(beginning, 'latin1')
      await once(socket, 'close')
    }
  })

  it('leaves nothing behind when a client goes away, in the middle of it or after', async () => {
    await using set = await setUp()
    const open = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
    const before = open()
    for (let count = 0; count < 100; count++) {
      const raw = connectPlain({ host: '127.0.0.1', port: set.gateway.port })
      const socket = connect({ socket: raw, ca, servername: host, ALPNProtocols: count % 3 === 0 ? [] : ['h2'] })
      for (const each of [raw, socket]) each.on('error', () => undefined)
      await once(raw, 'connect')
      await settle(count % 17)
      if (count % 2 === 0) raw.destroy()
      else raw.resetAndDestroy()
    }
    await eventually(
      () => open() <= before,
      () => `${open() - before} connections to end`,
    )
    await set.test.addPod()
    assert.equal((await ask(set.gateway.port, host)).body, 'pod-1')
  })
})

describe('a gateway that closes', limit, () => {
  it('finishes what came by TLS, and cuts handshakes', async () => {
    await using set = await setUp()
    let answer = (): void => undefined
    await set.test.addPod({ handle: (_request, response) => void (answer = () => response.end('done')) })
    const asked = ask(set.gateway.port, host)
    await eventually(() => set.test.door.inFlight === 1, 'the request')
    const idle = await handshake(set.gateway.port, { servername: host })
    const half = connectPlain({ host: '127.0.0.1', port: set.gateway.port }).resume()
    half.write('\x16')
    await settle(20)
    const closing = set.gateway[Symbol.asyncDispose]()
    await Promise.all([once(half, 'close'), once(idle, 'close')])
    answer()
    assert.equal((await asked).body, 'done')
    await closing
  })
})
