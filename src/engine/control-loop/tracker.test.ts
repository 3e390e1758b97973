import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { anObject } from './small-world.ts'
import { Tracker } from './tracker.ts'

const readers = (tracker: Tracker, kind: string, name: string, namespace = 'shop'): string[] =>
  tracker
    .readersOf({ kind, type: 'modified', resource: anObject(kind, name, { metadata: { namespace } }) })
    .map((reader) => `${reader.kind} ${reader.key}`)

const trigger = { kind: 'Trigger', key: 'shop/a' }

describe('tracking', () => {
  test('a change is for exactly those that read the object', () => {
    const tracker = new Tracker()
    tracker.record(trigger).reads.object('Broker', 'shop', 'default')
    tracker.record({ kind: 'Trigger', key: 'shop/b' }).reads.object('Broker', 'shop', 'other')
    assert.deepEqual(readers(tracker, 'Broker', 'default'), ['Trigger shop/a'])
    assert.deepEqual(readers(tracker, 'Broker', 'other'), ['Trigger shop/b'])
    assert.deepEqual(readers(tracker, 'Broker', 'default', 'zoo'), [])
    assert.deepEqual(readers(tracker, 'Channel', 'default'), [])
  })

  test('who listed a kind reads each of its objects, in one namespace or in all', () => {
    const tracker = new Tracker()
    tracker.record(trigger).reads.list('Broker', 'shop')
    tracker.record({ kind: 'Trigger', key: 'zoo/b' }).reads.list('Broker', undefined)
    assert.deepEqual(readers(tracker, 'Broker', 'any'), ['Trigger shop/a', 'Trigger zoo/b'])
    assert.deepEqual(readers(tracker, 'Broker', 'any', 'zoo'), ['Trigger zoo/b'])
  })

  test('a reader is told once, and not of itself', () => {
    const tracker = new Tracker()
    const { reads } = tracker.record(trigger)
    reads.object('Broker', 'shop', 'default')
    reads.list('Broker', 'shop')
    reads.list('Trigger', 'shop')
    assert.deepEqual(readers(tracker, 'Broker', 'default'), ['Trigger shop/a'])
    assert.deepEqual(readers(tracker, 'Trigger', 'a'), [])
    assert.deepEqual(readers(tracker, 'Trigger', 'b'), ['Trigger shop/a'])
  })

  test('who looked at its children reads those it controls, also one that comes or is taken away', () => {
    const tracker = new Tracker()
    tracker.record(trigger).reads.children('Channel', 'uid-a')
    const child = (uid?: string): Resource =>
      anObject('Channel', 'any', {
        metadata: { ownerReferences: uid && [{ apiVersion: 'v1', kind: 'Any', name: 'any', uid, controller: true }] },
      })
    const told = (resource: Resource, previous?: Resource): number =>
      tracker.readersOf({ kind: 'Channel', type: 'modified', resource, ...(previous && { previous }) }).length
    assert.deepEqual([told(child('uid-a')), told(child('uid-b')), told(child())], [1, 0, 0])
    assert.equal(told(child(), child('uid-a')), 1)
  })

  test('what is no longer read no longer counts, once the reconcile went through', () => {
    const tracker = new Tracker()
    const first = tracker.record(trigger)
    first.reads.object('Broker', 'shop', 'old')
    first.done()
    const second = tracker.record(trigger)
    second.reads.object('Broker', 'shop', 'new')
    assert.deepEqual(readers(tracker, 'Broker', 'old'), ['Trigger shop/a'])
    second.done()
    assert.deepEqual(readers(tracker, 'Broker', 'old'), [])
    assert.deepEqual(readers(tracker, 'Broker', 'new'), ['Trigger shop/a'])
  })

  test('forgetting a reader leaves nothing behind', () => {
    const tracker = new Tracker()
    const { reads } = tracker.record(trigger)
    reads.object('Broker', 'shop', 'default')
    reads.list('Channel', undefined)
    assert.equal(tracker.size, 2)
    tracker.forget(trigger)
    tracker.forget(trigger)
    assert.equal(tracker.size, 0)
  })
})
