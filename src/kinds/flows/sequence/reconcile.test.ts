import assert from 'node:assert/strict'
import test from 'node:test'
import { FakeClock } from '../../../base/fake-clock.ts'
import { FakeClient } from '../../../engine/control-loop/fake-client.ts'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { openResourceStore } from '../../../ports/resource-store/open.ts'
import { sequence } from './kind.ts'
import type { Sequence } from './schema.ts'

const template = { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel' }

const aSequence = (steps: NonNullable<Sequence['spec']['steps']>, more: Partial<Sequence['spec']> = {}): Sequence => ({
  apiVersion: 'flows.knative.dev/v1',
  kind: 'Sequence',
  metadata: { name: 'wash', namespace: 'shop' },
  spec: { channelTemplate: template, steps, ...more },
})

const owner = {
  apiVersion: 'flows.knative.dev/v1',
  kind: 'Sequence',
  name: 'wash',
  uid: 'uid-of-sequence-wash',
  controller: true,
}

const aChild = (kind: string, name: string, spec: object = {}, url?: string): Resource => ({
  apiVersion: 'messaging.knative.dev/v1',
  kind,
  metadata: { name, namespace: 'shop', ownerReferences: [owner] },
  spec,
  status: { conditions: [{ type: 'Ready', status: 'True' }], ...(url === undefined ? {} : { address: { url } }) },
})

const channelRef = (name: string): object => ({ apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel', name })

test('a Sequence whose channels cannot be made says why', async () => {
  const clock = new FakeClock()
  const client = new FakeClient({ store: await openResourceStore({ driver: 'memory' }), clock })
  client.withoutKind('InMemoryChannel.messaging.knative.dev')
  const run = await reconcileOnce(aSequence([{ uri: 'http://a/' }]), { kind: sequence, deps: { client, clock } })
  assert.match(String(run.thrown), /no matches for kind/)
  assert.deepEqual(run.condition('ChannelsReady'), {
    status: 'Unknown',
    reason: 'ChannelsNotReady',
    message: 'failed to reconcile channel wash-kn-sequence-0 at step 0: no matches for kind "InMemoryChannel"',
  })
})

test('a Sequence chains a channel and a Subscription for each step; the last one answers to the reply', async () => {
  const steps = [{ uri: 'http://a/' }, { uri: 'http://b/', delivery: { retry: 3 } }]
  const run = await reconcileOnce(aSequence(steps, { reply: { uri: 'http://done/' } }), { kind: sequence })
  const names = run.applied.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
  assert.deepEqual(names, [
    'InMemoryChannel wash-kn-sequence-0',
    'InMemoryChannel wash-kn-sequence-1',
    'Subscription wash-kn-sequence-0',
    'Subscription wash-kn-sequence-1',
  ])
  assert.deepEqual(run.applied[2]?.spec, {
    channel: channelRef('wash-kn-sequence-0'),
    subscriber: { uri: 'http://a/' },
    reply: { ref: { ...channelRef('wash-kn-sequence-1'), namespace: 'shop' } },
  })
  assert.deepEqual(run.applied[3]?.spec, {
    channel: channelRef('wash-kn-sequence-1'),
    subscriber: { uri: 'http://b/' },
    reply: { uri: 'http://done/' },
    delivery: { retry: 3 },
  })
})

test('a Sequence whose children are not Ready is Unknown, never False', async () => {
  const run = await reconcileOnce(aSequence([{ uri: 'http://a/' }]), { kind: sequence })
  assert.deepEqual(run.condition('ChannelsReady'), {
    status: 'Unknown',
    reason: 'ChannelsNotReady',
    message: 'Channels are not ready yet, or there are none',
  })
  assert.equal(run.condition('SubscriptionsReady')?.reason, 'SubscriptionsNotReady')
  assert.equal(run.condition('Ready')?.status, 'Unknown')
  assert.equal(run.status.channelStatuses?.[0]?.ready.reason, 'NoReady')
})

test('a Sequence is Ready with its children, at the address of its first channel', async () => {
  const stored = [
    aChild('InMemoryChannel', 'wash-kn-sequence-0', {}, 'http://gateway/channels/shop/wash-kn-sequence-0'),
    aChild('Subscription', 'wash-kn-sequence-0', {
      channel: channelRef('wash-kn-sequence-0'),
      subscriber: { uri: 'http://a/' },
    }),
  ]
  const run = await reconcileOnce(aSequence([{ uri: 'http://a/' }]), { kind: sequence, stored })
  assert.equal(run.condition('Ready')?.status, 'True')
  assert.deepEqual(run.status.address, { url: 'http://gateway/channels/shop/wash-kn-sequence-0' })
})

test('children of steps that are gone are removed, but only our own', async () => {
  const stranger = {
    ...aChild('Subscription', 'wash-kn-sequence-7'),
    metadata: { name: 'wash-kn-sequence-7', namespace: 'shop' },
  }
  const stored = [
    aChild('InMemoryChannel', 'wash-kn-sequence-1'),
    aChild('Subscription', 'wash-kn-sequence-1'),
    stranger,
  ]
  const run = await reconcileOnce(aSequence([{ uri: 'http://a/' }]), { kind: sequence, stored })
  assert.deepEqual(run.removed, [
    'Subscription.messaging.knative.dev shop/wash-kn-sequence-1',
    'InMemoryChannel.messaging.knative.dev shop/wash-kn-sequence-1',
  ])
})

test('another kind of channel needs other Subscriptions', async () => {
  const old = aChild('Subscription', 'wash-kn-sequence-0', {
    channel: { apiVersion: 'messaging.knative.dev/v1beta1', kind: 'KafkaChannel', name: 'wash-kn-sequence-0' },
  })
  const run = await reconcileOnce(aSequence([{ uri: 'http://a/' }]), { kind: sequence, stored: [old] })
  assert.ok(run.removed.includes('Subscription.messaging.knative.dev shop/wash-kn-sequence-0'))
  assert.deepEqual((run.applied.at(-1)!.spec as { channel: object }).channel, channelRef('wash-kn-sequence-0'))
})
