import assert from 'node:assert/strict'
import test from 'node:test'
import { decideUsage } from './decide-usage.ts'
import { settingsOf } from './test-settings.ts'

const hpa = (annotations: Record<string, string> = {}) =>
  settingsOf({ annotations: { class: 'hpa.autoscaling.knative.dev', target: '50', ...annotations } })
const desired = (replicas: number, usages: number[], annotations = {}): number | undefined =>
  decideUsage({ nowMs: 0, replicas, usages }, hpa(annotations), [])?.desired

test('the average use in proportion to the target says how many', () => {
  assert.equal(desired(2, [90, 110]), 4)
  assert.equal(desired(4, [20, 30, 25, 25]), 2)
  assert.equal(desired(2, [45, 54]), 2, 'a tenth off is near enough')
})

test('never zero, and no decision without a measure', () => {
  assert.equal(desired(3, [0, 0, 0]), 1)
  assert.equal(desired(3, []), undefined)
})

test('one decision doubles at most, or adds four', () => {
  assert.equal(desired(1, [900]), 5)
  assert.equal(
    desired(
      8,
      Array.from({ length: 8 }, () => 500),
    ),
    16,
  )
})

test('shrinking waits until the whole window wished for less', () => {
  const settings = hpa({ window: '30s' })
  let wishes: Parameters<typeof decideUsage>[2] = []
  const decide = (nowMs: number, replicas: number, usage: number): number => {
    const usages = Array.from({ length: replicas }, () => usage)
    const decision = decideUsage({ nowMs, replicas, usages }, settings, wishes)!
    wishes = decision.wishes
    return decision.desired
  }
  assert.equal(decide(0, 4, 50), 4)
  assert.equal(decide(15_000, 4, 25), 4)
  assert.equal(decide(30_000, 4, 10), 2)
  assert.equal(decide(45_000, 2, 20), 1)
})

test('growing waits as well where a window is given', () => {
  const settings = hpa({ window: '30s' })
  const first = decideUsage({ nowMs: 0, replicas: 1, usages: [50] }, settings, [])!
  const second = decideUsage({ nowMs: 15_000, replicas: 1, usages: [150] }, settings, first.wishes)!
  assert.equal(second.desired, 1)
  const third = decideUsage({ nowMs: 30_000, replicas: 1, usages: [150] }, settings, second.wishes)!
  assert.equal(third.desired, 3)
})
