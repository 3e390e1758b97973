// What is watched ends in time, by its own deadline or its own signal, and the watch itself keeps nothing running.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../base/fake-clock.ts'
import { Deadlines } from './deadlines.ts'
import type { Limited } from './deadlines.ts'

function watching(clock: FakeClock) {
  const deadlines = new Deadlines(clock)
  const ended: string[] = []
  const watch = (name: string, afterMs: number, signal?: AbortSignal): Limited => {
    const end = (how: string) => (): void => {
      ended.push(`${name} ${how} at ${clock.monotonicMs() - startedMs}`)
      deadlines.leave(limited)
    }
    const limited: Limited = {
      place: -1,
      deadlineMs: clock.monotonicMs() + afterMs,
      signal,
      expire: end('expired'),
      abort: end('aborted'),
    }
    deadlines.watch(limited)
    return limited
  }
  const startedMs = clock.monotonicMs()
  return { deadlines, ended, watch }
}

test('each ends at its own deadline, in whatever order they came', async () => {
  const clock = new FakeClock()
  const { ended, watch } = watching(clock)
  watch('late', 300)
  watch('soon', 100)
  watch('soon too', 100)
  await clock.advance(50)
  watch('between', 100)
  await clock.advance(1_000)
  assert.deepEqual(ended.toSorted(), [
    'between expired at 150',
    'late expired at 300',
    'soon expired at 100',
    'soon too expired at 100',
  ])
})

test('a signal ends what follows it, and nothing else', async () => {
  const clock = new FakeClock()
  const { ended, watch } = watching(clock)
  const [one, other] = [new AbortController(), new AbortController()]
  for (const name of ['a', 'b']) watch(name, 100, one.signal)
  watch('c', 100, other.signal)
  one.abort()
  assert.deepEqual(ended.toSorted(), ['a aborted at 0', 'b aborted at 0'])
  await clock.advance(100)
  assert.equal(ended.at(-1), 'c expired at 100')
})

test('what left is not ended, and an empty watch has no timer', async () => {
  const clock = new FakeClock()
  const { deadlines, ended, watch } = watching(clock)
  const timersBefore = clock.pendingTimers
  const limited = [watch('a', 100), watch('b', 200)]
  for (const one of limited) deadlines.leave(one)
  assert.equal(clock.pendingTimers, timersBefore)
  await clock.advance(1_000)
  assert.deepEqual(ended, [])
})
