import assert from 'node:assert/strict'
import test from 'node:test'
import { FakeClock } from '../../../base/fake-clock.ts'
import { FakeClient } from '../../../engine/control-loop/fake-client.ts'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import { openResourceStore } from '../../../ports/resource-store/open.ts'
import { parallel } from './kind.ts'
import type { Parallel } from './schema.ts'

const aParallel = (
  branches: NonNullable<Parallel['spec']['branches']>,
  more: Partial<Parallel['spec']> = {},
): Parallel => ({
  apiVersion: 'flows.knative.dev/v1',
  kind: 'Parallel',
  metadata: { name: 'split', namespace: 'shop' },
  spec: { channelTemplate: { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel' }, branches, ...more },
})

const channelRef = (name: string): object => ({ apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel', name })

test('a Parallel whose channels cannot be made says why', async () => {
  const clock = new FakeClock()
  const client = new FakeClient({ store: await openResourceStore({ driver: 'memory' }), clock })
  client.withoutKind('InMemoryChannel.messaging.knative.dev')
  const run = await reconcileOnce(aParallel([{ subscriber: { uri: 'http://a/' } }]), {
    kind: parallel,
    deps: { client, clock },
  })
  assert.match(String(run.thrown), /no matches for kind/)
  assert.deepEqual(run.condition('ChannelsReady'), {
    status: 'False',
    reason: 'ChannelsNotReady',
    message: 'failed to reconcile channel split-kn-parallel: no matches for kind "InMemoryChannel"',
  })
})

test('a branch is a filter before a channel before a subscriber', async () => {
  const branch = { filter: { uri: 'http://odd/' }, subscriber: { uri: 'http://worker/' }, delivery: { retry: 2 } }
  const run = await reconcileOnce(aParallel([branch], { reply: { uri: 'http://done/' } }), { kind: parallel })
  const byName = new Map(run.applied.map((child) => [`${child.kind} ${child.metadata.name}`, child.spec]))
  assert.deepEqual(
    [...byName.keys()],
    [
      'InMemoryChannel split-kn-parallel',
      'InMemoryChannel split-kn-parallel-0',
      'Subscription split-kn-parallel-filter-0',
      'Subscription split-kn-parallel-0',
    ],
  )
  assert.deepEqual(byName.get('Subscription split-kn-parallel-filter-0'), {
    channel: channelRef('split-kn-parallel'),
    subscriber: { uri: 'http://odd/' },
    reply: { ref: { ...channelRef('split-kn-parallel-0'), namespace: 'shop' } },
  })
  assert.deepEqual(byName.get('Subscription split-kn-parallel-0'), {
    channel: channelRef('split-kn-parallel-0'),
    subscriber: { uri: 'http://worker/' },
    reply: { uri: 'http://done/' },
    delivery: { retry: 2 },
  })
})

test('a branch without a filter is fed directly, and its own reply beats the common one', async () => {
  const branch = { subscriber: { uri: 'http://worker/' }, reply: { uri: 'http://own/' } }
  const run = await reconcileOnce(aParallel([branch], { reply: { uri: 'http://done/' } }), { kind: parallel })
  const [, , filter, subscriber] = run.applied.map(({ spec }) => spec as { subscriber: object; reply?: object })
  assert.deepEqual(filter?.subscriber, { ref: { ...channelRef('split-kn-parallel-0'), namespace: 'shop' } })
  assert.equal(filter?.reply, undefined)
  assert.deepEqual(subscriber?.reply, { uri: 'http://own/' })
})

test('a Parallel whose children are not Ready is False', async () => {
  const run = await reconcileOnce(aParallel([{ subscriber: { uri: 'http://worker/' } }]), { kind: parallel })
  assert.equal(run.condition('ChannelsReady')?.status, 'False')
  assert.equal(run.condition('SubscriptionsReady')?.status, 'False')
  assert.equal(run.status.ingressChannelStatus?.ready.reason, 'NotAddressable')
  assert.equal(run.condition('Ready')?.status, 'False')
})
