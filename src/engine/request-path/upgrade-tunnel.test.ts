import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { closedPort, limit, openDoor, read, until } from '../../../test/harness/revision-door.ts'
import type { Program } from '../../../test/harness/revision-door.ts'

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
})
