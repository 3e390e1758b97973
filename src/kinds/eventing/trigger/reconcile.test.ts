import assert from 'node:assert/strict'
import test from 'node:test'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import type { ReconcileRun } from '../../../engine/control-loop/reconcile-once.ts'
import type { DeliveryTrouble, DispatchSpec, KindDeps } from '../../../engine/reconciler.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { Broker } from '../broker/schema.ts'
import { trigger } from './kind.ts'
import type { Trigger } from './schema.ts'

const aTrigger = (spec: Partial<Trigger['spec']> = {}, annotations: Record<string, string> = {}): Trigger => ({
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Trigger',
  metadata: { name: 'billing', namespace: 'shop', annotations },
  spec: { broker: 'orders', filter: {}, subscriber: { uri: 'http://billing.example/' }, ...spec },
})

const aBroker = (ready: 'True' | 'False' = 'True', changes: Partial<Broker> = {}): Broker => ({
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Broker',
  metadata: {
    name: 'orders',
    namespace: 'shop',
    annotations: { 'eventing.knative.dev/broker.class': 'MTChannelBasedBroker' },
  },
  spec: {},
  status: {
    address: { url: 'http://127.0.0.1:7481/shop/orders' },
    conditions: [{ type: 'Ready', status: ready, ...(ready === 'False' ? { reason: 'Broken', message: 'why' } : {}) }],
  },
  ...changes,
})

/** A delivery engine that knows of this trouble. */
const aDelivery = (trouble?: DeliveryTrouble): KindDeps['delivery'] => ({ trouble: () => trouble }) as never

const run = (object: Trigger, stored: Resource[], delivery = aDelivery()): Promise<ReconcileRun<Trigger>> =>
  reconcileOnce(object, { kind: trigger, stored, deps: { delivery } })

const dispatchOf = (done: ReconcileRun<Trigger>): DispatchSpec => done.workers.get('dispatch') as DispatchSpec

test('a Trigger of a Ready Broker delivers its stream to the subscriber, answers going back to the Broker', async () => {
  const done = await run(aTrigger({ filters: [{ exact: { type: 'a' } }] }), [aBroker()])
  assert.equal(done.condition('Ready')?.status, 'True')
  assert.equal(done.status.subscriberUri, 'http://billing.example/')
  assert.deepEqual(dispatchOf(done), {
    owner: { kind: 'Trigger.eventing.knative.dev', namespace: 'shop', name: 'billing', uid: 'uid-of-trigger-billing' },
    stream: 'broker/shop/orders/uid-of-broker-orders',
    consumer: 'uid-of-trigger-billing',
    contract: 'trigger',
    filter: {},
    filters: [{ exact: { type: 'a' } }],
    annotations: {},
    subscriber: { url: 'http://billing.example/' },
    reply: { url: 'http://127.0.0.1:7481/shop/orders' },
  })
})

test('a Trigger says that its subscriber does not answer, and stays Ready', async () => {
  const message = 'http://billing.example/ does not answer: other side closed'
  const done = await run(aTrigger(), [aBroker()], aDelivery({ reason: 'SubscriberDoesNotAnswer', message }))
  const answering = { status: 'False', reason: 'SubscriberDoesNotAnswer', message }
  assert.deepEqual(done.condition('SubscriberAnswering'), answering)
  assert.equal(done.condition('Ready')?.status, 'True')
  assert.equal(done.status.conditions?.find(({ type }) => type === 'SubscriberAnswering')?.severity, 'Info')
  const answers = await run({ ...aTrigger(), status: done.status }, [aBroker()])
  assert.deepEqual(answers.condition('SubscriberAnswering'), { status: 'True' })
  const orphan = await run({ ...aTrigger(), status: done.status }, [])
  assert.equal(orphan.condition('SubscriberAnswering')?.status, 'Unknown')
})

test('a Trigger is looked at again when its subscriber ceases to answer, as long as it is delivered to', async () => {
  let listener: (() => void) | undefined
  const delivery = {
    ...aDelivery(),
    onTrouble: (consumer: string, given: () => void) => {
      assert.equal(consumer, 'uid-of-trigger-billing')
      listener = given
      return { [Symbol.dispose]: () => (listener = undefined) }
    },
    // A subscriber that does not answer from the first moment on.
    dispatch: () => (listener?.(), Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() })),
  } as never
  const done = await reconcileOnce(aTrigger(), {
    kind: trigger,
    stored: [aBroker()],
    deps: { delivery },
    startWorkers: true,
  })
  assert.deepEqual([done.requeueAfterMs, listener], [0, undefined])
})

test('a Trigger whose Broker is missing says so and stops delivering', async () => {
  const done = await reconcileOnce(aTrigger(), { kind: trigger, workers: new Map([['dispatch', {}]]) })
  assert.deepEqual(done.condition('BrokerReady'), {
    status: 'False',
    reason: 'BrokerDoesNotExist',
    message: 'Broker "orders" does not exist',
  })
  assert.equal(done.condition('Ready')?.status, 'False')
  assert.equal(done.workers.size, 0)
})

test('a Trigger shows why its Broker is not Ready, and touches nothing else', async () => {
  const done = await run(aTrigger(), [aBroker('False')])
  assert.deepEqual(done.condition('BrokerReady'), { status: 'False', reason: 'Broken', message: 'why' })
  assert.equal(done.condition('SubscriberResolved')?.status, 'Unknown')
  assert.equal(done.workers.size, 0)
})

test('a subscriber that does not exist is named', async () => {
  const ref = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'gone', namespace: 'shop' }
  const done = await run(aTrigger({ subscriber: { ref } }), [aBroker()])
  assert.equal(done.condition('SubscriberResolved')?.reason, "Unable to get the Subscriber's URI")
  assert.match(done.condition('SubscriberResolved')?.message ?? '', /gone/)
  assert.equal(done.status.subscriberUri, undefined)
})

test('a Trigger without a dead letter sink has its Broker’s, even when it has a delivery of its own', async () => {
  const delivery = { deadLetterSink: { uri: 'http://dead.example/' }, retry: 7 }
  const withSink = aBroker('True', {
    spec: { delivery },
    status: { ...aBroker().status!, deadLetterSinkUri: 'http://dead.example/' },
  })
  const own = await run(aTrigger({ delivery: { retry: 3 } }), [withSink])
  assert.deepEqual(dispatchOf(own).deadLetter, { url: 'http://dead.example/' })
  assert.deepEqual(dispatchOf(own).delivery, { retry: 3 })
  assert.equal(own.status.deadLetterSinkUri, 'http://dead.example/')
  const inherited = await run(aTrigger(), [withSink])
  assert.equal(dispatchOf(inherited).delivery?.retry, 7)
})

test('a Broker that did not resolve its dead letter sink keeps the Trigger from being Ready', async () => {
  const broken = aBroker('True', { spec: { delivery: { deadLetterSink: { uri: 'http://dead.example/' } } } })
  const done = await run(aTrigger(), [broken])
  assert.deepEqual(done.condition('DeadLetterSinkResolved'), {
    status: 'False',
    reason: "Unable to get the dead letter sink's URI",
    message: "Broker orders didn't set status.deadLetterSinkURI",
  })
})

test('only annotations of our own reach delivery', async () => {
  const done = await run(aTrigger({}, { 'knode.dev/max-in-flight': '3', 'example.com/note': 'x' }), [aBroker()])
  assert.deepEqual(dispatchOf(done).annotations, { 'knode.dev/max-in-flight': '3' })
})

test('a dependency must exist and be Ready', async () => {
  const dependency = JSON.stringify({ apiVersion: 'sources.knative.dev/v1', kind: 'PingSource', name: 'ping' })
  const dependent = aTrigger({}, { 'knative.dev/dependency': dependency })
  const missing = await run(dependent, [aBroker()])
  assert.equal(missing.condition('DependencyReady')?.reason, 'DependencyDoesNotExist')
  const nothing = await run(aTrigger({}, { 'knative.dev/dependency': 'null' }), [aBroker()])
  assert.equal(nothing.condition('DependencyReady')?.reason, 'DependencyDoesNotExist')
  const ping = (observedGeneration: number, status: 'True' | 'False'): Resource => ({
    apiVersion: 'sources.knative.dev/v1',
    kind: 'PingSource',
    metadata: { name: 'ping', namespace: 'shop', generation: 2 },
    spec: {},
    status: { observedGeneration, conditions: [{ type: 'Ready', status, reason: 'R', message: 'm' }] },
  })
  const behind = await run(dependent, [aBroker(), ping(1, 'True')])
  assert.equal(behind.condition('DependencyReady')?.reason, 'GenerationNotEqual')
  const failing = await run(dependent, [aBroker(), ping(2, 'False')])
  assert.deepEqual(failing.condition('DependencyReady'), { status: 'False', reason: 'R', message: 'm' })
  const fine = await run(dependent, [aBroker(), ping(2, 'True')])
  assert.equal(fine.condition('Ready')?.status, 'True')
})

test('the position of a deleted Trigger is forgotten', async () => {
  const forgotten: string[][] = []
  const delivery = { forget: (...names: string[]) => Promise.resolve(void forgotten.push(names)) } as never
  await reconcileOnce(aTrigger(), { kind: trigger, stored: [aBroker()], finalize: true, deps: { delivery } })
  assert.deepEqual(forgotten, [['broker/shop/orders/uid-of-broker-orders', 'uid-of-trigger-billing']])
})

test("the position of a deleted Trigger is forgotten in the stream of another namespace's Broker, too", async () => {
  const forgotten: string[][] = []
  const delivery = { forget: (...names: string[]) => Promise.resolve(void forgotten.push(names)) } as never
  const brokerRef = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'orders', namespace: 'central' }
  const { broker: _, ...spec } = aTrigger().spec
  const object = { ...aTrigger(), spec: { ...spec, brokerRef } }
  const broker = aBroker()
  const stored = [{ ...broker, metadata: { ...broker.metadata, namespace: 'central' } }]
  await reconcileOnce(object, { kind: trigger, stored, finalize: true, deps: { delivery } })
  assert.deepEqual(forgotten, [['broker/central/orders/uid-of-broker-orders', 'uid-of-trigger-billing']])
})
