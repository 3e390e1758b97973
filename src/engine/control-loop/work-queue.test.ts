import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { WorkQueue } from './work-queue.ts'
import type { WorkQueueOptions } from './work-queue.ts'

/** A queue whose work ends when the test says so. */
function manualQueue(
  reconcilesMax = 4,
  limits: Pick<WorkQueueOptions, 'drainMs' | 'onAbandoned'> = {},
): {
  queue: WorkQueue
  clock: FakeClock
  started: string[]
  finish: (key: string) => Promise<void>
} {
  const clock = new FakeClock()
  const started: string[] = []
  const running = new Map<string, () => void>()
  const process = (key: string): Promise<void> => {
    assert.equal(running.has(key), false, `${key} is worked on twice at a time`)
    started.push(key)
    return new Promise((resolve) => {
      running.set(key, () => {
        running.delete(key)
        resolve()
      })
    })
  }
  const finish = async (key: string): Promise<void> => {
    running.get(key)!()
    await settle()
  }
  return { queue: new WorkQueue({ clock, process, reconcilesMax, ...limits }), clock, started, finish }
}

/** A queue whose work takes no time. */
function quickQueue(): { queue: WorkQueue; clock: FakeClock; done: [key: string, atMs: number][] } {
  const clock = new FakeClock()
  const done: [string, number][] = []
  const process = async (key: string): Promise<void> => void done.push([key, clock.monotonicMs()])
  return { queue: new WorkQueue({ clock, process }), clock, done }
}

describe('the work queue', () => {
  test('works on each key once, in the order they came, however often they were added', async () => {
    const { queue, done } = quickQueue()
    for (const key of ['b', 'a', 'b', 'c', 'a']) queue.add(key)
    await queue.whenIdle()
    assert.deepEqual(
      done.map(([key]) => key),
      ['b', 'a', 'c'],
    )
  })

  test('works on a key again that was added while it was worked on, but never twice at a time', async () => {
    const { queue, started, finish } = manualQueue()
    queue.add('a')
    await settle()
    queue.add('a')
    queue.add('a')
    await settle()
    assert.deepEqual(started, ['a'])
    await finish('a')
    assert.deepEqual(started, ['a', 'a'])
    await finish('a')
    assert.deepEqual(started, ['a', 'a'])
    assert.equal(queue.isIdle, true)
  })

  test('works on no more keys at a time than it may', async () => {
    const { queue, started, finish } = manualQueue(2)
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key)
    await settle()
    assert.deepEqual(started, ['a', 'b'])
    assert.equal(queue.depth, 2)
    await finish('b')
    assert.deepEqual(started, ['a', 'b', 'c'])
  })

  test('a key that keeps failing waits 100 ms, then twice as long each time, at most a minute', async () => {
    const clock = new FakeClock()
    const tries: number[] = []
    const queue: WorkQueue = new WorkQueue({
      clock,
      process: async (key) => {
        tries.push(clock.monotonicMs())
        queue.retry(key)
      },
    })
    queue.add('a')
    await clock.advance(300_000)
    const waits = tries.slice(1).map((atMs, index) => atMs - tries[index]!)
    assert.deepEqual(waits, [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000, 60_000])
  })

  test('a key that was well in between backs off from the start, and so does each key for itself', async () => {
    const { queue, clock, done } = quickQueue()
    queue.retry('a')
    queue.retry('b')
    await clock.advance(100)
    queue.retry('a')
    queue.forget('b')
    queue.retry('b')
    await clock.advance(1000)
    assert.deepEqual(done, [
      ['a', 100],
      ['b', 100],
      ['b', 200],
      ['a', 300],
    ])
  })

  test('of several delays the earliest counts, and adding the key at once ends them all', async () => {
    const { queue, clock, done } = quickQueue()
    queue.addAfter('a', 500)
    queue.addAfter('a', 200)
    queue.addAfter('a', 900)
    await clock.advance(1000)
    assert.deepEqual(done, [['a', 200]])
    queue.addAfter('b', 500)
    queue.add('b')
    await clock.advance(1000)
    assert.deepEqual(done.slice(1), [['b', 1000]])
    assert.equal(clock.pendingTimers, 0)
  })

  test('closing waits for what runs and begins nothing more', async () => {
    const { queue, clock, started, finish } = manualQueue(1)
    queue.add('a')
    queue.add('b')
    queue.addAfter('c', 100)
    await settle()
    queue.add('a')
    let closed = false
    const closing = queue[Symbol.asyncDispose]().then(() => (closed = true))
    await settle()
    assert.equal(closed, false)
    await finish('a')
    await closing
    queue.add('d')
    await clock.advance(1000)
    assert.deepEqual(started, ['a'])
    await queue[Symbol.asyncDispose]()
  })

  test('closing leaves behind, and tells, what is not done in time', async () => {
    const abandoned: string[][] = []
    const { queue, clock } = manualQueue(1, { drainMs: 5_000, onAbandoned: (keys) => void abandoned.push(keys) })
    queue.add('a')
    queue.add('b')
    await settle()
    let closed = 0
    const closing = [queue[Symbol.asyncDispose](), queue[Symbol.asyncDispose]()].map((one) => one.then(() => closed++))
    await clock.advance(4_999)
    assert.equal(closed, 0)
    await clock.advance(1)
    await Promise.all(closing)
    assert.deepEqual(abandoned, [['a']])
    assert.equal(clock.pendingTimers, 0)
  })

  test('finishing works on what waits, but no longer than it may', async () => {
    const { queue, clock, started, finish } = manualQueue(1, { drainMs: 5_000 })
    queue.add('a')
    queue.add('b')
    await settle()
    const finishing = queue.finish()
    await finish('a')
    assert.deepEqual(started, ['a', 'b'])
    await clock.advance(5_000)
    await finishing
    queue.add('c')
    await settle()
    assert.deepEqual(started, ['a', 'b'])
  })

  test('is idle when only delayed keys are left', async () => {
    const { queue } = quickQueue()
    queue.addAfter('a', 1000)
    await queue.whenIdle()
    assert.equal(queue.isIdle, true)
  })
})
