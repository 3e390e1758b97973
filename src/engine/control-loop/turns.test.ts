import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../base/fake-clock.ts'
import { createTurns } from './turns.ts'

/** What happens in the next turns of the loop, one list a turn. */
async function turnsOf(count: number, happened: string[]): Promise<string[][]> {
  const seen: string[][] = []
  for (let turn = 0; turn < count; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    seen.push(happened.splice(0))
  }
  return seen
}

/** Work that takes so long, as steps do: some of it at once, some when promises resolve. */
function setUp() {
  let nowMs = 0
  const happened: string[] = []
  const turns = createTurns({ monotonicMs: () => nowMs })
  const work = (name: string, tookMs: number): void =>
    turns(() => {
      happened.push(name)
      void Promise.resolve().then(() => (nowMs += tookMs))
    })
  return { happened, work }
}

test('quick work is done in one turn of the loop, in the order it came', async () => {
  const { happened, work } = setUp()
  for (const name of ['a', 'b', 'c']) work(name, 0.1)
  assert.deepEqual(happened, [])
  assert.deepEqual((await turnsOf(2, happened)).flat(), ['a', 'b', 'c'])
})

test('after work that takes its time the rest is put off, so that others get on in between', async () => {
  const { happened, work } = setUp()
  work('long', 5)
  work('next', 5)
  work('last', 0.1)
  const seen = (await turnsOf(8, happened)).filter((turn) => turn.length > 0)
  assert.deepEqual(seen, [['long'], ['next'], ['last']])
})

test('on a clock that stands still nothing is put off', async () => {
  const clock = new FakeClock()
  const turns = createTurns(clock)
  const happened: number[] = []
  for (let index = 0; index < 100; index++) turns(() => happened.push(index))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(happened.length, 100)
})
