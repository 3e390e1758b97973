import assert from 'node:assert/strict'
import test from 'node:test'
import { seededRandom } from '../../base/random.ts'
import { decideScale, freshMemory, memoryWith } from './decide-scale.ts'
import type { ScaleInput, ScaleMemory } from './decide-scale.ts'
import { settingsOf } from './test-settings.ts'
import type { SettingsOptions } from './test-settings.ts'

/** Decides again and again; each step says what is measured and how much later it is. */
function decider(options: SettingsOptions, memory: ScaleMemory = freshMemory) {
  const settings = settingsOf(options)
  let state = { nowMs: 1_000_000, memory }
  return (seen: Partial<ScaleInput>, laterMs = 0) => {
    const nowMs = state.nowMs + laterMs
    const decided = decideScale({ ready: 1, stable: 0, panic: 0, ...seen, nowMs }, settings, state.memory)
    state = { nowMs, memory: decided.memory }
    return decided.facts
  }
}

test('the worked example: a surge panics, stays for a minute, then shrinks in halves down to zero', () => {
  const decide = decider({ containerConcurrency: 10 })
  const surge = decide({ ready: 2, stable: 24.5, panic: 61.2 })
  assert.deepEqual(
    [surge.wantStable, surge.wantPanic, surge.floor, surge.ceiling, surge.desired, surge.excessBurstCapacity],
    [4, 9, 1, 2_000, 9, -253],
  )
  assert.equal(surge.panicLeftMs, 60_000)
  const calm = { ready: 9, stable: 10, panic: 6 }
  assert.equal(decide(calm, 2_000).desired, 9)
  assert.equal(decide(calm, 58_000).desired, 9, 'panic lasts as long as the stable window')
  assert.equal(decide(calm, 2_000).desired, 4, 'then one decision halves at most')
  assert.equal(decide({ ...calm, ready: 4 }, 2_000).desired, 2)
  assert.equal(decide({ ready: 2 }, 2_000).desired, 1)
  assert.equal(decide({ ready: 1 }, 2_000).desired, 0, 'half of one is none')
})

test('from zero one held request asks for one instance, a hundred for fifteen, in panic', () => {
  assert.equal(decider({ containerConcurrency: 10 })({ ready: 0, stable: 1, panic: 1 }).desired, 1)
  const burst = decider({ containerConcurrency: 10 })({ ready: 0, stable: 100, panic: 100 })
  assert.equal(burst.desired, 15)
  assert.equal(burst.panicLeftMs, 60_000)
})

test('the panic threshold compares with what is ready, however many that may grow to', () => {
  const decide = decider({ containerConcurrency: 10, config: { 'max-scale-up-rate': '1.5' } })
  const facts = decide({ ready: 2, stable: 28, panic: 28 })
  assert.equal(facts.wantPanic, 4)
  assert.equal(facts.desired, 3)
  assert.notEqual(facts.panicLeftMs, undefined)
})

test('a slow rate of growth allows one more instance nevertheless', () => {
  const facts = decider({ containerConcurrency: 1, config: { 'max-scale-up-rate': '1.1' } })({ ready: 2, stable: 2.1 })
  assert.equal(facts.desired, 3)
})

test('each time over the threshold prolongs panic by a window, and nothing lowers it meanwhile', () => {
  const decide = decider({ annotations: { window: '10s' }, containerConcurrency: 10 })
  decide({ ready: 1, stable: 14, panic: 70 })
  assert.equal(decide({ ready: 5, stable: 14, panic: 7 }, 8_000).desired, 10)
  decide({ ready: 5, stable: 14, panic: 70 }, 1_000)
  assert.equal(decide({ ready: 10, stable: 7, panic: 0 }, 10_000).desired, 10)
  assert.equal(decide({ ready: 10, stable: 7, panic: 0 }, 1).desired, 5)
})

test('in panic the stable average may ask for more than the panic one', () => {
  const decide = decider({ containerConcurrency: 10 })
  decide({ ready: 1, stable: 14, panic: 14 })
  assert.equal(decide({ ready: 2, stable: 35, panic: 7 }, 2_000).desired, 5)
})

test('several instances that were there before are kept for a window', () => {
  const decide = decider({}, memoryWith(5, 1_000_000))
  assert.equal(decide({ ready: 0 }, 2_000).desired, 5)
  assert.equal(decide({ ready: 5 }, 58_000).desired, 5)
  assert.equal(decide({ ready: 5 }, 2_000).desired, 2)
  assert.deepEqual(memoryWith(1, 0), freshMemory)
})

test('activation-scale raises whatever is wanted at all, also above what a rate allows', () => {
  const decide = decider({ annotations: { 'activation-scale': '5' } })
  assert.equal(decide({ ready: 0 }).desired, 0)
  assert.equal(decide({ ready: 0, stable: 1, panic: 1 }).desired, 5)
  assert.equal(decide({ ready: 5, stable: 1, panic: 1 }, 2_000).desired, 5)
  assert.equal(decide({ ready: 5 }, 2_000).desired, 2, 'without load it does not hold')
})

test('a Revision that no traffic reaches may shrink to zero at once', () => {
  assert.equal(decider({ isReachable: false })({ ready: 40 }).desired, 0)
})

test('scale-down-delay keeps the greatest decision of its time', () => {
  const decide = decider({ annotations: { 'scale-down-delay': '10s' } })
  const load = (pods: number): Partial<ScaleInput> => ({ ready: 20, stable: pods * 70 })
  assert.equal(decide(load(19)).desired, 19)
  assert.equal(decide(load(12), 4_000).desired, 19)
  const held = decide(load(10), 4_000)
  assert.deepEqual([held.desired, held.undelayed], [19, 10])
  assert.equal(decide(load(10), 2_000).desired, 12)
  assert.equal(decide(load(15), 2_000).desired, 15)
})

test('scale-down-delay does not hold for a Revision that no traffic reaches', () => {
  const decide = decider({ annotations: { 'scale-down-delay': '1h' }, isReachable: false })
  decide({ stable: 70 })
  assert.equal(decide({}, 2_000).desired, 0)
})

test('the excess burst capacity counts whole instances, the panic average, and those that are ready', () => {
  const ebc = (annotation: string, seen: Partial<ScaleInput>): number =>
    decider({ annotations: { 'target-burst-capacity': annotation }, containerConcurrency: 10 })(seen)
      .excessBurstCapacity
  assert.equal(ebc('0', { ready: 0, panic: 500 }), 0)
  assert.equal(ebc('-1', { ready: 50 }), -1)
  assert.equal(ebc('211', { ready: 27, panic: 61.2 }), -3)
  assert.equal(ebc('211', { ready: 28, panic: 61.2 }), 7)
  assert.equal(ebc('5', { ready: 0 }), -5)
})

test('class xpa keeps its spares above the load, and lets surplus instances linger', () => {
  const annotations = { class: 'xpa.autoscaling.knative.dev', 'pod-buffer-size': '3', 'gc-time': '30' }
  const decide = decider({ annotations, containerConcurrency: 10 })
  assert.equal(decide({ ready: 0 }).desired, 3)
  assert.equal(decide({ ready: 3 }, 2_000).desired, 3, 'spares do not breed spares')
  assert.equal(decide({ ready: 3, stable: 14, panic: 7 }, 2_000).desired, 5)
  assert.equal(decide({ ready: 5 }, 28_000).desired, 5)
  assert.equal(decide({ ready: 5 }, 2_000).desired, 4)
})

test('spares are kept only where traffic may come', () => {
  const annotations = { class: 'xpa.autoscaling.knative.dev', 'pod-buffer-size': '3' }
  assert.equal(decider({ annotations, isReachable: false })({ ready: 3 }).desired, 0)
})

test('whatever is measured, the answer is a whole number within the rates, and steady load gives steady answers', () => {
  const random = seededRandom(5)
  for (let run = 0; run < 300; run++) {
    const containerConcurrency = 1 + Math.floor(random.next() * 50)
    const decide = decider({ containerConcurrency })
    const target = containerConcurrency * 0.7
    const load = random.next() * 400
    let ready = Math.floor(random.next() * 20)
    let desired = 0
    for (let step = 0; step < 60; step++) {
      const facts = decide({ ready, stable: load, panic: load }, 2_000)
      assert.ok(Number.isInteger(facts.desired) && facts.desired >= facts.floor)
      assert.ok(facts.desired <= Math.max(facts.ceiling, facts.panicPeak))
      desired = facts.desired
      ready = desired
    }
    assert.equal(desired, Math.ceil(load / target), `run ${run}: load ${load}, target ${target}`)
  }
})
