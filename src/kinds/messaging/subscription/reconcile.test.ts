import assert from 'node:assert/strict'
import test from 'node:test'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import type { Channel, Channelable } from '../channel/schema.ts'
import { subscription } from './kind.ts'
import type { Subscription } from './schema.ts'
import { validateSubscription } from './validate.ts'

const aSubscription = (spec: Partial<Subscription['spec']> = {}): Subscription => ({
  apiVersion: 'messaging.knative.dev/v1',
  kind: 'Subscription',
  metadata: { name: 'billing', namespace: 'shop', uid: 'sub-1', generation: 2 },
  spec: {
    channel: { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel', name: 'orders' },
    subscriber: { uri: 'http://billing.example/' },
    ...spec,
  },
})

const anInMemoryChannel = (changes: Partial<Channelable> = {}): Channelable => ({
  apiVersion: 'messaging.knative.dev/v1',
  kind: 'InMemoryChannel',
  metadata: { name: 'orders', namespace: 'shop' },
  spec: {},
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
  ...changes,
})

const subscribersIn = (objects: { kind: string; spec?: object }[]): unknown =>
  (objects.find(({ kind }) => kind === 'InMemoryChannel') as Channelable).spec.subscribers

test('a Subscription writes itself into its channel and waits until the channel says it is served', async () => {
  const run = await reconcileOnce(aSubscription(), { kind: subscription, stored: [anInMemoryChannel()] })
  assert.deepEqual(subscribersIn(await run.stored()), [
    { uid: 'sub-1', name: 'billing', generation: 2, subscriberUri: 'http://billing.example/' },
  ])
  assert.equal(run.condition('AddedToChannel')?.status, 'True')
  assert.deepEqual(run.condition('ChannelReady'), {
    status: 'Unknown',
    reason: 'SubscriptionNotMarkedReadyByChannel',
    message: `Failed to get subscription status: subscription "billing" not present in channel "orders" subscriber's list`,
  })
  assert.deepEqual(run.events, [
    { type: 'Normal', reason: 'SubscriberSync', message: 'Subscription was synchronized to channel "orders"' },
  ])
})

test('certificates that an address is to be trusted by are told to the channel', async () => {
  const spec = {
    subscriber: { uri: 'https://billing.example/', CACerts: 'one' },
    reply: { uri: 'https://reply.example/', CACerts: 'two' },
  }
  const deadLetterSink = { uri: 'https://dead.example/', CACerts: 'three' }
  const entryOf = async (object: Subscription, channel: Channelable): Promise<unknown> => {
    const run = await reconcileOnce(object, { kind: subscription, stored: [channel] })
    return (subscribersIn(await run.stored()) as object[])[0]
  }
  const entry = {
    uid: 'sub-1',
    name: 'billing',
    generation: 2,
    subscriberUri: 'https://billing.example/',
    subscriberCACerts: 'one',
    replyUri: 'https://reply.example/',
    replyCACerts: 'two',
    delivery: { deadLetterSink },
  }
  assert.deepEqual(await entryOf(aSubscription({ ...spec, delivery: { deadLetterSink } }), anInMemoryChannel()), entry)
  const status = { deadLetterSinkUri: deadLetterSink.uri, deadLetterSinkCACerts: deadLetterSink.CACerts }
  assert.deepEqual(await entryOf(aSubscription(spec), anInMemoryChannel({ status })), entry)
})

test('a Subscription is Ready once the channel serves its generation', async () => {
  const entry = { uid: 'sub-1', name: 'billing', generation: 2, subscriberUri: 'http://billing.example/' }
  const serving = (observedGeneration: number): Channelable =>
    anInMemoryChannel({
      spec: { subscribers: [entry] },
      status: { subscribers: [{ uid: 'sub-1', observedGeneration, ready: 'True' }] },
    })
  const done = await reconcileOnce(aSubscription(), { kind: subscription, stored: [serving(2)] })
  assert.equal(done.condition('Ready')?.status, 'True')
  assert.deepEqual(done.events, [], 'nothing to sync, nothing to tell')
  const behind = await reconcileOnce(aSubscription(), { kind: subscription, stored: [serving(1)] })
  assert.equal(behind.condition('Ready')?.status, 'Unknown')
})

test('delivery of the channel counts when the Subscription has none, but for the sink, which falls back alone', async () => {
  const channel = anInMemoryChannel({
    spec: { delivery: { retry: 5, timeout: 'PT1S', deadLetterSink: { uri: 'http://dead.example/' } } },
    status: { deadLetterSinkUri: 'http://dead.example/' },
  })
  const deliveryOf = async (spec: Partial<Subscription['spec']>): Promise<unknown> => {
    const run = await reconcileOnce(aSubscription(spec), { kind: subscription, stored: [channel] })
    return (subscribersIn(await run.stored()) as { delivery?: object }[])[0]?.delivery
  }
  const sink = { deadLetterSink: { uri: 'http://dead.example/' } }
  assert.deepEqual(await deliveryOf({}), { retry: 5, timeout: 'PT1S', ...sink })
  assert.deepEqual(await deliveryOf({ delivery: { retry: 1 } }), { retry: 1, ...sink })
  const own = { deadLetterSink: { uri: 'http://own.example/' } }
  assert.deepEqual(await deliveryOf({ delivery: own }), own)
})

test('a Subscription to a Channel writes into the channel behind it', async () => {
  const front = (ready: 'True' | 'False'): Channel => ({
    apiVersion: 'messaging.knative.dev/v1',
    kind: 'Channel',
    metadata: { name: 'front', namespace: 'shop' },
    spec: {},
    status: {
      conditions: [{ type: 'Ready', status: ready }],
      channel: { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel', name: 'orders', namespace: 'shop' },
    },
  })
  const toFront = aSubscription({ channel: { apiVersion: 'messaging.knative.dev/v1', kind: 'Channel', name: 'front' } })
  const run = await reconcileOnce(toFront, { kind: subscription, stored: [front('True'), anInMemoryChannel()] })
  assert.equal((subscribersIn(await run.stored()) as unknown[]).length, 1)
  const waiting = await reconcileOnce(toFront, { kind: subscription, stored: [front('False'), anInMemoryChannel()] })
  assert.deepEqual(waiting.condition('ReferencesResolved'), {
    status: 'Unknown',
    reason: 'ChannelReferenceFailed',
    message: 'Failed to get Spec.Channel or backing channel: channel is not ready.',
  })
})

test('what does not resolve is named', async () => {
  const gone = { ref: { apiVersion: 'v1', kind: 'Service', name: 'gone', namespace: 'shop' } }
  const rows = [
    [{ subscriber: gone }, 'SubscriberResolveFailed', /^Failed to resolve spec\.subscriber: /],
    [{ reply: gone }, 'ReplyResolveFailed', /^Failed to resolve spec\.reply: /],
    [
      { delivery: { deadLetterSink: gone } },
      'DeadLetterSinkResolveFailed',
      /^Failed to resolve spec\.delivery\.deadLetterSink: /,
    ],
  ] as const
  for (const [spec, reason, message] of rows) {
    const run = await reconcileOnce(aSubscription(spec), { kind: subscription, stored: [anInMemoryChannel()] })
    assert.equal(run.condition('ReferencesResolved')?.reason, reason)
    assert.match(run.condition('ReferencesResolved')?.message ?? '', message)
  }
})

test('a deleted Subscription leaves its channel, and the others stay', async () => {
  const channel = anInMemoryChannel({
    spec: {
      subscribers: [
        { uid: 'other', subscriberUri: 'http://o/' },
        { uid: 'sub-1', subscriberUri: 'http://b/' },
      ],
    },
  })
  const run = await reconcileOnce(aSubscription(), { kind: subscription, stored: [channel], finalize: true })
  assert.deepEqual(subscribersIn(await run.stored()), [{ uid: 'other', subscriberUri: 'http://o/' }])
})

test('a Subscription is refused in upstream’s words', () => {
  const refusal = (spec: Subscription['spec'], old?: Subscription): string =>
    fieldErrorText(
      validateSubscription(
        { ...aSubscription(), spec },
        {
          operation: 'create',
          user: { username: 'me' },
          config: { data: () => ({}) },
          ...(old === undefined ? {} : { old }),
        },
      ),
    )
  const { channel } = aSubscription().spec
  assert.equal(refusal({}), 'missing field(s): spec.channel\nthe Subscription must reference a channel')
  assert.equal(
    refusal({ channel: channel! }),
    'missing field(s): spec.subscriber\nthe Subscription must reference a subscriber',
  )
  assert.equal(
    refusal({ channel: { ...channel!, namespace: 'other' }, subscriber: { uri: 'http://x/' } }),
    'must not set the field(s): spec.channel.namespace',
  )
  assert.equal(
    refusal({ channel: { ...channel!, name: 'y' }, subscriber: { uri: 'http://x/' } }, aSubscription()),
    'Immutable fields changed (-old +new): spec\n{v1.SubscriptionSpec}.Channel.Name:\n\t-: "orders"\n\t+: "y"\n',
  )
})
