import assert from 'node:assert/strict'
import test from 'node:test'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import type { ReconcileRun } from '../../../engine/control-loop/reconcile-once.ts'
import type { DispatchSpec, KindDeps } from '../../../engine/reconciler.ts'
import type { SubscriberSpec } from '../../../model/duck/types.ts'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import { setInMemoryChannelDefaults } from './defaults.ts'
import { inMemoryChannel } from './kind.ts'
import type { InMemoryChannel } from './schema.ts'
import { validateInMemoryChannel } from './validate.ts'

const aChannel = (spec: InMemoryChannel['spec'] = {}): InMemoryChannel => ({
  apiVersion: 'messaging.knative.dev/v1',
  kind: 'InMemoryChannel',
  metadata: { name: 'orders', namespace: 'shop' },
  spec,
})

const aSubscriber = (uid: string, more: Partial<SubscriberSpec> = {}): SubscriberSpec => ({
  uid,
  name: `subscription-${uid}`,
  generation: 3,
  subscriberUri: `http://${uid}.example/`,
  ...more,
})

async function run(
  object: InMemoryChannel,
  {
    consumers = [],
    startWorkers = false,
    dispatch,
  }: { consumers?: string[]; startWorkers?: boolean; dispatch?: () => never } = {},
): Promise<ReconcileRun<InMemoryChannel> & { forgotten: string[] }> {
  const forgotten: string[] = []
  const stream = { name: 'the-stream', info: () => ({ consumers: consumers.map((name) => ({ name })) }) }
  const deps = {
    transport: { ensureStream: () => Promise.resolve(stream) },
    delivery: { forget: (_: string, name: string) => Promise.resolve(void forgotten.push(name)), dispatch },
  } as unknown as Partial<KindDeps>
  const workers = new Map(consumers.map((name) => [name, {}]))
  return { ...(await reconcileOnce(object, { kind: inMemoryChannel, deps, workers, startWorkers })), forgotten }
}

test('an InMemoryChannel gets a Service, an address, and is Ready', async () => {
  const done = await run(aChannel())
  assert.equal(done.condition('Ready')?.status, 'True')
  assert.deepEqual(done.status.address, { name: 'http', url: 'http://127.0.0.1:7481/channels/shop/orders' })
  assert.equal(done.applied[0]?.metadata.name, 'orders-kn-channel')
  assert.deepEqual(done.applied[0]?.metadata.labels, { 'messaging.knative.dev/role': 'in-memory-channel' })
})

test('each subscriber is dispatched to and told ready for its generation', async () => {
  const subscriber = aSubscriber('u1', {
    replyUri: 'http://reply.example/',
    delivery: { retry: 4, deadLetterSink: { uri: 'http://dead.example/' } },
  })
  const done = await run(aChannel({ subscribers: [subscriber] }))
  assert.deepEqual(done.status.subscribers, [{ uid: 'u1', observedGeneration: 3, ready: 'True' }])
  const { subscriber: target, reply, deadLetter, delivery, contract } = done.workers.get('u1') as DispatchSpec
  assert.deepEqual(
    { target, reply, deadLetter, delivery, contract },
    {
      target: { url: 'http://u1.example/' },
      reply: { url: 'http://reply.example/' },
      deadLetter: { url: 'http://dead.example/' },
      delivery: { retry: 4 },
      contract: 'subscription',
    },
  )
})

test('whom to trust goes with each address', async () => {
  const subscriber = aSubscriber('u1', {
    subscriberCACerts: 'one',
    replyUri: 'https://reply.example/',
    replyCACerts: 'two',
    delivery: { deadLetterSink: { uri: 'https://dead.example/', CACerts: 'three' } },
  })
  const done = await run(aChannel({ subscribers: [subscriber] }))
  const { subscriber: target, reply, deadLetter } = done.workers.get('u1') as DispatchSpec
  assert.deepEqual([target?.CACerts, reply?.CACerts, deadLetter?.CACerts], ['one', 'two', 'three'])
})

test('a subscriber that is gone is stopped, and its position forgotten', async () => {
  const done = await run(aChannel({ subscribers: [aSubscriber('u1')] }), { consumers: ['u1', 'u2'] })
  assert.deepEqual([...done.workers.keys()], ['u1'])
  assert.deepEqual(done.forgotten, ['u2'])
})

test('a subscriber that cannot be dispatched to is told why, and the others go on', async () => {
  const dispatch = (): never => {
    throw new Error('no stream')
  }
  const done = await run(aChannel({ subscribers: [aSubscriber('u1')] }), { startWorkers: true, dispatch })
  assert.deepEqual(done.status.subscribers, [
    { uid: 'u1', observedGeneration: 3, ready: 'False', message: 'no stream' },
  ])
})

test('only the controller may edit the subscribers', () => {
  const before = aChannel()
  const after = aChannel({ subscribers: [aSubscriber('u1')] })
  for (const channel of [before, after]) setInMemoryChannelDefaults(channel)
  const by = (username: string): string =>
    fieldErrorText(
      validateInMemoryChannel(after, {
        operation: 'update',
        old: before,
        user: { username },
        config: { data: () => ({}) },
      }),
    )
  assert.equal(by('system:serviceaccount:knative-eventing:eventing-controller'), '')
  assert.match(
    by('me'),
    /^Channel\.Spec\.Subscribers changed by user me which was not the system:serviceaccount:knative-eventing:eventing-controller service account: spec\.subscribers\n/,
  )
})

test('a subscriber without any address is refused', () => {
  const channel = aChannel({ subscribers: [{ uid: 'u' }] })
  setInMemoryChannelDefaults(channel)
  const errors = validateInMemoryChannel(channel, {
    operation: 'create',
    user: { username: 'me' },
    config: { data: () => ({}) },
  })
  assert.equal(
    fieldErrorText(errors),
    'missing field(s): spec.subscribable.subscriber[0].replyURI, spec.subscribable.subscriber[0].subscriberURI',
  )
})
