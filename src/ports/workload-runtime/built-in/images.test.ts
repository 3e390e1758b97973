import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { FakeClock } from '../../../base/fake-clock.ts'
import { systemClock } from '../../../base/clock.ts'
import { seededRandom } from '../../../base/random.ts'
import { cloudEvent } from '../../../model/cloudevents/event.ts'
import { imageName } from '../image-name.ts'
import type { Workload, WorkloadSpec } from '../port.ts'
import { createBuiltInRuntime } from './built-in-runtime.ts'
import { eventText } from './event-display.ts'

const anInstance = (image: string, more: Partial<WorkloadSpec> = {}): WorkloadSpec => ({
  name: 'demo',
  namespace: 'default',
  image,
  env: {},
  ...more,
})

const openRuntime = (clock = systemClock) => createBuiltInRuntime({ clock, random: seededRandom(1) })

const urlOf = ({ host, port }: Workload): string => `http://${host}:${port}`

async function printed(workload: Workload): Promise<string> {
  const lines: string[] = []
  for await (const { text } of workload.logs()) lines.push(text)
  return lines.join('\n')
}

test('images are known by their name, whatever registry, tag or digest they carry', () => {
  const references: [string, string][] = [
    ['gcr.io/knative-releases/knative.dev/eventing/cmd/event_display', 'event_display'],
    ['gcr.io/knative-releases/knative.dev/eventing/cmd/event_display@sha256:0123', 'event_display'],
    ['localhost:5000/event-display:latest', 'event-display'],
    ['docker.io/me/helloworld-go:v1.2', 'helloworld-go'],
    ['ko://knative.dev/eventing/cmd/heartbeats', 'heartbeats'],
    [`kind.local/appender-${'0123456789abcdef'.repeat(2)}`, 'appender'],
    ['appender', 'appender'],
  ]
  for (const [reference, name] of references) assert.equal(imageName(reference), name, reference)
})

test('other images, and names that only begin alike, are not built in', async () => {
  await using runtime = openRuntime()
  for (const image of ['nginx', 'event_display_2', 'my-appender', 'hello', '']) {
    assert.ok(runtime.objection(anInstance(image)), image)
  }
})

test('built-in programs leave it to clients to close idle connections', async () => {
  await using runtime = openRuntime()
  const workload = await runtime.start(anInstance('helloworld'))
  const { headers } = await fetch(urlOf(workload))
  assert.equal(headers.get('keep-alive'), null, 'no time is told after which it closes them')
})

test('helloworld greets its TARGET', async () => {
  await using runtime = openRuntime()
  const world = await runtime.start(anInstance('ghcr.io/knative/helloworld-go:latest'))
  const knode = await runtime.start(anInstance('helloworld', { env: { TARGET: 'Knode' } }))
  assert.equal(await (await fetch(urlOf(world))).text(), 'Hello World!\n')
  assert.equal(await (await fetch(urlOf(knode))).text(), 'Hello Knode!\n')
  assert.match(await printed(world), /helloworld: received a request/)
})

test('event_display prints an event as upstream does', () => {
  const event = cloudEvent(
    {
      id: '2b72d7bf',
      source: 'https://knative.dev/eventing-contrib/cmd/heartbeats/#event-test/mypod',
      type: 'dev.knative.eventing.samples.heartbeat',
      subject: 'heart',
      time: '2019-10-18T15:23:20.809775386Z',
      datacontenttype: 'application/json; charset=utf-8',
      the: 42,
      heart: 'yes',
      beats: true,
    },
    '{"id":2, "big":12345678901234567890,"label":"a { b: c, }","list":[1,[]],"none":{}}',
  )
  assert.equal(
    eventText(event),
    `Context Attributes,
  specversion: 1.0
  type: dev.knative.eventing.samples.heartbeat
  source: https://knative.dev/eventing-contrib/cmd/heartbeats/#event-test/mypod
  subject: heart
  id: 2b72d7bf
  time: 2019-10-18T15:23:20.809775386Z
  datacontenttype: application/json; charset=utf-8
Extensions,
  beats: true
  heart: yes
  the: 42
Data,
  {
    "id": 2,
    "big": 12345678901234567890,
    "label": "a { b: c, }",
    "list": [
      1,
      []
    ],
    "none": {}
  }
`,
  )
})

test('event_display leaves data that is not JSON as it is, and prints no data where there is none', () => {
  const head = { id: '1', source: '/s', type: 't' }
  const start = 'Context Attributes,\n  specversion: 1.0\n  type: t\n  source: /s\n  id: 1\n'
  const json = '  datacontenttype: application/json\n'
  assert.equal(eventText(cloudEvent(head)), start)
  assert.equal(eventText(cloudEvent(head, 'hello')), `${start}Data,\n  hello\n`)
  assert.equal(
    eventText(cloudEvent({ ...head, datacontenttype: 'application/json' }, '{"broken')),
    `${start}${json}Data,\n  {"broken\n`,
  )
})

test('event_display answers 200 to events, and as the SDK for Go to everything else', async () => {
  await using runtime = openRuntime()
  const display = await runtime.start(anInstance('event_display'))
  const url = urlOf(display)
  const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't' }
  const statuses = [
    (await fetch(url, { method: 'POST', headers, body: 'hi' })).status,
    (await fetch(url)).status,
    (await fetch(`${url}/healthz`)).status,
    (await fetch(url, { method: 'POST', body: 'hi' })).status,
    (await fetch(url, { method: 'POST', headers: { ...headers, 'ce-id': '' }, body: 'hi' })).status,
  ]
  assert.deepEqual(statuses, [200, 405, 204, 415, 400])
  assert.match(await printed(display), /^☁️ {2}cloudevents\.Event\nContext Attributes,\n {2}specversion: 1\.0\n/)
})

test('appender replies with the message made longer, and with TYPE when there is one', async () => {
  await using runtime = openRuntime()
  const env = { MESSAGE: ' - handled', TYPE: 'samples.done' }
  const appender = await runtime.start(anInstance('appender', { env }))
  const headers = { 'ce-specversion': '1.0', 'ce-id': '7', 'ce-source': '/s', 'ce-type': 't', 'ce-hop': '1' }
  const post = (body: string): Promise<Response> => fetch(urlOf(appender), { method: 'POST', headers, body })

  const answer = await post('{"id":3,"message":"hello"}')
  assert.equal(answer.status, 200)
  const names = ['ce-id', 'ce-type', 'ce-source', 'ce-hop', 'content-type']
  assert.deepEqual(
    names.map((name) => answer.headers.get(name)),
    ['7', 'samples.done', '/s', '1', 'application/json'],
  )
  assert.deepEqual(await answer.json(), { id: 3, message: 'hello - handled' })
  for (const body of ['no json', '[1]', '{"id":"x"}', '{"message":1}'])
    assert.equal((await post(body)).status, 400, body)
})

test('heartbeats sends an event to K_SINK each period until it is ended', async () => {
  const received: { headers: IncomingHttpHeaders; body: string }[] = []
  let onEvent = (): void => undefined
  const sink = createServer((request, response) => {
    request.setEncoding('utf8')
    let body = ''
    request.on('data', (text: string) => (body += text))
    request.on('end', () => {
      received.push({ headers: request.headers, body })
      response.writeHead(202).end()
      onEvent()
    })
  })
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve))
  const event = (): Promise<void> => new Promise((resolve) => (onEvent = resolve))
  const clock = new FakeClock()
  const runtime = openRuntime(clock)
  try {
    const env = {
      K_SINK: `http://127.0.0.1:${(sink.address() as AddressInfo).port}`,
      POD_NAMESPACE: 'default',
      POD_NAME: 'beat',
      K_CE_OVERRIDES: '{"extensions":{"extra":"x"}}',
    }
    const first = event()
    const workload = await runtime.start(anInstance('heartbeats', { env, args: ['--period=2', '--label', '"pulse"'] }))
    await first
    const second = event()
    while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(2_000)
    await second
    assert.deepEqual(
      received.map(({ body }) => body),
      ['{"id":1,"label":"pulse"}', '{"id":2,"label":"pulse"}'],
    )
    const { headers } = received[0]!
    assert.equal(headers['ce-source'], 'https://knative.dev/eventing-contrib/cmd/heartbeats/#default/beat')
    assert.equal(headers['ce-type'], 'dev.knative.eventing.samples.heartbeat')
    assert.equal(headers['ce-time'], '2026-01-01T00:00:00Z')
    assert.deepEqual([headers['ce-the'], headers['ce-beats'], headers['ce-extra']], ['42', 'true', 'x'])
    await workload.stop({ graceMs: 0 })
    assert.deepEqual(await workload.exited, { code: 0 })
  } finally {
    await runtime[Symbol.asyncDispose]()
    sink.close()
  }
})

test('heartbeats without a sink, or with a bad period, says so and ends', async () => {
  await using runtime = openRuntime()
  for (const more of [{ args: [] }, { env: { K_SINK: 'http://127.0.0.1:9' }, args: ['--period', 'soon'] }]) {
    const workload = await runtime.start(anInstance('heartbeats', more))
    assert.deepEqual(await workload.exited, { code: 1 })
    assert.match(await printed(workload), /no sink|Invalid period interval provided: "soon"/)
  }
})

test('event_display prints the largest events there are', () => {
  const value = `${'x'.repeat(7_000_000)}\\"${'y'.repeat(7_000_000)}`
  const head = { id: '1', source: '/', type: 't', datacontenttype: 'application/json' }
  const text = eventText(cloudEvent(head, `{"a":"${value}"}`))
  assert.ok(text.endsWith(`  {\n    "a": "${value}"\n  }\n`))
})
