// The pace of many events.
import assert from 'node:assert/strict'
import test from 'node:test'
import { FakeClock } from '../base/fake-clock.ts'
import { cloudEvent } from '../model/cloudevents/event.ts'
import type { EventPoster, Posted } from './event-poster.ts'
import { inFlightMax } from './event-poster.ts'
import { sendMany } from './send-many.ts'
import type { SendManyOptions } from './send-many.ts'

const makeEvent = (number: number) => cloudEvent({ id: String(number), source: '/s', type: 't' })
const isAccepted = ({ status }: Posted): boolean => status === 202

function options(clock: FakeClock, more: Partial<SendManyOptions>): SendManyOptions {
  return {
    count: Infinity,
    clock,
    signal: new AbortController().signal,
    isAccepted,
    onProgress: () => undefined,
    ...more,
  }
}

const posterOf = (post: () => Promise<Posted>): EventPoster => ({ post, [Symbol.dispose]: () => undefined })

test('a rate is kept exactly, however fast the events are taken', async () => {
  const clock = new FakeClock()
  const sentAtMs: number[] = []
  const poster = posterOf(async () => {
    sentAtMs.push(clock.monotonicMs())
    return { status: 202, tookMs: 1 }
  })
  const sending = sendMany(makeEvent, poster, options(clock, { count: 50, rate: 20 }))
  await clock.advance(5_000)
  const summary = await sending
  assert.deepEqual(
    sentAtMs,
    Array.from({ length: 50 }, (_, number) => number * 50),
  )
  assert.deepEqual([summary.sent, summary.accepted, summary.failed], [50, 50, 0])
})

test('no more than the limit are on their way at a time', async () => {
  const clock = new FakeClock()
  let inFlight = 0
  let most = 0
  const poster = posterOf(async () => {
    most = Math.max(most, ++inFlight)
    await new Promise<void>((resolve) => clock.setTimer(10, resolve))
    inFlight--
    return { status: 202, tookMs: 10 }
  })
  const sending = sendMany(makeEvent, poster, options(clock, { count: 1_000 }))
  await clock.advance(1_000)
  assert.equal((await sending).accepted, 1_000)
  assert.equal(most, inFlightMax)
})

test('without a count it goes on until stopped, tells its progress, and counts only what it sent', async () => {
  const clock = new FakeClock()
  const stop = new AbortController()
  const progress: number[] = []
  const poster = posterOf(async () => ({ reason: 'the connection was refused', tookMs: 1 }))
  const onProgress: SendManyOptions['onProgress'] = ({ sent }) => void progress.push(sent)
  const sending = sendMany(makeEvent, poster, options(clock, { rate: 10, signal: stop.signal, onProgress }))
  await clock.advance(1_050)
  stop.abort()
  await clock.advance(1)
  const summary = await sending
  assert.deepEqual([summary.sent, summary.failed], [11, 11])
  assert.deepEqual([...summary.outcomes], [['the connection was refused', 11]])
  assert.equal(progress.length, 4)
  assert.equal(clock.pendingTimers, 0)
})
