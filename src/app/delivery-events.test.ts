// What `kubectl describe trigger` shows of deliveries that failed, and of subscribers that events wait for.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeClock } from '../base/fake-clock.ts'
import { silentLogger } from '../base/log.ts'
import { EventRecorder } from '../engine/control-loop/events.ts'
import { FakeClient } from '../engine/control-loop/fake-client.ts'
import { eventKind } from '../engine/control-loop/small-world.ts'
import type { GiveUp } from '../engine/delivery/telemetry.ts'
import type { Caches } from '../engine/reconciler.ts'
import { cloudEvent } from '../model/cloudevents/event.ts'
import type { Resource } from '../model/kubernetes/resource.ts'
import { openResourceStore } from '../ports/resource-store/open.ts'
import { deliveryEvents } from './delivery-events.ts'

const trigger: Resource = {
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Trigger',
  metadata: { name: 'billing', namespace: 'shop', uid: 'uid-1' },
}
const owner = { kind: 'Trigger.eventing.knative.dev', namespace: 'shop', name: 'billing', uid: 'uid-1' }
const url = 'http://bill.example/'
const event = cloudEvent({ id: '1', source: '/shop', type: 'order' })

interface StoredEvent extends Resource {
  type: string
  reason: string
  message: string
  count: number
  involvedObject: { kind: string; name: string }
}

async function aBed() {
  const clock = new FakeClock()
  const store = await openResourceStore({ driver: 'memory' })
  const client = new FakeClient({ store, clock, kinds: [eventKind] })
  const recorder = new EventRecorder({ client, clock, log: silentLogger })
  const caches = {
    get: (kind: string, namespace: string, name: string) =>
      kind === owner.kind && namespace === 'shop' && name === 'billing' ? trigger : undefined,
  } as Pick<Caches, 'get'> as Caches
  return {
    events: deliveryEvents(caches, recorder),
    async told(): Promise<string[]> {
      await recorder.whenIdle()
      const stored = await client.list<StoredEvent>('Event')
      const { kind, name } = stored[0]?.involvedObject ?? {}
      if (stored.length > 0) assert.deepEqual([kind, name], ['Trigger', 'billing'])
      return stored.map(({ type, reason, message, count }) => `${type} ${reason} x${count}: ${message}`)
    },
    [Symbol.asyncDispose]: () => recorder[Symbol.asyncDispose](),
  }
}

const gaveUp = (more: Partial<GiveUp>): GiveUp => ({
  owner,
  event,
  deadLettered: false,
  reason: 'answered 400; there is no dead letter sink',
  url,
  ...more,
})

describe('the Events of a Trigger', () => {
  test('tell of each way to give an event up, once, with the reason and how often it came', async () => {
    await using bed = await aBed()
    for (let count = 0; count < 3; count++) bed.events.onGiveUp(gaveUp({}))
    for (let count = 0; count < 2; count++)
      bed.events.onGiveUp(gaveUp({ deadLettered: true, reason: 'answered 503', event: cloudEvent({ id: 'other' }) }))
    assert.deepEqual((await bed.told()).toSorted(), [
      `Warning EventDeadLettered x2: Event went to the dead letter sink: delivery to ${url} failed: answered 503`,
      `Warning EventDropped x3: Event was dropped: delivery to ${url} failed: answered 400; there is no dead letter sink`,
    ])
  })

  test('are few, however many different things go wrong at once', async () => {
    await using bed = await aBed()
    for (let count = 0; count < 10_000; count++) bed.events.onGiveUp(gaveUp({ reason: `reason ${count}` }))
    assert.ok((await bed.told()).length <= 25)
  })

  test('tell when events begin to wait for the subscriber, why, and when they go again', async () => {
    await using bed = await aBed()
    const trouble = { reason: 'SubscriberDoesNotAnswer', message: `${url} does not answer: other side closed` } as const
    bed.events.onTrouble({ owner, url, trouble })
    bed.events.onTrouble({ owner, url, trouble: undefined })
    assert.deepEqual((await bed.told()).toSorted(), [
      `Normal SubscriberAnswers x1: ${url} takes events again`,
      `Warning SubscriberDoesNotAnswer x1: ${url} does not answer: other side closed; events wait`,
    ])
  })

  test('of one that is gone are told to nobody', async () => {
    await using bed = await aBed()
    bed.events.onGiveUp(gaveUp({ owner: { ...owner, name: 'gone' } }))
    bed.events.onTrouble({ owner: { ...owner, name: 'gone' }, url, trouble: undefined })
    assert.deepEqual(await bed.told(), [])
  })
})
