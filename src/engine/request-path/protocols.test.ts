// Client and program that speak different versions of HTTP.
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { describe, it } from 'node:test'
import { limit, openDoor } from '../../../test/harness/revision-door.ts'
import { setUp } from './test-http2-door.ts'
import { grpcEcho, readH2c, startH2cProgram } from './test-http2.ts'

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
