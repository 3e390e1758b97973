import assert from 'node:assert/strict'
import test from 'node:test'
import { settle } from '../../base/fake-clock.ts'
import { aScalerBed } from './test-bed.ts'

const wasActive = { activity: 'active', isInitialized: true } as const
const wasAtZero = { activity: 'inactive', isInitialized: true } as const

test('a new Revision proves itself, stays for its window, goes to zero, and then nothing wakes the process', async () => {
  await using bed = aScalerBed()
  assert.deepEqual([bed.scaler.state.want, bed.scaler.state.reason], [-1, 'Queued'])
  await bed.clock.advance(2_000)
  assert.deepEqual([bed.scaler.state.activity, bed.scaler.state.isInitialized], ['active', true])
  await bed.clock.advance(57_000)
  assert.equal(bed.replicas, 1)
  await bed.clock.advance(10_000)
  assert.equal(bed.replicas, 0)
  assert.deepEqual([bed.scaler.state.want, bed.scaler.state.reason], [0, 'NoTraffic'])
  assert.equal(bed.clock.pendingTimers, 0)
  assert.equal(bed.snapshot().isResting, true)
})

test('a request at zero is answered with an instance at once, before any tick', async () => {
  await using bed = aScalerBed({ replicas: 0, before: wasAtZero })
  await bed.clock.advance(600_000)
  assert.equal(bed.clock.pendingTimers, 0)
  const before = bed.changes
  bed.load(1)
  await settle()
  assert.deepEqual(bed.writes, ['600: 1'])
  assert.equal(bed.changes, before, 'nothing else is written that could hold it up')
  await bed.clock.advance(100)
  assert.equal(bed.scaler.state.reason, 'Queued')
  await bed.clock.advance(2_000)
  assert.equal(bed.scaler.state.activity, 'active')
})

test('a burst at zero is answered in full a tenth of a second later, and kept for a minute', async () => {
  await using bed = aScalerBed({ containerConcurrency: 10, replicas: 0, before: wasAtZero, podStartMs: 3_000 })
  await bed.clock.advance(100_000)
  bed.load(1)
  bed.load(100)
  await bed.clock.advance(100)
  assert.deepEqual(bed.writes, ['100: 1', '100.1: 15'])
  await bed.clock.advance(9_900)
  bed.load(0)
  await bed.clock.advance(50_000)
  assert.equal(bed.replicas, 15)
  await bed.clock.advance(70_000)
  assert.deepEqual(
    bed.writes.slice(2).map((write) => write.split(': ')[1]),
    ['7', '3', '1', '0'],
  )
})

test('activation-scale and max-scale bound what a request at zero starts', async () => {
  await using some = aScalerBed({ annotations: { 'activation-scale': '5' }, replicas: 0, before: wasAtZero })
  some.load(1)
  await settle()
  assert.equal(some.replicas, 5)
  const annotations = { 'max-scale': '10' }
  await using few = aScalerBed({ annotations, containerConcurrency: 1, replicas: 0, before: wasAtZero })
  few.load(100)
  await settle()
  assert.equal(few.replicas, 10)
})

test('steady load settles at what the target makes of it', async () => {
  await using bed = aScalerBed({ containerConcurrency: 10 })
  await bed.clock.advance(5_000)
  bed.load(20)
  await bed.clock.advance(120_000)
  assert.equal(bed.replicas, 3)
  assert.equal(bed.snapshot().decision?.stable, 20)
})

test('requests per second are counted where the metric is rps', async () => {
  await using bed = aScalerBed({ annotations: { metric: 'rps', target: '10', 'target-utilization-percentage': '100' } })
  await bed.clock.advance(4_000)
  for (let second = 0; second < 70; second++) {
    bed.requests(25)
    await bed.clock.advance(1_000)
  }
  assert.equal(bed.snapshot().decision?.stable, 25)
  assert.equal(bed.replicas, 3)
})

test('what ran before a restart comes up as it was, and goes when nobody comes for a window', async () => {
  await using bed = aScalerBed({ replicas: 3, before: wasActive })
  await bed.clock.advance(58_000)
  assert.deepEqual([bed.replicas, bed.writes.length], [3, 0])
  await bed.clock.advance(70_000)
  assert.equal(bed.replicas, 0)
  assert.equal(bed.clock.pendingTimers, 0)
})

test('what was at zero before a restart stays there', async () => {
  await using bed = aScalerBed({ replicas: 0, before: wasAtZero })
  await bed.clock.advance(10_000)
  assert.deepEqual(bed.writes, [])
  assert.deepEqual([bed.scaler.state.want, bed.scaler.state.activity, bed.clock.pendingTimers], [0, 'inactive', 0])
})

test('one that was stopped between two writes ends at zero nevertheless', async () => {
  await using bed = aScalerBed({ replicas: 1, before: wasAtZero })
  await bed.clock.advance(40_000)
  assert.equal(bed.replicas, 0)
})

test('min-scale keeps its instances without waking the process, and their silence counts when load comes', async () => {
  const annotations = { 'min-scale': '2' }
  await using bed = aScalerBed({ annotations, containerConcurrency: 10, replicas: 2 })
  await bed.clock.advance(130_000)
  assert.deepEqual([bed.replicas, bed.clock.pendingTimers], [2, 0])
  bed.load(10)
  await bed.clock.advance(2_000)
  const { stable = 0, panic = 0 } = bed.snapshot().decision ?? {}
  assert.ok(stable > 0 && stable < 1, `${stable}`)
  assert.ok(panic > stable, `${panic}`)
  bed.load(0)
  await bed.clock.advance(130_000)
  assert.deepEqual([bed.replicas, bed.clock.pendingTimers], [2, 0])
})

test('annotations that change act at once: up at the next breath, down to zero after the idle way', async () => {
  await using bed = aScalerBed({ annotations: { 'min-scale': '1' } })
  await bed.clock.advance(70_000)
  bed.configure({ annotations: { 'min-scale': '3' } })
  await settle()
  assert.equal(bed.replicas, 3)
  await bed.clock.advance(70_000)
  bed.configure({ annotations: { 'min-scale': '0' } })
  await bed.clock.advance(80_000)
  assert.equal(bed.replicas, 0)
  bed.configure({ annotations: { 'min-scale': '2' } })
  await settle()
  assert.equal(bed.replicas, 2, 'also for one at zero')
})

test('replicas that somebody else sets are put right', async () => {
  await using bed = aScalerBed({ annotations: { 'min-scale': '1' } })
  await bed.clock.advance(70_000)
  bed.setReplicas(7)
  bed.configure({ annotations: { 'min-scale': '1' } })
  await settle()
  assert.equal(bed.replicas, 1)
})

test('a write that fails is told and tried again every second', async () => {
  await using bed = aScalerBed({ replicas: 0, before: wasAtZero })
  await bed.clock.advance(1_500)
  bed.failWrites('disk full')
  bed.load(1)
  await bed.clock.advance(1_000)
  assert.equal(bed.replicas, 0)
  assert.match(bed.warnings[0]!, /replicas could not be set.*disk full/)
  bed.failWrites(undefined)
  await bed.clock.advance(1_000)
  assert.equal(bed.replicas, 1)
})

test('a start that never comes to anything is given up half a minute after the deadline', async () => {
  await using bed = aScalerBed({ podStartMs: undefined, deployment: { 'progress-deadline': '10s' } })
  await bed.clock.advance(39_000)
  assert.equal(bed.replicas, 1)
  await bed.clock.advance(3_000)
  assert.equal(bed.replicas, 0)
  assert.deepEqual([bed.scaler.state.reason, bed.scaler.state.activity], ['TimedOut', 'inactive'])
})

test('instances that are lost make a Revision activating again', async () => {
  await using bed = aScalerBed({ annotations: { 'min-scale': '1' } })
  await bed.clock.advance(70_000)
  assert.equal(bed.scaler.state.activity, 'active')
  bed.failPods()
  assert.equal(bed.scaler.state.activity, 'activating')
})

test('a Revision that no traffic reaches any more goes without its minimum', async () => {
  await using bed = aScalerBed({ annotations: { 'min-scale': '3' }, replicas: 3 })
  await bed.clock.advance(90_000)
  bed.configure({ annotations: { 'min-scale': '3' }, isReachable: false })
  await bed.clock.advance(8_000)
  assert.deepEqual([bed.replicas, bed.scaler.state.want], [1, 0])
  await bed.clock.advance(30_000)
  assert.equal(bed.replicas, 0, 'three of a hundred each served directly, so that the grace period counts')
})

test('pod retention holds the last instance, and only it', async () => {
  await using bed = aScalerBed({ annotations: { 'scale-to-zero-pod-retention-period': '2m' } })
  await bed.clock.advance(170_000)
  assert.equal(bed.replicas, 1)
  await bed.clock.advance(20_000)
  assert.equal(bed.replicas, 0)
})

test('a short window without a limit to bursts is at zero within its window and grace period', async () => {
  await using bed = aScalerBed({ annotations: { window: '6s', 'target-burst-capacity': '-1' } })
  await bed.clock.advance(30_000 + 15_000)
  assert.equal(bed.replicas, 0)
  bed.load(1)
  await bed.clock.advance(30_000)
  bed.load(0)
  await bed.clock.advance(6_000 + 6_000)
  assert.equal(bed.replicas, 0, 'behind the activator for long, it needs no grace')
})

test('instances that serve directly wait for the grace period', async () => {
  const annotations = { window: '6s', 'target-burst-capacity': '0' }
  await using bed = aScalerBed({ annotations })
  await bed.clock.advance(4_000)
  assert.equal(bed.scaler.state.mode, 'Serve')
  await bed.clock.advance(20_000)
  assert.deepEqual([bed.scaler.state.mode, bed.replicas], ['Proxy', 1])
  await bed.clock.advance(20_000)
  assert.equal(bed.replicas, 0)
})

test('a Revision without a door is given a window, and then counts as idle', async () => {
  await using bed = aScalerBed({ hasDoor: false })
  await bed.clock.advance(50_000)
  assert.equal(bed.snapshot().decision, undefined)
  await bed.clock.advance(90_000)
  assert.equal(bed.replicas, 0)
})

test('a request that waited before the scaler came is seen when the door opens', async () => {
  await using bed = aScalerBed({ hasDoor: false, replicas: 0, before: wasAtZero })
  await bed.clock.advance(5_000)
  bed.load(1)
  bed.setDoor(true)
  await settle()
  assert.equal(bed.replicas, 1)
})

test('the reconciler hears of decisions only, however often is measured', async () => {
  await using bed = aScalerBed({ containerConcurrency: 10 })
  await bed.clock.advance(4_000)
  bed.load(5)
  await bed.clock.advance(20_000)
  const before = bed.changes
  await bed.clock.advance(600_000)
  assert.equal(bed.changes, before)
})

test('the sign of the excess burst capacity is heard of, its size is not', async () => {
  const annotations = { 'min-scale': '3', 'target-burst-capacity': '20' }
  await using bed = aScalerBed({ annotations, containerConcurrency: 10, replicas: 3 })
  await bed.clock.advance(5_000)
  assert.equal(bed.scaler.state.mode, 'Serve')
  bed.load(5)
  await bed.clock.advance(10_000)
  const before = bed.changes
  bed.load(8)
  await bed.clock.advance(10_000)
  assert.deepEqual([bed.scaler.state.mode, bed.changes], ['Serve', before])
  bed.load(12)
  await bed.clock.advance(10_000)
  assert.equal(bed.scaler.state.mode, 'Proxy')
  assert.ok(bed.changes > before)
})

test('class xpa keeps warm spares at zero load, without waking the process', async () => {
  const annotations = { class: 'xpa.autoscaling.knative.dev', 'pod-buffer-size': '2' }
  await using bed = aScalerBed({ annotations, containerConcurrency: 1 })
  await bed.clock.advance(130_000)
  assert.deepEqual([bed.replicas, bed.clock.pendingTimers], [2, 0])
  bed.load(1)
  await bed.clock.advance(3_000)
  assert.equal(bed.replicas, 3)
  await bed.clock.advance(70_000)
  assert.equal(bed.replicas, 4)
})

test('the state says in words why, with the time it speaks of', async () => {
  await using bed = aScalerBed({ containerConcurrency: 10, replicas: 0, before: wasAtZero })
  bed.load(14)
  await bed.clock.advance(100)
  assert.match(
    bed.scaler.state.words,
    /^2026-01-01T00:00:00Z: 2 instances wanted, 0 ready; 14 requests in the house\. On average 14 requests at once/,
  )
})

test('the way to zero is foretold', async () => {
  await using bed = aScalerBed()
  await bed.clock.advance(31_000)
  const { zeroInMs = 0 } = bed.snapshot()
  await bed.clock.advance(zeroInMs - 3_000)
  assert.equal(bed.replicas, 1)
  await bed.clock.advance(6_000)
  assert.equal(bed.replicas, 0)
})

test('once closed it does nothing any more', async () => {
  const bed = aScalerBed({ replicas: 0, before: wasAtZero })
  await bed[Symbol.asyncDispose]()
  bed.load(5)
  bed.configure({})
  await bed.clock.advance(10_000)
  assert.deepEqual([bed.writes, bed.clock.pendingTimers], [[], 0])
})
