// When a batch is closed, and which events share one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../base/fake-clock.ts'
import type { Delivery } from '../../ports/event-transport/port.ts'
import { BatchCollector } from './batch-collector.ts'
import type { BatchLimits } from './batch-collector.ts'
import { anEvent } from './test-bed.ts'

function aCollector(limits: Partial<BatchLimits> = {}) {
  const clock = new FakeClock()
  const batches: number[][] = []
  const all = { eventsMax: 3, waitMs: 1_000, bytesMax: 1_000, reunionMs: 100, returningMax: 100, ...limits }
  const collector = new BatchCollector(
    all,
    clock,
    (deliveries) => void batches.push(deliveries.map(({ offset }) => offset)),
  )
  return { clock, batches, collector }
}

const aDelivery = (offset: number, attempt = 1, specversion = '1.0', data = '{}'): Delivery => ({
  offset,
  attempt,
  dueMs: 0,
  appendedMs: 0,
  message: { event: anEvent({ specversion }, data), headers: {} },
  ack: () => undefined,
  retryLater: () => undefined,
  setAside: () => undefined,
})

test('the wait begins with the first event of a batch', async () => {
  const { clock, batches, collector } = aCollector()
  collector.add(aDelivery(1))
  await clock.advance(999)
  collector.add(aDelivery(2))
  assert.deepEqual(batches, [])
  await clock.advance(1)
  assert.deepEqual(batches, [[1, 2]])
  assert.equal(clock.pendingTimers, 0)
})

test('a batch stays below the bound of bytes; an event above it goes alone', async () => {
  const { clock, batches, collector } = aCollector({ bytesMax: 10 })
  collector.add(aDelivery(1, 1, '1.0', 'x'.repeat(6)))
  collector.add(aDelivery(2, 1, '1.0', 'x'.repeat(6)))
  collector.add(aDelivery(3, 1, '1.0', 'x'.repeat(99)))
  await clock.advance(1_000)
  assert.deepEqual(batches, [[1], [2], [3]])
})

test('events of different specversion do not share a batch', async () => {
  const { clock, batches, collector } = aCollector()
  for (const [offset, specversion] of ['1.0', '0.3', '1.0'].entries()) collector.add(aDelivery(offset, 1, specversion))
  await clock.advance(1_000)
  assert.deepEqual(batches, [[0, 2], [1]])
})

test('failed batches come back as they were, however their events arrive', () => {
  const { batches, collector } = aCollector()
  collector.expectAgain([1, 2, 3].map((offset) => aDelivery(offset)))
  collector.expectAgain([4, 5].map((offset) => aDelivery(offset)))
  for (const offset of [4, 1, 3, 5, 2]) collector.add(aDelivery(offset, 2))
  assert.deepEqual(batches, [
    [4, 5],
    [1, 3, 2],
  ])
})

test('a failed batch of which a part does not come goes without it, and the part after it', async () => {
  const { clock, batches, collector } = aCollector({ waitMs: 0 })
  collector.expectAgain([1, 2, 3].map((offset) => aDelivery(offset)))
  collector.add(aDelivery(1, 2))
  collector.add(aDelivery(2, 2))
  await clock.advance(100)
  collector.add(aDelivery(3, 2))
  await clock.advance(100)
  assert.deepEqual(batches, [[1, 2], [3]])
})

test('events whose batch is not remembered share one with others of the same try only', async () => {
  const { clock, batches, collector } = aCollector({ returningMax: 1 })
  collector.expectAgain([1, 2].map((offset) => aDelivery(offset)))
  collector.add(aDelivery(1, 2))
  collector.add(aDelivery(7, 3))
  collector.add(aDelivery(9, 1))
  collector.add(aDelivery(2, 2))
  await clock.advance(1_000)
  assert.deepEqual(
    batches.toSorted((a, b) => a[0]! - b[0]!),
    [[1, 2], [7], [9]],
  )
})

test('once stopped it hands over nothing', async () => {
  const { clock, batches, collector } = aCollector()
  collector.add(aDelivery(1))
  collector.stop()
  await clock.advance(10_000)
  assert.deepEqual([batches, clock.pendingTimers], [[], 0])
})
