// When a subscriber counts as dead, and how it is found alive again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Circuit } from './circuit.ts'

const limits = { circuitTriesMin: 3, circuitOpensAfterMs: 5_000, circuitProbeMs: 1_000, circuitRestMs: 0 }

function aCircuit() {
  const changes: (string | undefined)[] = []
  return { changes, circuit: new Circuit(limits, (open) => void changes.push(open)) }
}

test('a short outage does not open the circuit, however many tries fail in it', () => {
  const { circuit, changes } = aCircuit()
  for (let atMs = 0; atMs < 4_999; atMs += 10) circuit.unanswered(atMs, 'refused')
  assert.equal(circuit.admits(4_999), true)
  assert.deepEqual(changes, [])
})

test('a few failures do not open the circuit, however long they take', () => {
  const { circuit } = aCircuit()
  circuit.unanswered(0, 'refused')
  circuit.unanswered(60_000, 'refused')
  assert.equal(circuit.open, undefined)
})

test('an open circuit lets one try through per probe interval, and closes with the first answer', () => {
  const { circuit, changes } = aCircuit()
  for (const atMs of [0, 2_000, 5_000]) circuit.unanswered(atMs, 'refused')
  assert.deepEqual([circuit.admits(5_500), circuit.admits(6_000), circuit.admits(6_001)], [false, true, false])
  circuit.unanswered(6_001, 'refused')
  assert.deepEqual(changes, ['refused'])
  circuit.answered()
  assert.equal(circuit.admits(6_002), true)
  assert.deepEqual(changes, ['refused', undefined])
})

test('an answer in between starts the count again', () => {
  const { circuit } = aCircuit()
  circuit.unanswered(0, 'refused')
  circuit.unanswered(1, 'refused')
  circuit.answered()
  circuit.unanswered(6_000, 'refused')
  circuit.unanswered(12_000, 'refused')
  assert.equal(circuit.open, undefined)
})
