import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { EventTransport, StreamInfo } from '../../ports/event-transport/port.ts'
import { streamsRoute } from './streams.ts'
import { aRouteBed } from './test-route.ts'

const object = (apiVersion: string, kind: string, name: string): Resource => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'shop', uid: `uid-${name}` },
})

test('names the objects that streams and consumers belong to, and shows what is damaged', async () => {
  const damaged = [{ fromOffset: 5, toOffset: 8, segment: '0000.log', position: 123 }]
  const consumer = (name: string) => ({ name, position: 0, lag: 2, inFlight: 0, retrying: 0, active: true })
  const info = (name: string, more: Partial<StreamInfo>): StreamInfo => ({
    name,
    firstOffset: 0,
    nextOffset: 10,
    bytes: 100,
    consumers: [],
    damaged: [],
    ...more,
  })
  const streams = [
    info('broker/shop/orders/uid-orders', { damaged, consumers: [consumer('uid-billing'), consumer('uid-gone')] }),
    info('broker/shop/orders/uid-before', {}),
    info('channel/shop/plain/uid-plain', { consumers: [consumer('uid-listener')] }),
  ]
  const transport = {
    streams: () => streams,
    [Symbol.asyncDispose]: async () => undefined,
  } as unknown as EventTransport
  await using bed = await aRouteBed(streamsRoute, { transport })
  bed.objects.push(
    object('eventing.knative.dev/v1', 'Broker', 'orders'),
    object('eventing.knative.dev/v1', 'Trigger', 'billing'),
    object('messaging.knative.dev/v1', 'InMemoryChannel', 'plain'),
    object('messaging.knative.dev/v1', 'Subscription', 'listener'),
  )
  const { code, text } = await bed.call('/knode/v1/streams')
  assert.equal(code, 200)
  const named = (kind: string, name: string) => ({ kind, namespace: 'shop', name })
  assert.deepEqual(JSON.parse(text), {
    streams: [
      {
        ...streams[0],
        resource: named('Broker.eventing.knative.dev', 'orders'),
        consumers: [
          { ...consumer('uid-billing'), owner: named('Trigger.eventing.knative.dev', 'billing') },
          consumer('uid-gone'),
        ],
      },
      streams[1],
      {
        ...streams[2],
        resource: named('InMemoryChannel.messaging.knative.dev', 'plain'),
        consumers: [{ ...consumer('uid-listener'), owner: named('Subscription.messaging.knative.dev', 'listener') }],
      },
    ],
  })
  assert.equal((await bed.call('/knode/v1/streams', 'DELETE')).code, 405)
})
