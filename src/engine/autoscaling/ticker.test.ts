import assert from 'node:assert/strict'
import test from 'node:test'
import { FakeClock } from '../../base/fake-clock.ts'
import { Ticker } from './ticker.ts'

test('many share one timer, each is called when it asked to be, and none is left when all are done', async () => {
  const clock = new FakeClock()
  const ticker = new Ticker(clock)
  const calls: string[] = []
  const ticked = (name: string, periodMs: number, times: number) => {
    const who = {
      tick() {
        calls.push(`${clock.monotonicMs()} ${name}`)
        if (--times > 0) ticker.set(who, clock.monotonicMs() + periodMs)
      },
    }
    ticker.set(who, periodMs)
    return who
  }
  ticked('a', 1_000, 3)
  ticked('b', 2_000, 1)
  const gone = ticked('c', 1_500, 9)
  assert.equal(clock.pendingTimers, 1)
  ticker.delete(gone)
  ticked('early', 100, 1)
  await clock.advance(10_000)
  assert.deepEqual(calls, ['100 early', '1000 a', '2000 b', '2000 a', '3000 a'])
  assert.equal(clock.pendingTimers, 0)
})

test('a later time takes the place of an earlier one', async () => {
  const clock = new FakeClock()
  const ticker = new Ticker(clock)
  let calls = 0
  const who = { tick: () => void calls++ }
  ticker.set(who, 100)
  ticker.set(who, 500)
  await clock.advance(400)
  assert.equal(calls, 0)
  await clock.advance(100)
  assert.equal(calls, 1)
})
