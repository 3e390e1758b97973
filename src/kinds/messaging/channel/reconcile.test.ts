import assert from 'node:assert/strict'
import test from 'node:test'
import { FakeClock } from '../../../base/fake-clock.ts'
import { FakeClient } from '../../../engine/control-loop/fake-client.ts'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import { openResourceStore } from '../../../ports/resource-store/open.ts'
import { channel } from './kind.ts'
import type { Channel, Channelable } from './schema.ts'

const aChannel = (spec: Partial<Channel['spec']> = {}): Channel => ({
  apiVersion: 'messaging.knative.dev/v1',
  kind: 'Channel',
  metadata: { name: 'orders', namespace: 'shop' },
  spec: { channelTemplate: { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel' }, ...spec },
})

const aBacking = (status: Channelable['status'] = {}, ownerUid = 'uid-of-channel-orders'): Channelable => ({
  apiVersion: 'messaging.knative.dev/v1',
  kind: 'InMemoryChannel',
  metadata: {
    name: 'orders',
    namespace: 'shop',
    ownerReferences: [
      { apiVersion: 'messaging.knative.dev/v1', kind: 'Channel', name: 'orders', uid: ownerUid, controller: true },
    ],
  },
  spec: {},
  status,
})

const ready = {
  conditions: [{ type: 'Ready', status: 'True' as const }],
  address: { url: 'http://gateway/channels/shop/orders' },
}

test('a Channel whose channel cannot be made says why', async () => {
  const clock = new FakeClock()
  const client = new FakeClient({ store: await openResourceStore({ driver: 'memory' }), clock })
  client.withoutKind('InMemoryChannel.messaging.knative.dev')
  const run = await reconcileOnce(aChannel(), { kind: channel, deps: { client, clock } })
  assert.match(String(run.thrown), /no matches for kind/)
  assert.deepEqual(run.condition('BackingChannelReady'), {
    status: 'False',
    reason: 'ChannelFailure',
    message: 'no matches for kind "InMemoryChannel"',
  })
})

test('a Channel makes a channel of its template’s kind, with its delivery', async () => {
  const template = { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel', spec: { extra: true } }
  const run = await reconcileOnce(aChannel({ channelTemplate: template, delivery: { retry: 2 } }), { kind: channel })
  assert.equal(run.applied.length, 1)
  assert.equal(run.applied[0]?.kind, 'InMemoryChannel')
  assert.deepEqual(run.applied[0]?.spec, { extra: true, delivery: { retry: 2 } })
  assert.equal(run.applied[0]?.metadata.ownerReferences?.[0]?.kind, 'Channel')
  assert.equal(run.condition('BackingChannelReady')?.reason, 'BackingChannelNotConfigured')
  assert.deepEqual(run.condition('Addressable'), {
    status: 'False',
    reason: 'EmptyHostname',
    message: 'hostname is the empty string',
  })
})

test('a Channel shows address and subscribers of the channel behind it', async () => {
  const subscribers = [{ uid: 'u', ready: 'True' as const }]
  const run = await reconcileOnce(aChannel(), { kind: channel, stored: [aBacking({ ...ready, subscribers })] })
  assert.equal(run.condition('Ready')?.status, 'True')
  assert.deepEqual(run.status.address, ready.address)
  assert.deepEqual(run.status.subscribers, subscribers)
  assert.equal(run.status.channel?.kind, 'InMemoryChannel')
  assert.equal(run.applied.length, 0, 'a backing channel is never updated')
})

test('a channel of the same name that belongs to another is not taken over', async () => {
  const run = await reconcileOnce(aChannel(), { kind: channel, stored: [aBacking(ready, 'someone-else')] })
  assert.equal(run.condition('BackingChannelReady')?.reason, 'ChannelFailure')
})

test('a dead letter sink counts once the channel behind it has resolved it', async () => {
  const spec = { delivery: { deadLetterSink: { uri: 'http://dead.example/' } } }
  const waiting = await reconcileOnce(aChannel(spec), { kind: channel, stored: [aBacking(ready)] })
  assert.equal(
    waiting.condition('DeadLetterSinkResolved')?.message,
    "Backing Channel orders didn't set status.deadLetterSinkURI",
  )
  const resolved = aBacking({ ...ready, deadLetterSinkUri: 'http://dead.example/' })
  const done = await reconcileOnce(aChannel(spec), { kind: channel, stored: [resolved] })
  assert.equal(done.status.deadLetterSinkUri, 'http://dead.example/')
})
