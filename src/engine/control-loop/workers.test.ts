import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { settle } from '../../base/fake-clock.ts'
import { WorkerSet } from './workers.ts'

/** Writes a diary of starts and stops. */
function diary(): { lines: string[]; start: (spec: string) => Promise<AsyncDisposable> } {
  const lines: string[] = []
  return {
    lines,
    start: async (spec) => {
      lines.push(`start ${spec}`)
      return {
        async [Symbol.asyncDispose]() {
          await settle(1)
          lines.push(`stop ${spec}`)
        },
      }
    },
  }
}

describe('workers', () => {
  test('an equal spec leaves the worker alone, a changed one stops it before the new one starts', async () => {
    const { lines, start } = diary()
    const workers = new WorkerSet()
    await workers.ensure('dispatch', { to: 'a', keep: undefined }, () => start('a'))
    await workers.ensure('dispatch', { to: 'a' }, () => start('again'))
    assert.deepEqual(lines, ['start a'])
    await workers.ensure('dispatch', { to: 'b' }, () => start('b'))
    assert.deepEqual(lines, ['start a', 'stop a', 'start b'])
  })

  test('steps of one name follow one another, names do not wait for each other', async () => {
    const { lines, start } = diary()
    const workers = new WorkerSet()
    const gate = Promise.withResolvers<void>()
    const slow = workers.ensure('slow', 1, async () => {
      await gate.promise
      return await start('slow 1')
    })
    const next = workers.ensure('slow', 2, () => start('slow 2'))
    await workers.ensure('quick', 1, () => start('quick'))
    assert.deepEqual(lines, ['start quick'])
    gate.resolve()
    await Promise.all([slow, next])
    assert.deepEqual(lines, ['start quick', 'start slow 1', 'stop slow 1', 'start slow 2'])
  })

  test('a start that fails is told to the caller, and the next one may succeed', async () => {
    const { lines, start } = diary()
    const workers = new WorkerSet()
    await assert.rejects(
      workers.ensure('dispatch', 1, () => Promise.reject(new Error('no route'))),
      /no route/,
    )
    assert.equal(workers.size, 0)
    await workers.ensure('dispatch', 1, () => start('a'))
    assert.deepEqual(lines, ['start a'])
  })

  test('a changed spec whose start fails leaves nothing running', async () => {
    const { lines, start } = diary()
    const workers = new WorkerSet()
    await workers.ensure('dispatch', 1, () => start('a'))
    await assert.rejects(workers.ensure('dispatch', 2, () => Promise.reject(new Error('no route'))))
    assert.deepEqual(lines, ['start a', 'stop a'])
    assert.equal(workers.size, 0)
  })

  test('stopping waits until the worker has stopped; stopping twice is fine', async () => {
    const { lines, start } = diary()
    const workers = new WorkerSet()
    await workers.ensure('dispatch', 1, () => start('a'))
    await workers.stop('dispatch')
    await workers.stop('dispatch')
    assert.deepEqual(lines, ['start a', 'stop a'])
  })

  test('stopping all also stops one that is just starting, and tells of those that fail', async () => {
    const { lines, start } = diary()
    const workers = new WorkerSet()
    const failing = { [Symbol.asyncDispose]: () => Promise.reject(new Error('stuck')) }
    await workers.ensure('failing', 1, () => Promise.resolve(failing))
    void workers.ensure('starting', 1, async () => {
      await settle(1)
      return await start('late')
    })
    await assert.rejects(workers.stopAll(), AggregateError)
    assert.deepEqual(lines, ['start late', 'stop late'])
    assert.equal(workers.size, 0)
    await workers.stopAll()
  })
})
