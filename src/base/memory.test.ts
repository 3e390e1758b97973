// What is garbage goes back to the machine.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { releaseMemory } from './memory.ts'

test('room that only garbage needed is given back, and what is in use stays', () => {
  const kept = Array.from({ length: 1_000 }, (_, index) => ({ index }))
  let garbage: object[] | undefined = Array.from({ length: 1_000_000 }, (_, index) => ({ index }))
  const fullBytes = process.memoryUsage().heapTotal
  assert.equal(garbage.length, 1_000_000)
  garbage = undefined
  releaseMemory()
  assert.ok(process.memoryUsage().heapTotal < fullBytes - 20_000_000, 'the heap has shrunk')
  assert.equal(kept[999]?.index, 999)
})
