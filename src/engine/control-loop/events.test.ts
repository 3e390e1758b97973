import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/log.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { openResourceStore } from '../../ports/resource-store/open.ts'
import { openCaches } from './caches.ts'
import { startEventExpiry } from './event-expiry.ts'
import { EventRecorder } from './events.ts'
import type { RecordedEvent } from './events.ts'
import { FakeClient } from './fake-client.ts'
import { anObject, eventKind } from './small-world.ts'

interface Recording extends AsyncDisposable {
  clock: FakeClock
  client: FakeClient
  recorder: EventRecorder
  stored(): Promise<(Resource & Record<string, unknown>)[]>
}

async function aRecorder(): Promise<Recording> {
  const clock = new FakeClock()
  const store = await openResourceStore({ driver: 'memory' })
  const client = new FakeClient({ store, clock, kinds: [eventKind] })
  const recorder = new EventRecorder({ client, clock, log: silentLogger })
  const stored: Recording['stored'] = async () => {
    await recorder.whenIdle()
    return await client.list('Event')
  }
  return { clock, client, recorder, stored, [Symbol.asyncDispose]: () => recorder[Symbol.asyncDispose]() }
}

const lamp = anObject('Lamp', 'desk', { metadata: { uid: 'uid-desk', resourceVersion: '7' } })
const broken: RecordedEvent = { type: 'Warning', reason: 'Broken', message: 'no bulb', component: 'lamp-controller' }

describe('the event recorder', () => {
  test('stores what kubectl describe shows', async () => {
    await using recording = await aRecorder()
    recording.recorder.record(lamp, broken)
    const [event] = await recording.stored()
    const { metadata, ...rest } = event!
    assert.match(metadata.name, /^desk\.[0-9a-f]{16}$/)
    assert.equal(metadata.namespace, 'shop')
    assert.deepEqual(rest, {
      apiVersion: 'v1',
      kind: 'Event',
      involvedObject: {
        apiVersion: 'test.knode.dev/v1',
        kind: 'Lamp',
        namespace: 'shop',
        name: 'desk',
        uid: 'uid-desk',
        resourceVersion: '7',
      },
      type: 'Warning',
      reason: 'Broken',
      message: 'no bulb',
      source: { component: 'lamp-controller' },
      reportingComponent: 'lamp-controller',
      reportingInstance: '',
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      count: 1,
    })
  })

  test('counts equal events in one object, with the first and the last time', async () => {
    await using recording = await aRecorder()
    const { recorder, clock } = recording
    recorder.record(lamp, broken)
    await recorder.whenIdle()
    await clock.advance(5000)
    recorder.record(lamp, broken)
    recorder.record(lamp, broken)
    const events = await recording.stored()
    assert.equal(events.length, 1)
    const { count, firstTimestamp, lastTimestamp } = events[0]!
    assert.deepEqual([count, firstTimestamp, lastTimestamp], [3, '2026-01-01T00:00:00Z', '2026-01-01T00:00:05Z'])
  })

  test('the name of an event fits where names of objects fit, and stays unique, however long the object’s is', async () => {
    await using recording = await aRecorder()
    const names = ['a'.repeat(236), 'b'.repeat(237), 'c'.repeat(253), `${'d'.repeat(234)}.-e${'f'.repeat(16)}`]
    for (const name of names) {
      recording.recorder.record(anObject('Lamp', name), broken)
      recording.recorder.record(anObject('Lamp', name), { ...broken, message: 'no power' })
    }
    const stored = (await recording.stored()) as unknown as {
      metadata: { name: string }
      involvedObject: { name: string }
    }[]
    assert.equal(new Set(stored.map(({ metadata }) => metadata.name)).size, 2 * names.length)
    assert.deepEqual([...new Set(stored.map(({ involvedObject }) => involvedObject.name))], names)
    assert.deepEqual(
      [...new Set(stored.map(({ metadata }) => metadata.name.replace(/\.[0-9a-f]{16}$/, '')))],
      [names[0], 'b'.repeat(236), 'c'.repeat(236), 'd'.repeat(234)],
    )
  })

  test('another message, reason, type or object is another event', async () => {
    await using recording = await aRecorder()
    recording.recorder.record(lamp, broken)
    recording.recorder.record(lamp, { ...broken, message: 'no power' })
    recording.recorder.record(lamp, { ...broken, reason: 'Dark' })
    recording.recorder.record(lamp, { ...broken, type: 'Normal' })
    recording.recorder.record({ ...lamp, metadata: { ...lamp.metadata, uid: 'another' } }, broken)
    assert.equal((await recording.stored()).length, 5)
  })

  test('an object may have 25 events in a row and then one every five minutes, others are not concerned', async () => {
    await using recording = await aRecorder()
    const { recorder, clock } = recording
    for (let index = 0; index < 40; index++) recorder.record(lamp, { ...broken, message: `bulb ${index}` })
    assert.equal((await recording.stored()).length, 25)
    recorder.record(anObject('Lamp', 'floor'), broken)
    assert.equal((await recording.stored()).length, 26)
    await clock.advance(299_000)
    recorder.record(lamp, { ...broken, message: 'too soon' })
    assert.equal((await recording.stored()).length, 26)
    await clock.advance(1000)
    recorder.record(lamp, { ...broken, message: 'in time' })
    recorder.record(lamp, { ...broken, message: 'too soon again' })
    assert.equal((await recording.stored()).length, 27)
  })

  test('a clock that is set back does not silence an object', async () => {
    await using recording = await aRecorder()
    const { recorder, clock } = recording
    recorder.record(lamp, broken)
    await recorder.whenIdle()
    const now = clock.now.bind(clock)
    clock.now = () => now() - 86_400_000
    recorder.record(lamp, { ...broken, message: 'no lamp' })
    recorder.record(lamp, { ...broken, message: 'no desk' })
    assert.equal((await recording.stored()).length, 3)
  })

  test('an event that was deleted meanwhile is stored anew', async () => {
    await using recording = await aRecorder()
    recording.recorder.record(lamp, broken)
    const [first] = await recording.stored()
    await recording.client.delete('Event', 'shop', first!.metadata.name)
    recording.recorder.record(lamp, broken)
    assert.deepEqual(
      (await recording.stored()).map(({ count }) => count),
      [2],
    )
  })

  test('events of cluster-scoped objects are in namespace default', async () => {
    await using recording = await aRecorder()
    recording.recorder.record({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }, broken)
    assert.equal((await recording.stored())[0]!.metadata.namespace, 'default')
  })

  test('neither throws nor stops when an event cannot be stored', async () => {
    await using recording = await aRecorder()
    const create = recording.client.create.bind(recording.client)
    recording.client.create = () => Promise.reject(new Error('disk'))
    recording.recorder.record(lamp, broken)
    await recording.recorder.whenIdle()
    recording.client.create = create
    recording.recorder.record(lamp, { ...broken, message: 'no power' })
    assert.equal((await recording.stored()).length, 1)
  })

  test('closing stores what was recorded', async () => {
    const recording = await aRecorder()
    recording.recorder.record(lamp, broken)
    await recording[Symbol.asyncDispose]()
    assert.equal((await recording.client.list('Event')).length, 1)
  })
})

test('events are deleted an hour after they happened last', async () => {
  const clock = new FakeClock()
  const store = await openResourceStore({ driver: 'memory' })
  const client = new FakeClient({ store, clock, kinds: [eventKind] })
  await using recorder = new EventRecorder({ client, clock, log: silentLogger })
  await using caches = await openCaches({ store, kinds: [eventKind], clock, log: silentLogger })
  await using _ = startEventExpiry({ caches, client, clock, log: silentLogger })
  recorder.record(lamp, broken)
  recorder.record(lamp, { ...broken, message: 'once' })
  await clock.advance(1_800_000)
  recorder.record(lamp, broken)
  await clock.advance(1_799_000)
  assert.equal((await client.list('Event')).length, 2)
  await clock.advance(601_000)
  const left = await client.list<Resource & { message: string }>('Event')
  assert.deepEqual(
    left.map(({ message }) => message),
    ['no bulb'],
  )
  await clock.advance(3_600_000)
  assert.equal((await client.list('Event')).length, 0)
})
