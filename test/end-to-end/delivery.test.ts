// Knode's own say in a delivery, from manifest to subscriber: batches, duplicates, consent, and what a Trigger's status
// tells of its subscriber.
import assert from 'node:assert/strict'
import test from 'node:test'
import { eventually } from '../../src/base/eventually.ts'
import { FakeClock } from '../../src/base/fake-clock.ts'
import { silentLogger } from '../../src/base/log.ts'
import { startKnode } from '../../src/app/start-knode.ts'
import type { KnodeOptions, RunningKnode } from '../../src/app/start-knode.ts'
import { startSubscriber } from '../../src/engine/delivery/scripted-subscriber.ts'
import type { ReceivedRequest } from '../../src/engine/delivery/scripted-subscriber.ts'
import { conditionOf } from '../../src/model/duck/conditions.ts'
import type { Condition } from '../../src/model/duck/types.ts'
import type { Resource } from '../../src/model/kubernetes/resource.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const triggerKind = 'Trigger.eventing.knative.dev'

function start(options: KnodeOptions): Promise<RunningKnode> {
  return startKnode({ apiPort: 0, gatewayPort: 0, log: silentLogger, ...options })
}

const object = (apiVersion: string, kind: string, name: string, spec: object, annotations = {}): Resource => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'default', annotations },
  spec,
})
const aBroker = (annotations = {}): Resource => object('eventing.knative.dev/v1', 'Broker', 'orders', {}, annotations)
const aTrigger = (uri: string, annotations = {}, delivery?: object): Resource => {
  const spec = { broker: 'orders', subscriber: { uri }, ...(delivery && { delivery }) }
  return object('eventing.knative.dev/v1', 'Trigger', 'billing', spec, annotations)
}

async function apply(knode: RunningKnode, ...objects: Resource[]): Promise<void> {
  for (const each of objects) await knode.client.create(each)
  await knode.settled()
}

/** Resolves when `holds` does, moving a fake clock on meanwhile. */
async function until(holds: () => boolean | Promise<boolean>, what: string, clock?: FakeClock): Promise<void> {
  await eventually(holds, what, clock === undefined ? {} : { turn: () => clock.advance(50) })
}

const events = (...ids: string[]): object[] =>
  ids.map((id) => ({ specversion: '1.0', id, source: '/shop', type: 'order', data: { id } }))

const post = (url: string, body: object): Promise<Response> => {
  const type = `application/cloudevents${Array.isArray(body) ? '-batch' : ''}+json`
  return fetch(url, { method: 'POST', headers: { 'content-type': type }, body: JSON.stringify(body) })
}

const idsOf = (requests: ReceivedRequest[]): string[] => requests.map(({ headers }) => headers['ce-id']!).toSorted()

async function conditionsOf(knode: RunningKnode): Promise<(type: string) => Partial<Condition>> {
  const trigger = await knode.client.get(triggerKind, 'default', 'billing')
  return (type) => conditionOf(trigger!, type) ?? {}
}

test('a batch posted to a Broker or a channel is taken event by event, or not at all', async () => {
  await using knode = await start({ memory: true })
  await using subscriber = await startSubscriber(() => ({ status: 200 }))
  const channel = { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel', name: 'plain' }
  const subscription = { channel, subscriber: { uri: `${subscriber.url}/channel` } }
  await apply(
    knode,
    aBroker(),
    aTrigger(`${subscriber.url}/broker`),
    object(channel.apiVersion, channel.kind, channel.name, {}),
    object('messaging.knative.dev/v1', 'Subscription', 'all', subscription),
  )
  for (const [address, line] of [
    ['/default/orders', 'POST /broker'],
    ['/channels/default/plain', 'POST /channel'],
  ] as const) {
    const url = `${knode.gatewayUrl}${address}`
    assert.equal((await post(url, [...events('bad'), { specversion: '1.0', id: '' }])).status, 400)
    assert.equal((await post(url, events('1', '2', '3'))).status, 202)
    assert.equal((await post(url, [])).status, 202)
    const there = (): ReceivedRequest[] => subscriber.requests.filter((request) => request.line === line)
    await until(() => there().length >= 3, `three events at ${line}`)
    assert.deepEqual(idsOf(there()), ['1', '2', '3'])
  }
})

test('knode.dev/batch: what comes one by one goes out together', async () => {
  await using knode = await start({ memory: true })
  await using subscriber = await startSubscriber(() => ({ status: 202 }))
  await apply(knode, aBroker(), aTrigger(subscriber.url, { 'knode.dev/batch': '3/PT1M' }))
  for (const event of events('1', '2', '3')) await post(`${knode.gatewayUrl}/default/orders`, event)
  await until(() => subscriber.requests.length > 0, 'the batch')
  const { headers, body } = subscriber.requests[0]!
  assert.equal(headers['content-type'], 'application/cloudevents-batch+json')
  const batch = JSON.parse(body) as Record<string, unknown>[]
  assert.deepEqual(
    batch.map(({ id, data }) => [id, data]),
    ['1', '2', '3'].map((id) => [id, { id }]),
  )
})

test('knode.dev/dedup: a duplicate is taken once, across a restart as well', async () => {
  await using directory = await temporaryDirectory()
  const dataDir = directory.path
  await using subscriber = await startSubscriber(() => ({ status: 200 }))
  {
    await using knode = await start({ dataDir })
    await apply(knode, aBroker({ 'knode.dev/dedup': 'PT24H' }), aTrigger(subscriber.url))
    const url = `${knode.gatewayUrl}/default/orders`
    const answers = await Promise.all([1, 2, 3].map(() => post(url, events('1')[0]!)))
    assert.deepEqual(
      answers.map(({ status }) => status),
      [202, 202, 202],
    )
    await until(() => subscriber.requests.length > 0, 'the event')
  }
  await using knode = await start({ dataDir })
  await knode.settled()
  const url = `${knode.gatewayUrl}/default/orders`
  assert.equal((await post(url, events('1')[0]!)).status, 202)
  assert.equal((await post(url, events('2')[0]!)).status, 202)
  await until(() => subscriber.requests.length > 1, 'the next event')
  assert.deepEqual(idsOf(subscriber.requests), ['1', '2'])
})

test('a Trigger tells when its subscriber ceases to answer and when it answers again, and stays Ready', async () => {
  const clock = new FakeClock()
  await using knode = await start({ memory: true, clock })
  let isDead = true
  await using subscriber = await startSubscriber(() => (isDead ? { bytes: '', after: 'close' } : { status: 200 }))
  const delivery = { retry: 1_000, backoffPolicy: 'linear', backoffDelay: 'PT0.2S' }
  await apply(knode, aBroker(), aTrigger(subscriber.url, {}, delivery))
  await until(async () => (await conditionsOf(knode))('SubscriberAnswering').status === 'True', 'a first look', clock)
  await post(`${knode.gatewayUrl}/default/orders`, events('1')[0]!)
  const becomes = (status: string): Promise<void> =>
    until(async () => (await conditionsOf(knode))('SubscriberAnswering').status === status, `status ${status}`, clock)
  await becomes('False')
  const dead = await conditionsOf(knode)
  const { reason, message, severity } = dead('SubscriberAnswering')
  assert.deepEqual(
    [reason, message, severity],
    ['SubscriberDoesNotAnswer', `${subscriber.url} does not answer: other side closed`, 'Info'],
  )
  assert.equal(dead('Ready').status, 'True')
  isDead = false
  await becomes('True')
  assert.deepEqual(Object.keys((await conditionsOf(knode))('SubscriberAnswering')).toSorted(), [
    'lastTransitionTime',
    'severity',
    'status',
    'type',
  ])
})

test('knode.dev/webhook-origin: a Trigger tells that its subscriber does not consent, and delivers once it does', async () => {
  const clock = new FakeClock()
  await using knode = await start({ memory: true, clock })
  let consents = false
  await using subscriber = await startSubscriber(({ line }) =>
    line.startsWith('OPTIONS') && consents
      ? { status: 200, headers: { 'webhook-allowed-origin': '*' } }
      : { status: line.startsWith('OPTIONS') ? 405 : 200 },
  )
  await apply(knode, aBroker(), aTrigger(subscriber.url, { 'knode.dev/webhook-origin': 'shop.example.com' }))
  await post(`${knode.gatewayUrl}/default/orders`, events('1')[0]!)
  const reason = async (): Promise<unknown> => (await conditionsOf(knode))('SubscriberAnswering').reason
  await until(async () => (await reason()) === 'SubscriberDoesNotConsent', 'the refusal to be told', clock)
  assert.ok(subscriber.requests.every(({ line }) => line === 'OPTIONS /'))
  consents = true
  await until(() => subscriber.requests.some(({ line }) => line === 'POST /'), 'the delivery', clock)
  await until(async () => (await reason()) === undefined, 'the consent to be told', clock)
})

test('annotations count from the moment they are changed, and a wrong one leaves all as it was', async () => {
  const clock = new FakeClock()
  await using knode = await start({ memory: true, clock })
  await using subscriber = await startSubscriber(() => ({ status: 200 }))
  await apply(knode, aBroker(), aTrigger(subscriber.url, { 'knode.dev/rate': '1/h' }))
  const annotate = (annotations: Record<string, string | null>): Promise<unknown> =>
    knode.client.patch(triggerKind, 'default', 'billing', { metadata: { annotations } })
  const send = async (...ids: string[]): Promise<void> =>
    void (await post(`${knode.gatewayUrl}/default/orders`, events(...ids)))
  const arrive = (count: number): Promise<void> =>
    until(() => subscriber.requests.length >= count, `${count} events`, clock)
  await send('1', '2', '3')
  await arrive(1)
  await assert.rejects(annotate({ 'knode.dev/rate': 'fast' }), /\[knode.dev\/rate\].*expected a rate above 0, such as/s)
  await assert.rejects(annotate({ 'knode.dev/pause': 'true' }), /did you mean knode.dev\/paused\?/)
  await clock.advance(60_000)
  assert.equal(subscriber.requests.length, 1)
  // What waits for a rate of once an hour goes at once when that is gone.
  await annotate({ 'knode.dev/rate': null })
  await arrive(3)
  await annotate({ 'knode.dev/paused': 'true' })
  await knode.settled()
  await send('4')
  await clock.advance(60_000)
  assert.equal(subscriber.requests.length, 3)
  await annotate({ 'knode.dev/paused': null, 'knode.dev/expire-after': 'PT30S' })
  await knode.settled()
  await send('5')
  await arrive(4)
  assert.deepEqual(idsOf(subscriber.requests), ['1', '2', '3', '5'])
})

test('wrong annotations are refused when they are written', async () => {
  await using knode = await start({ memory: true })
  await assert.rejects(
    knode.client.create(aBroker({ 'knode.dev/dedup': 'a day' })),
    /metadata.annotations\[knode.dev\/dedup\]/,
  )
  await assert.rejects(
    knode.client.create(aTrigger('http://x/', { 'knode.dev/batch': 'many' })),
    /metadata.annotations\[knode.dev\/batch\]/,
  )
  await assert.rejects(
    knode.client.create(aTrigger('http://x/', { 'knode.dev/pausd': 'true', 'knode.dev/rate': 'fast' })),
    /"knode.dev\/pausd": metadata.annotations\n.*did you mean knode.dev\/paused\?[^]*metadata.annotations\[knode.dev\/rate\]/,
  )
  await assert.rejects(knode.client.create(aBroker({ 'knode.dev/paused': 'true' })), /known here: knode.dev\/dedup/)
})
