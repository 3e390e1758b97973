import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { IncomingMessage, RequestListener } from 'node:http'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { settle } from '../../base/fake-clock.ts'
import { limit, openDoor, read } from '../../../test/harness/revision-door.ts'

const echo: RequestListener = (request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => response.end(`${request.method} ${request.url} ${Buffer.concat(chunks).toString()}`))
}

const webSocket = { connection: 'Upgrade', upgrade: 'websocket' }

describe('what passes through a door', limit, () => {
  it('method, path, query and body, small or streamed', async () => {
    await using test = await openDoor()
    await test.addPod({ handle: echo })
    const big = 'x'.repeat(300_000)
    assert.equal((await test.send({ path: '/a/b?c=%20d' })).body, 'GET /a/b?c=%20d ')
    assert.equal((await test.send({ method: 'PUT', body: 'hi' })).body, 'PUT / hi')
    assert.equal((await test.send({ method: 'POST', body: big })).body, `POST / ${big}`)
    const headers = { 'transfer-encoding': 'chunked' }
    assert.equal((await test.send({ method: 'POST', headers, body: 'chunks' })).body, 'POST / chunks')
    assert.equal((await test.send({ method: 'POST', headers: { 'content-length': '0' } })).body, 'POST / ')
  })

  it('status, repeated headers, and trailers', async () => {
    const handle: RequestListener = (_request, response) => {
      response.writeHead(207, { 'set-cookie': ['a=1', 'b=2'], trailer: 'x-sum' })
      response.write('body')
      response.addTrailers({ 'x-sum': '4' })
      response.end()
    }
    await using test = await openDoor()
    await test.addPod({ handle })
    const { status, headers, trailers, body } = await test.send()
    assert.deepEqual([status, headers['set-cookie'], trailers['x-sum'], body], [207, ['a=1', 'b=2'], '4', 'body'])
  })

  it('answers without body', async () => {
    const handle: RequestListener = (request, response) => {
      if (request.method === 'HEAD') response.writeHead(200, { 'content-length': '5' }).end()
      else response.writeHead(204).end()
    }
    await using test = await openDoor()
    await test.addPod({ handle })
    const head = await test.send({ method: 'HEAD' })
    assert.deepEqual([head.status, head.headers['content-length'], head.body], [200, '5', ''])
    assert.equal((await test.send()).status, 204)
  })

  it('an answer as it comes, piece by piece', async () => {
    let more = (): void => undefined
    const handle: RequestListener = (_request, response) => {
      response.write('one')
      more = () => response.end('two')
    }
    await using test = await openDoor()
    await test.addPod({ handle })
    const request = httpRequest({ host: '127.0.0.1', port: test.port, agent: false }).end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    const [piece] = (await once(response, 'data')) as [Buffer]
    assert.equal(piece.toString(), 'one')
    more()
    assert.equal((await read(response)).body, 'two')
  })

  it('no more of an answer than its client reads', async () => {
    let written = 0
    const chunk = Buffer.alloc(65_536)
    const chunksMax = 2_000
    const handle: RequestListener = (_request, response) => {
      const push = (): void => {
        while (written < chunksMax) {
          written++
          if (!response.write(chunk)) return void response.once('drain', push)
        }
        response.end()
      }
      push()
    }
    await using test = await openDoor()
    await test.addPod({ handle })
    const request = httpRequest({ host: '127.0.0.1', port: test.port, agent: false }).end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    let before = -1
    while (written !== before) {
      before = written
      await settle(200)
    }
    assert.ok(written < chunksMax / 2, `${written} of ${chunksMax} pieces were written to a client that reads nothing`)
    response.resume()
    await once(response, 'end')
    assert.equal(written, chunksMax)
  })

  it('an early answer to a body that is not read to its end', async () => {
    const handle: RequestListener = (request, response) => {
      request.pause()
      response.writeHead(413).end('too much')
    }
    await using test = await openDoor()
    await test.addPod({ handle })
    const request = httpRequest({ host: '127.0.0.1', port: test.port, method: 'POST', agent: false })
    request.on('error', () => undefined)
    request.write(Buffer.alloc(500_000))
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    const answer = await read(response)
    assert.deepEqual([answer.status, answer.body, answer.headers.connection], [413, 'too much', 'close'])
    request.destroy()
  })

  it('an answer that declines to change the protocol, and nothing behind it', async () => {
    const seen: string[] = []
    await using test = await openDoor()
    await test.addPod({
      handle(request, response) {
        seen.push(request.url!)
        response.end('no')
      },
    })
    const socket = connect({ host: '127.0.0.1', port: test.port })
    const head = Object.entries(webSocket).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`GET /chat HTTP/1.1\r\nHost: a\r\n${head.join('')}\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    assert.match(answer.toString(), /^HTTP\/1\.1 200 OK/)
    socket.write('GET /behind-the-gateway HTTP/1.1\r\nHost: a\r\n\r\n')
    await settle(20)
    assert.deepEqual(seen, ['/chat'])
    socket.destroy()
  })
})
