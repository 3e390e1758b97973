import assert from 'node:assert/strict'
import test from 'node:test'
import { aScalerBed } from './test-bed.ts'

const hpa = { class: 'hpa.autoscaling.knative.dev' }
const mebibyte = 1_048_576

test('processor time over what is asked for adds instances, and idleness leaves one', async () => {
  let cpuShare = 1
  let cpuMs = 0
  let lastMs = 0
  const usage = (atMs: number) => {
    cpuMs += (atMs - lastMs) * cpuShare
    lastMs = atMs
    return { cpuMs, memoryBytes: 0 }
  }
  const annotations = { ...hpa, target: '50', window: '30s' }
  await using bed = aScalerBed({ annotations, usage, cpuRequestMillis: 500 })
  assert.deepEqual([bed.scaler.state.mode, bed.scaler.state.activators], ['Serve', 0])
  // One instance uses a whole processor and asks for half of one: 200 %, four times the target.
  await bed.clock.advance(31_000)
  assert.equal(bed.replicas, 4)
  cpuShare = 0.25
  await bed.clock.advance(60_000)
  assert.equal(bed.replicas, 4, 'shared by four it is the target')
  cpuShare = 0
  await bed.clock.advance(120_000)
  assert.equal(bed.replicas, 1)
  await bed.clock.advance(3_600_000)
  assert.equal(bed.replicas, 1, 'never zero')
})

test('memory counts in MiB for each instance', async () => {
  const usage = () => ({ cpuMs: 0, memoryBytes: 150 * mebibyte })
  await using bed = aScalerBed({ annotations: { ...hpa, metric: 'memory', target: '100' }, usage })
  await bed.clock.advance(16_000)
  assert.equal(bed.replicas, 2)
  assert.match(
    bed.scaler.state.words,
    /Each instance uses 150 MiB of memory on average and is meant for 100: that makes 2\./,
  )
})

test('bounds and the initial scale hold at once, and one is the least', async () => {
  const annotations = { ...hpa, 'min-scale': '2', 'initial-scale': '3' }
  await using bed = aScalerBed({ annotations, replicas: 0 })
  await bed.clock.advance(0)
  assert.equal(bed.replicas, 3)
  assert.equal(bed.scaler.state.isInitialized, false)
  await bed.clock.advance(1_000)
  assert.equal(bed.scaler.state.isInitialized, true)
  bed.configure({ annotations: { ...hpa, 'max-scale': '1' } })
  await bed.clock.advance(0)
  assert.equal(bed.replicas, 1)
})

test('a metric that nobody tells changes nothing, and that is said', async () => {
  await using bed = aScalerBed({ annotations: { ...hpa, metric: 'queue-length', target: '5' }, replicas: 2 })
  await bed.clock.advance(60_000)
  assert.equal(bed.replicas, 2)
  assert.match(bed.scaler.state.words, /Nothing tells the metric "queue-length" of its instances/)
})

test('one that is closed looks no more', async () => {
  const bed = aScalerBed({ annotations: hpa, usage: () => ({ cpuMs: 0, memoryBytes: 0 }) })
  await bed.clock.advance(20_000)
  await bed[Symbol.asyncDispose]()
  assert.equal(bed.clock.pendingTimers, 0)
})

test('an instance that does not answer holds up neither the measure of the others nor the end', async () => {
  let asked = 0
  const hanging = new Promise<never>(() => undefined)
  const usage = () => (++asked === 2 ? hanging : { cpuMs: 0, memoryBytes: 300 * mebibyte })
  const annotations = { ...hpa, metric: 'memory', target: '100', 'max-scale': '3' }
  await using bed = aScalerBed({ annotations, usage, replicas: 2 })
  await bed.clock.advance(26_000)
  assert.equal(bed.replicas, 3)
})

test('what was asked for before the metric changed decides nothing after it', async () => {
  const answer = Promise.withResolvers<{ cpuMs: number; memoryBytes: number }>()
  let asked = 0
  const usage = () => (asked++ === 0 ? answer.promise : { cpuMs: 0, memoryBytes: 0 })
  await using bed = aScalerBed({ annotations: { ...hpa, metric: 'memory', target: '100' }, usage })
  await bed.clock.advance(15_000)
  assert.equal(asked, 1)
  bed.configure({ annotations: { ...hpa, metric: 'cpu', target: '50' } })
  answer.resolve({ cpuMs: 0, memoryBytes: 300 * mebibyte })
  await bed.clock.advance(1_000)
  assert.deepEqual([bed.replicas, bed.snapshot().decision], [1, undefined])
})
