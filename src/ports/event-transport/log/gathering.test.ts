// When a write waits for more events, and for how long.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FakeClock, settle } from '../../../base/fake-clock.ts'
import { Gathering } from './gathering.ts'

/** Lets events come evenly for a while, those of a millisecond being written together. */
async function load(clock: FakeClock, gathering: Gathering, perMs: number, forMs = 100): Promise<void> {
  for (let ms = 0; ms < forMs; ms++) {
    for (let event = 0; event < perMs; event++) gathering.arrived(1)
    assert.equal(gathering.wait(Infinity), undefined)
    await clock.advance(1)
  }
}

describe('a write', () => {
  it('of few events waits for no others', async () => {
    const clock = new FakeClock()
    const gathering = new Gathering(clock, 1)
    assert.equal(gathering.wait(1), undefined)
    await load(clock, gathering, 4)
    assert.equal(gathering.wait(1), undefined)
  })

  it('under medium load waits until as many have come as are worth it', async () => {
    const clock = new FakeClock()
    const gathering = new Gathering(clock, 1)
    await load(clock, gathering, 10)
    const waiting = gathering.wait(1)
    assert.ok(waiting !== undefined)
    let isOver = false
    void waiting.then(() => (isOver = true))
    for (let pending = 2; pending < 6; pending++) gathering.arrived(pending)
    await settle()
    assert.equal(isOver, false)
    gathering.arrived(6)
    await waiting
    assert.equal(clock.pendingTimers, 0)
  })

  it('of that many waits for no more', async () => {
    const clock = new FakeClock()
    const gathering = new Gathering(clock, 1)
    await load(clock, gathering, 10)
    assert.equal(gathering.wait(6), undefined)
    assert.equal(gathering.wait(60), undefined)
  })

  it('waits no longer than it may', async () => {
    const clock = new FakeClock()
    const gathering = new Gathering(clock, 1)
    await load(clock, gathering, 10)
    const waiting = gathering.wait(1)!
    await clock.advance(1)
    await waiting
  })

  it('waits ever more seldom where the others do not come before it is done', async () => {
    const clock = new FakeClock()
    const gathering = new Gathering(clock, 1)
    await load(clock, gathering, 10)
    const waits: boolean[] = []
    for (let write = 0; write < 40; write++) {
      const waiting = gathering.wait(1)
      waits.push(waiting !== undefined)
      if (waiting === undefined) continue
      await clock.advance(1)
      for (let event = 0; event < 10; event++) gathering.arrived(1)
    }
    assert.deepEqual(
      waits.flatMap((waited, index) => (waited ? [index] : [])),
      [0, 3, 8, 17, 34],
    )
  })

  it('waits again at once when waiting has paid', async () => {
    const clock = new FakeClock()
    const gathering = new Gathering(clock, 1)
    await load(clock, gathering, 10)
    for (let write = 0; write < 5; write++) {
      const waiting = gathering.wait(1)
      assert.ok(waiting !== undefined)
      gathering.arrived(6)
      await waiting
    }
  })

  it('after a silence knows nothing of the load before', async () => {
    const clock = new FakeClock()
    const gathering = new Gathering(clock, 1)
    await load(clock, gathering, 10)
    await clock.advance(1_000)
    assert.equal(gathering.wait(1), undefined)
  })

  it('never waits where that is not wanted', async () => {
    const clock = new FakeClock()
    const gathering = new Gathering(clock, 0)
    await load(clock, gathering, 10)
    assert.equal(gathering.wait(1), undefined)
  })
})
