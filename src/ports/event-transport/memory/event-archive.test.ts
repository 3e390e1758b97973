// What the archive promises, whatever comes and is let go.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../../base/random.ts'
import { cloudEvent } from '../../../model/cloudevents/event.ts'
import type { EventMessage } from '../../../model/cloudevents/event.ts'
import { recordBytesMax } from '../../../model/cloudevents/record.ts'
import { EventArchive } from './event-archive.ts'

const aMessage = (id: number, bytes: number): EventMessage => ({
  event: cloudEvent({ id: String(id), source: '/s', type: 't', flag: true, count: id }, Buffer.alloc(bytes, id)),
  headers: { traceparent: `trace ${id}` },
})

test('an archive gives every event back as it came, of any size, until it is let go', () => {
  const random = seededRandom(11)
  const archive = new EventArchive()
  const model: EventMessage[] = []
  let first = 0
  for (let step = 0; step < 4_000; step++) {
    if (random.next() < 0.6 || first === model.length) {
      const bytes = random.next() < 0.01 ? 400_000 : Math.floor(random.next() * 2_000)
      const message = aMessage(model.length, bytes)
      assert.equal(archive.push(message, 1_000 + model.length, recordBytesMax(message)), model.length)
      model.push(message)
    } else {
      archive.dropOldest()
      first++
    }
    const offset = Math.floor(random.next() * (model.length + 1))
    const isKept = offset >= first && offset < model.length
    const expected = isKept ? { offset, appendedMs: 1_000 + offset, message: model[offset]! } : undefined
    assert.deepEqual(archive.get(offset), expected)
    assert.equal(archive.timeOf(offset), expected?.appendedMs)
    assert.deepEqual([archive.firstOffset, archive.nextOffset], [first, model.length])
  }
  while (first++ < model.length) archive.dropOldest()
  assert.equal(archive.bytes, 0)
})

test('an event that was asked for stays whole when its place is taken by others', () => {
  const archive = new EventArchive()
  const fill = (from: number): void => {
    for (let id = from; id < from + 2_000; id++)
      archive.push(aMessage(id, 1_000), 0, recordBytesMax(aMessage(id, 1_000)))
  }
  fill(0)
  const kept = archive.get(1_500)
  for (let id = 0; id < 2_000; id++) archive.dropOldest()
  fill(2_000)
  assert.deepEqual(kept?.message, aMessage(1_500, 1_000))
  assert.equal(archive.get(1_500), undefined)
})
