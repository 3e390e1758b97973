import assert from 'node:assert/strict'
import test from 'node:test'
import type { Clock } from '../../../base/clock.ts'
import { FakeClock } from '../../../base/fake-clock.ts'
import { silentLogger } from '../../../base/log.ts'
import { seededRandom } from '../../../base/random.ts'
import type { KindDeps } from '../../../engine/reconciler.ts'
import type { CloudEvent } from '../../../model/cloudevents/event.ts'
import { pingEvent, startPing } from './adapter.ts'
import type { PingSpec } from './adapter.ts'

const aPing = (changes: Partial<PingSpec> = {}): PingSpec => ({
  name: 'ping',
  namespace: 'default',
  sink: { url: 'http://sink.example/' },
  source: '/apis/v1/namespaces/default/pingsources/ping',
  schedule: '* * * * *',
  timezone: 'UTC',
  extensions: {},
  ...changes,
})

function aWorld(): {
  clock: FakeClock
  sent: { event: CloudEvent; url: string }[]
  deps: Parameters<typeof startPing>[1]
} {
  const clock = new FakeClock()
  const sent: { event: CloudEvent; url: string }[] = []
  const delivery = {
    send(event: CloudEvent, target: { url: string }) {
      sent.push({ event, url: target.url })
      return Promise.resolve({ kind: 'accepted', status: 202 })
    },
  } as KindDeps['delivery']
  return { clock, sent, deps: { clock, delivery, random: seededRandom(1), log: silentLogger } }
}

test('one event is sent for each minute, within half a second of it', async () => {
  const { clock, sent, deps } = aWorld()
  await using _ping = startPing(aPing(), deps)
  await clock.advance(59_999)
  assert.equal(sent.length, 0)
  await clock.advance(3 * 60_000)
  assert.equal(sent.length, 3)
  for (const { event } of sent) assert.ok(Date.parse(String(event.attributes.get('time'))) % 60_000 < 500)
  assert.equal(new Set(sent.map(({ event }) => event.attributes.get('id'))).size, 3)
})

test('a schedule of every second keeps up with its jitter', async () => {
  const { clock, sent, deps } = aWorld()
  await using _ping = startPing(aPing({ schedule: '* * * * * *' }), deps)
  await clock.advance(60_000)
  assert.ok(sent.length >= 59 && sent.length <= 60, `${sent.length} events`)
})

test('a source that starts anew within the jitter loses no tick, and sends none twice', async () => {
  const { clock, sent, deps } = aWorld()
  const late = { ...deps, random: { ...deps.random, next: () => 0.9 } }
  const before = startPing(aPing(), late)
  await clock.advance(60_000 + 100)
  assert.equal(sent.length, 0)
  await before[Symbol.asyncDispose]()
  await before[Symbol.asyncDispose]()
  await using _after = startPing(aPing({ data: 'new' }), late)
  await clock.advance(59_000)
  assert.equal(sent.length, 1)
  await clock.advance(2_000)
  assert.equal(sent.length, 2)
})

test('a source that stops while it is due waits for its sink for a moment only', async () => {
  const { clock, deps } = aWorld()
  let isCut = false
  const send = (_event: CloudEvent, _target: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise((resolve) =>
      signal.addEventListener('abort', () => {
        isCut = true
        resolve({ kind: 'failed', reason: 'aborted' })
      }),
    )
  const ping = startPing(aPing(), { ...deps, random: { ...deps.random, next: () => 0.9 }, delivery: { send } as never })
  await clock.advance(60_000)
  const stopped = ping[Symbol.asyncDispose]()
  await clock.advance(999)
  assert.equal(isCut, false)
  await clock.advance(1)
  await stopped
  assert.equal(isCut, true)
})

test('after it is disposed nothing is sent and no timer is left', async () => {
  const { clock, sent, deps } = aWorld()
  const ping = startPing(aPing(), deps)
  await ping[Symbol.asyncDispose]()
  await clock.advance(600_000)
  assert.equal(sent.length, 0)
  assert.equal(clock.pendingTimers, 0)
})

test('the event carries type, source, content type and data as upstream sends them', () => {
  const event = pingEvent(aPing({ contentType: 'application/json', data: '{"a":1}' }), 'id-1', Date.UTC(2026, 0, 1))
  assert.deepEqual(Object.fromEntries(event.attributes), {
    specversion: '1.0',
    id: 'id-1',
    source: '/apis/v1/namespaces/default/pingsources/ping',
    type: 'dev.knative.sources.ping',
    datacontenttype: 'application/json',
    time: '2026-01-01T00:00:00.000Z',
  })
  assert.equal(Buffer.from(event.data!).toString(), '{"a":1}')
})

test('base64 data is sent as bytes, and overrides become extensions', () => {
  const event = pingEvent(aPing({ dataBase64: '/wA=', extensions: { Sequence: '7' } }), 'id-1', 0)
  assert.deepEqual([...event.data!], [255, 0])
  assert.equal(event.attributes.get('sequence'), '7')
  assert.equal(event.attributes.has('datacontenttype'), false)
})

/** A machine whose clock can be set, and can go on while it sleeps: timers count neither. */
function settable(clock: FakeClock): Clock & { skewMs: number } {
  return {
    skewMs: 0,
    now() {
      return clock.now() + this.skewMs
    },
    monotonicMs: () => clock.monotonicMs(),
    setTimer: (delayMs, fire) => clock.setTimer(delayMs, fire),
  }
}

test('a schedule goes by the clock on the wall, also when the machine was asleep', async () => {
  const { clock, sent, deps } = aWorld()
  const wall = settable(clock)
  await using _ping = startPing(aPing({ schedule: '0 9 * * *' }), { ...deps, clock: wall })
  await clock.advance(3_600_000)
  // It sleeps from one o'clock to half past eight.
  wall.skewMs = 7.5 * 3_600_000
  await clock.advance(1_800_000 + 59_000)
  assert.equal(sent.length, 1)
  await clock.advance(23 * 3_600_000)
  assert.equal(sent.length, 1)
})

test('a clock that is set back by days does not silence a schedule, a small step back repeats no tick', async () => {
  const { clock, sent, deps } = aWorld()
  const wall = settable(clock)
  await using _ping = startPing(aPing(), { ...deps, clock: wall })
  await clock.advance(90_000)
  assert.equal(sent.length, 1)
  wall.skewMs = -40_000
  await clock.advance(60_000)
  assert.equal(sent.length, 1)
  await clock.advance(60_000)
  assert.equal(sent.length, 2)
  wall.skewMs = -5 * 86_400_000
  await clock.advance(300_000)
  assert.ok(sent.length >= 5)
})
