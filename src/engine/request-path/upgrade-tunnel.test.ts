import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { connect, createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, it } from 'node:test'
import { closedPort, limit, openDoor, read, until } from '../../../test/harness/revision-door.ts'
import type { Program } from '../../../test/harness/revision-door.ts'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { seededRandom } from '../../base/random.ts'
import type { PodConnections } from './pod-connections.ts'
import { UpgradeTunnel } from './upgrade-tunnel.ts'

/** Says which path was asked for, then echoes. */
const echo: Program = {
  upgrade(request, socket) {
    const headers = [request.headers.forwarded, request.headers['k-proxy-request'], request.headers.host]
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
    socket.write(`${request.url} ${headers.join(' ')}\n`)
    socket.pipe(socket)
  },
}

const ask = (port: number): ClientRequest =>
  httpRequest({
    host: '127.0.0.1',
    port,
    path: '/chat',
    headers: { connection: 'Upgrade', upgrade: 'websocket', host: 'chat.default' },
    agent: false,
  }).end()

async function upgraded(request: ClientRequest): Promise<{ socket: Socket; seen: () => string }> {
  const [, socket, head] = (await once(request, 'upgrade')) as [IncomingMessage, Socket, Buffer]
  let text = head.toString()
  socket.on('data', (data: Buffer) => (text += data.toString()))
  return { socket, seen: () => text }
}

describe('a connection that changes its protocol', limit, () => {
  it('waits for a Pod, then passes bytes both ways, and counts as a request until it ends', async () => {
    await using test = await openDoor({ containerConcurrency: 1 })
    const request = ask(test.port)
    await until(() => test.door.inFlight === 1)
    await test.addPod(echo)
    const { socket, seen } = await upgraded(request)
    socket.write('ping')
    await until(() => seen() === '/chat for=127.0.0.1;proto=http activator chat.default\nping')
    assert.equal(test.door.inFlight, 1)
    socket.end()
    await until(() => test.door.inFlight === 0)
    assert.equal(test.clock.pendingTimers, 0)
  })

  it('finds another Pod when one refuses the connection', async () => {
    await using test = await openDoor({ containerConcurrency: 1 })
    await test.addPod({ name: 'a', port: closedPort })
    await test.addPod({ ...echo, name: 'b' })
    const { socket, seen } = await upgraded(ask(test.port))
    socket.write('ping')
    await until(() => seen().endsWith('\nping'))
    socket.end()
    await until(() => test.door.inFlight === 0)
  })

  it('ends when the program ends it', async () => {
    await using test = await openDoor()
    let end = (): void => undefined
    await test.addPod({
      upgrade(_request, socket) {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi')
        end = () => socket.destroy()
      },
    })
    const { socket, seen } = await upgraded(ask(test.port))
    await until(() => seen() === 'hi')
    end()
    await until(() => socket.destroyed)
    await until(() => test.door.inFlight === 0)
  })

  it('is cut at its total time', async () => {
    await using test = await openDoor({ timeouts: { totalMs: 10_000 } })
    await test.addPod(echo)
    const { socket } = await upgraded(ask(test.port))
    await test.clock.advance(10_000)
    await until(() => socket.destroyed)
    await until(() => test.door.inFlight === 0)
  })

  it('is answered when no Pod comes in time, or none will', async () => {
    await using test = await openDoor({ timeouts: { totalMs: 10_000 } })
    const late = once(ask(test.port), 'response') as Promise<[IncomingMessage]>
    await until(() => test.door.inFlight === 1)
    await test.clock.advance(10_000)
    const [answer] = await late
    assert.deepEqual([answer.statusCode, (await read(answer)).body], [504, 'activator request timeout\n'])
    test.door.setTrouble('no image')
    const [refused] = (await once(ask(test.port), 'response')) as [IncomingMessage]
    assert.deepEqual([refused.statusCode, (await read(refused)).body], [503, 'no image\n'])
    assert.equal(test.door.inFlight, 0)
  })

  it('frees its place when the client leaves while it waits', async () => {
    await using test = await openDoor()
    const request = ask(test.port)
    request.on('error', () => undefined)
    await until(() => test.door.inFlight === 1)
    request.destroy()
    await until(() => test.door.inFlight === 0)
  })

  it('is no less one when the program says so in pieces', async () => {
    await using test = await openDoor()
    let goOn = (): void => undefined
    await test.addPod({
      upgrade(_request, socket) {
        socket.write('HTTP/1.1 1')
        goOn = () => {
          socket.write('01 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
          socket.pipe(socket)
        }
      },
    })
    const { socket, seen } = dial(test.port)
    socket.write(head)
    await until(() => seen() === 'HTTP/1.1 1')
    goOn()
    await until(() => seen().endsWith('\r\n\r\n'))
    socket.write('ping')
    await until(() => seen().endsWith('\r\n\r\nping'))
    socket.destroy()
  })

  it('gives the program nothing before it has agreed: what comes early may be requests of somebody’s own', async () => {
    await using test = await openDoor()
    const asked: unknown[] = []
    await test.addPod({
      handle: (request, response) => {
        asked.push(request.url)
        response.end('declined')
      },
    })
    const { socket, seen } = dial(test.port)
    socket.write(`${head}GET /by-the-back-door HTTP/1.1\r\nHost: chat.default\r\nConnection: close\r\n\r\n`)
    await until(() => seen().endsWith('declined'))
    socket.write('GET /and-again HTTP/1.1\r\nHost: chat.default\r\nConnection: close\r\n\r\n')
    await test.send({ path: '/later' })
    assert.deepEqual(asked, ['/chat', '/later'])
    socket.destroy()
    await until(() => test.door.inFlight === 0)
  })

  it('hands over what came early once the program has agreed', async () => {
    await using test = await openDoor()
    await test.addPod(echo)
    const { socket, seen } = dial(test.port)
    socket.write(`${head}early`)
    await until(() => seen().endsWith('\nearly'))
    socket.destroy()
  })

  it('tells a slow client to the end what the program said last', async () => {
    const program = createTcpServer((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
        socket.once('data', () => socket.end('last words'))
      })
    })
    const programEnded = new Promise((resolve) => program.on('connection', (socket) => socket.on('close', resolve)))
    await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve))
    const client = new SlowClient()
    let isDone = false
    const { clock, tunnel } = aTunnel(client, () => (isDone = true))
    tunnel.send({ host: '127.0.0.1', port: (program.address() as AddressInfo).port } as PodConnections)
    await until(() => client.text !== '')
    client.push('go on')
    await programEnded
    await settle()
    assert.equal(client.destroyed, false)
    client.read()
    client.next()
    await until(() => client.destroyed)
    assert.match(client.text, /last words$/)
    assert.deepEqual([isDone, clock.pendingTimers], [true, 0])
    program.close()
  })

  it('does not wait for ever for a client that reads nothing', async () => {
    const program = createTcpServer((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'))
    })
    await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve))
    const client = new SlowClient()
    const { clock, tunnel } = aTunnel(client, () => undefined)
    tunnel.send({ host: '127.0.0.1', port: (program.address() as AddressInfo).port } as PodConnections)
    await until(() => clock.pendingTimers === 1)
    await clock.advance(29_999)
    assert.equal(client.destroyed, false)
    await clock.advance(1)
    assert.equal(client.destroyed, true)
    program.close()
  })

  it('leaves no connection behind when it was refused, also when its client keeps its side open', async () => {
    const client = new SlowClient()
    client.push('x'.repeat(100_000))
    const { tunnel } = aTunnel(client, () => undefined)
    await settle()
    tunnel.refuse(503, 'no image')
    client.next()
    await until(() => client.destroyed)
    assert.match(client.text, /^HTTP\/1\.1 503 [^]*no image\n$/)
  })
})

const head = 'GET /chat HTTP/1.1\r\nHost: chat.default\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

function dial(port: number): { socket: Socket; seen: () => string } {
  const socket = connect({ port, host: '127.0.0.1' })
  let text = ''
  socket.on('data', (data: Buffer) => (text += data.toString('latin1'))).on('error', () => undefined)
  return { socket, seen: () => text }
}

/** Takes the first piece, and what comes after it when it is told to. */
class SlowClient extends Duplex {
  text = ''
  #next: (() => void) | undefined
  #isQuick = false

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('latin1')
    if (this.#isQuick) done()
    else this.#next = done
  }

  next(): void {
    this.#isQuick = true
    this.#next?.()
  }
}

function aTunnel(socket: Duplex, onDone: () => void): { clock: FakeClock; tunnel: UpgradeTunnel } {
  const clock = new FakeClock()
  const headerRules = { kind: 'service', random: seededRandom(1) } as const
  const request = { method: 'GET', url: '/chat', rawHeaders: [], headers: {}, socket: {} } as unknown as IncomingMessage
  const deps = { clock, headerRules, onDone, onUnsent: assert.fail }
  return { clock, tunnel: new UpgradeTunnel({ request, socket, head: Buffer.alloc(0) }, deps) }
}
