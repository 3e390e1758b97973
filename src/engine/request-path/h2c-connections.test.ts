// Programs that speak HTTP/2, and clients that do.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { eventually } from '../../base/eventually.ts'
import { settle } from '../../base/fake-clock.ts'
import { closedPort, limit, until } from '../../../test/harness/revision-door.ts'
import { grpc, setUp } from './test-http2-door.ts'
import { frame, FrameReader, grpcEcho, readH2c, startH2cProgram } from './test-http2.ts'

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
    await set.test.addPod({ name: 'a', port: closedPort })
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
      if (expected === '1') await until(() => program.sessions() === 0)
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
    // It is sent again after a while.
    await eventually(() => asked === 2, 'a second try', { turn: () => set.test.clock.advance(10) })
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
