import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../base/eventually.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import type { Delivery, StoredEvent } from '../../ports/event-transport/port.ts'
import { ReplaySource } from './replay-source.ts'
import { anEvent } from './test-bed.ts'

test('what fails when a replay was stopped is not waited for: nothing is left of it', async () => {
  const clock = new FakeClock()
  const stored: StoredEvent = { offset: 0, appendedMs: 0, message: { event: anEvent(), headers: {} } }
  const source = new ReplaySource({
    stream: {
      async *read() {
        yield stored
      },
    },
    from: 'earliest',
    untilMs: Infinity,
    limit: Infinity,
    wants: () => true,
    marked: (event) => event,
    retryingMax: 10,
    unsettledMax: 10,
    clock,
  })
  const deliveries: Delivery[] = []
  const consumption = await source.consume('c', { handle: (delivery) => void deliveries.push(delivery) })
  await eventually(() => deliveries.length === 1, 'the event')
  await consumption[Symbol.asyncDispose]()
  deliveries[0]!.retryLater(3_600_000)
  assert.equal(clock.pendingTimers, 0)
})
