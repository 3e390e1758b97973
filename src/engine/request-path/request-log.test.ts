import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { describe, it } from 'node:test'
import { readRequestLogFormat } from '../../model/serving/request-log.ts'
import { limit, openDoor, until } from '../../../test/harness/revision-door.ts'
import type { DoorSetup, SendOptions } from '../../../test/harness/revision-door.ts'

const shipped = readRequestLogFormat({ 'logging.enable-request-log': 'true' })!
const spec = { ...shipped, service: 'hello', configuration: 'hello-config' }

/** The line of one request. */
async function lineOf(test: DoorSetup, template: string, options?: SendOptions): Promise<string> {
  test.door.setRequestLog({ ...spec, template })
  const before = test.requestLines.length
  await test.send(options)
  await until(() => test.requestLines.length > before)
  return test.requestLines.at(-1)!
}

describe('the log of requests', limit, () => {
  it('is silent until it is asked for, and again when it is not wanted any more', async () => {
    await using test = await openDoor()
    await test.addPod()
    await test.send()
    await lineOf(test, 'x')
    test.door.setRequestLog(undefined)
    await test.send()
    assert.deepEqual(test.requestLines, ['x\n'])
  })

  it('writes one line of JSON for a request, as Knative ships it', async () => {
    await using test = await openDoor()
    await test.addPod({
      handle: (request, response) => {
        request.resume().on('end', () => void test.clock.advance(250).then(() => response.end('pod-1')))
      },
    })
    const line = await lineOf(test, shipped.template, {
      method: 'POST',
      path: '/a?b=%22c%22&d',
      body: 'four',
      headers: {
        'user-agent': 'curl "7"',
        referer: 'http://before.example/',
        traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      },
    })
    assert.match(line, /^\{.*\}\n$/)
    const { httpRequest, traceId } = JSON.parse(line) as { httpRequest: Record<string, unknown>; traceId: string }
    const { remoteIp, ...rest } = httpRequest
    assert.match(String(remoteIp), /^127\.0\.0\.1:\d+$/)
    assert.deepEqual(rest, {
      requestMethod: 'POST',
      requestUrl: '/a?b=%22c%22&d',
      requestSize: '4',
      status: 200,
      responseSize: '5',
      userAgent: 'curl "7"',
      serverIp: '127.0.0.1',
      referer: 'http://before.example/',
      latency: '0.25s',
      protocol: 'HTTP/1.1',
    })
    assert.equal(traceId, '4bf92f3577b34da6a3ce929d0e0e4736')
  })

  it('knows the Revision, its Pod, and headers by their names in Go', async () => {
    await using test = await openDoor()
    await test.addPod({ name: 'hello-1' })
    const revision = ['Namespace', 'Service', 'Configuration', 'Name', 'PodName'].map((name) => `{{.Revision.${name}}}`)
    assert.equal(await lineOf(test, revision.join('/')), 'default/hello/hello-config/hello-00001/hello-1\n')
    const names = { __proto__: 'p', constructor: 'c', 'to-string': 's' }
    const headers = { ...names, ['__proto__']: 'p', 'x-b3-traceid': 'b3', host: 'hello.example.com' }
    assert.equal(
      await lineOf(test, '{{index .Request.Header "__proto__"}}{{.Request.Header.Constructor}}', { headers }),
      '[p][c]\n',
    )
    assert.equal(
      await lineOf(test, '{{index .Request.Header "X-B3-Traceid"}} {{.TraceID}} {{.Request.Host}}', { headers }),
      '[b3] b3 hello.example.com\n',
    )
    assert.equal(await lineOf(test, '{{.Request.Header.Host}}'), '<no value>\n')
    const strange = { ['__proto__']: 'x', 'x-mine': 'y' }
    assert.equal(await lineOf(test, '{{index .Request.Header "X-Mine"}}', { headers: strange }), '[y]\n')
  })

  it('tells of requests that no Pod answered', async () => {
    await using test = await openDoor()
    test.door.setTrouble('no image')
    assert.equal(await lineOf(test, '{{.Response.Code}} {{.Response.Size}} "{{.Revision.PodName}}"'), '503 9 ""\n')
  })

  it('tells of a connection that changed its protocol when it ends', async () => {
    await using test = await openDoor()
    await test.addPod({
      upgrade: (_request, socket) => {
        socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
      },
    })
    test.door.setRequestLog({ ...spec, template: '{{.Request.RequestURI}} {{.Response.Code}} {{.Revision.PodName}}' })
    const headers = { connection: 'Upgrade', upgrade: 'websocket' }
    const request = httpRequest({ host: '127.0.0.1', port: test.port, path: '/chat', headers, agent: false }).end()
    request.on('upgrade', (_response, socket) => socket.end())
    await until(() => test.requestLines.length > 0)
    assert.deepEqual(test.requestLines, ['/chat 101 pod-1\n'])
  })

  it('leaves out probes unless they are asked for', async () => {
    await using test = await openDoor()
    await test.addPod()
    const probes = [{ 'user-agent': 'kube-probe/1.34' }, { 'k-kubelet-probe': 'queue' }, { 'k-network-probe': 'probe' }]
    test.door.setRequestLog({ ...spec, template: 'probe' })
    for (const headers of probes) await test.send({ headers })
    assert.equal(await lineOf(test, 'request'), 'request\n')
    test.door.setRequestLog({ ...spec, template: 'probe', withProbes: true })
    for (const headers of probes) await test.send({ headers })
    await until(() => test.requestLines.length === 4)
    assert.deepEqual(test.requestLines, ['request\n', 'probe\n', 'probe\n', 'probe\n'])
  })

  it('says what is known when the template asks for what is not there, and nothing when it does not parse', async () => {
    await using test = await openDoor()
    await test.addPod()
    assert.equal(
      await lineOf(test, '{{.Nope}}', { path: '/x' }),
      'Invalid request log template: method: GET, response code: 200, latency: 0, url: /x\n',
    )
    test.door.setRequestLog({ ...spec, template: '{{.Request' })
    assert.equal((await test.send()).status, 200)
    assert.equal(test.requestLines.length, 1)
  })
})
