// What is recorded of requests to a Revision, and what its program is told.
import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { openDoor } from '../../../test/harness/revision-door.ts'
import type { DoorSetup } from '../../../test/harness/revision-door.ts'
import { eventually } from '../../base/eventually.ts'
import { aTestTracer } from '../test-tracer.ts'
import type { Recorded, TestTracer } from '../test-tracer.ts'
import type { Tracer } from '../tracing.ts'

async function aTracedDoor(): Promise<DoorSetup & TestTracer> {
  const recording = aTestTracer()
  const tracing = { serving: recording.tracer, eventing: undefined }
  const setup = await openDoor({ service: 'hello', configuration: 'hi' }, { tracing })
  return { ...setup, ...recording }
}

const names = (spans: readonly Recorded[]): string[] => spans.map(({ name }) => name)

test('a request has a span, its call another below it, and the program is told of the call', async () => {
  await using door = await aTracedDoor()
  const seen: IncomingHttpHeaders[] = []
  const pod = await door.addPod({
    handle(request, response) {
      seen.push(request.headers)
      response.end('hello')
    },
  })
  const headers = { traceparent: 'given', tracestate: 'x=1', host: 'hello.example.com:81', 'user-agent': 'me' }
  assert.equal((await door.send({ path: '/a?b=secret', headers })).body, 'hello')
  await eventually(() => door.ended.length === 2, 'both spans')
  assert.deepEqual(door.parents, [{ traceparent: 'given', tracestate: 'x=1' }])
  const [call, server] = door.ended
  assert.deepEqual(call, {
    name: 'GET /a',
    kind: 'client',
    parent: 'span-1',
    attributes: {
      'http.request.method': 'GET',
      'url.full': `http://127.0.0.1:${pod.port}/a`,
      'server.address': '127.0.0.1',
      'server.port': pod.port,
      'k8s.pod.name': pod.name,
      'http.response.status_code': 200,
    },
  })
  const { 'network.peer.address': peer, 'client.address': client, ...attributes } = server!.attributes
  assert.deepEqual(
    [server!.name, server!.kind, server!.parent, server!.error],
    ['handle', 'server', 'caller', undefined],
  )
  assert.match(String(peer), /127\.0\.0\.1$/)
  assert.equal(client, peer)
  assert.deepEqual(attributes, {
    'http.request.method': 'GET',
    'url.scheme': 'http',
    'url.path': '/a',
    'server.address': 'hello.example.com',
    'server.port': 81,
    'network.protocol.name': 'http',
    'network.protocol.version': '1.1',
    'user_agent.original': 'me',
    'k8s.namespace.name': 'default',
    'kn.service.name': 'hello',
    'kn.configuration.name': 'hi',
    'kn.revision.name': 'hello-00001',
    'http.response.status_code': 200,
    'http.response.body.size': 5,
  })
  assert.deepEqual([seen[0]!['traceparent'], seen[0]!['tracestate']], ['span-2', 'x=1'])
})

test('a state without a trace goes no further', async () => {
  const recording = aTestTracer()
  const begin: Tracer['begin'] = (name, options) => recording.tracer.begin(name, { ...options, parent: {} })
  await using door = await openDoor({}, { tracing: { serving: { begin }, eventing: undefined } })
  let state: unknown = 'not seen'
  await door.addPod({ handle: (request, response) => ((state = request.headers['tracestate']), void response.end()) })
  await door.send({ headers: { tracestate: 'x=1' } })
  assert.equal(state, undefined)
})

test('the wait for an instance is a span, and only where there is one', async () => {
  await using door = await aTracedDoor()
  const answer = door.send()
  await eventually(() => door.door.inFlight === 1, 'the request')
  await door.addPod()
  await answer
  await eventually(() => door.ended.length === 3, 'all spans')
  assert.deepEqual(names(door.ended), ['throttler_try', 'GET /', 'handle'])
  assert.deepEqual([door.ended[0]!.kind, door.ended[0]!.parent], ['internal', 'span-1'])
})

test('whoever waits in vain says so in both spans', async () => {
  await using door = await aTracedDoor()
  door.door.setTrouble('no such image')
  const waiting = await door.send()
  assert.equal(waiting.status, 503)
  await eventually(() => door.ended.length === 1, 'the span')
  const { error, attributes } = door.ended[0]!
  assert.deepEqual(
    [error, attributes['http.response.status_code'], attributes['error.type']],
    ['no such image', 503, '503'],
  )
})

test('an answer of 500 marks both, one of 404 the call alone', async () => {
  await using door = await aTracedDoor()
  await door.addPod({
    handle(request, response) {
      response.statusCode = Number(request.url!.slice(1))
      response.end()
    },
  })
  for (const status of [500, 404]) await door.send({ path: `/${status}` })
  await eventually(() => door.ended.length === 4, 'all spans')
  assert.deepEqual(
    door.ended.map(({ kind, error }) => [kind, error]),
    [
      ['client', ''],
      ['server', ''],
      ['client', ''],
      ['server', undefined],
    ],
  )
})

test('a connection that did not come about is a call of its own, and then the request waits', async () => {
  await using door = await aTracedDoor()
  const nobody = await door.addPod({ port: 1 })
  const answer = door.send()
  await eventually(() => names(door.ended).includes('GET /'), 'the first call')
  assert.match(door.ended[0]!.error ?? '', /ECONNREFUSED/)
  await door.addPod({ name: 'good' })
  await eventually(async () => {
    await door.clock.advance(20)
    return door.ended.some(({ name }) => name === 'handle')
  }, 'the answer')
  assert.equal((await answer).body, 'good')
  const calls = door.ended.filter(({ kind }) => kind === 'client')
  assert.equal(calls.at(-1)!.attributes['k8s.pod.name'], 'good')
  assert.ok(calls.slice(0, -1).every(({ attributes }) => attributes['k8s.pod.name'] === nobody.name))
})

test('the log of requests tells the trace, also one that begins here', async () => {
  await using door = await aTracedDoor()
  await door.addPod()
  door.door.setRequestLog({ template: '{{.TraceID}}', withProbes: false, service: '', configuration: '' })
  await door.send()
  await eventually(() => door.requestLines.length === 1, 'the line')
  assert.deepEqual(door.requestLines, ['1\n'])
})

test('probes are not recorded', async () => {
  await using door = await aTracedDoor()
  await door.addPod()
  await door.send({ headers: { 'user-agent': 'kube-probe/1.30' } })
  assert.deepEqual(door.parents, [])
})

test('a WebSocket is a span as long as it lasts, and its program is told of the call', async () => {
  await using door = await aTracedDoor()
  let told: unknown
  await door.addPod({
    upgrade(request, socket) {
      told = request.headers['traceparent']
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    },
  })
  const client = connect(door.port, '127.0.0.1')
  client.write('GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  client.resume()
  await eventually(() => door.ended.length === 2, 'both spans')
  client.destroy()
  assert.equal(told, 'span-2')
  assert.deepEqual(
    door.ended.map(({ name, attributes, error }) => [name, attributes['http.response.status_code'], error]),
    [
      ['GET /chat', 101, undefined],
      ['handle', 101, undefined],
    ],
  )
})

test('a program that is spoken to by HTTP/2 is told, too', async () => {
  const { tracer, ended } = aTestTracer()
  await using door = await openDoor({ protocol: 'h2c' }, { tracing: { serving: tracer, eventing: undefined } })
  let told: unknown
  const program = createHttp2Server().on('stream', (stream, headers) => {
    told = headers['traceparent']
    stream.respond({ ':status': 200 })
    stream.end()
  })
  await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve))
  await door.addPod({ port: (program.address() as AddressInfo).port })
  assert.equal((await door.send({ method: 'POST', body: 'x', path: '/a.Service/Call' })).status, 200)
  await eventually(() => ended.length === 2, 'both spans')
  assert.deepEqual([told, ended[0]!.name], ['span-2', 'POST /a.Service/Call'])
  program.close()
})
