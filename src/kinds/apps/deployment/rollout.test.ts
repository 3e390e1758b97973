import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rolloutBounds } from './rollout-bounds.ts'
import { nextStep } from './rollout.ts'
import type { PodFacts } from './rollout.ts'
import type { DeploymentSpec } from './schema.ts'

let born = 0
const aPod = (name: string, more: Partial<PodFacts> = {}): PodFacts => ({
  name,
  hash: 'new',
  isReady: true,
  isAvailable: true,
  isLeaving: false,
  inFlight: 0,
  createdMs: ++born,
  ...more,
})
const unready = { isReady: false, isAvailable: false }
const old = (name: string, more: Partial<PodFacts> = {}): PodFacts => aPod(name, { hash: 'old', ...more })
const step = (spec: DeploymentSpec, ...pods: PodFacts[]) => nextStep(spec, 'new', pods)

test('Pods are made until there are enough, and those on their way out do not count', () => {
  assert.deepEqual(step({ replicas: 3 }), { create: 3, remove: [] })
  assert.deepEqual(step({ replicas: 3 }, aPod('a'), aPod('b', { isLeaving: true })), { create: 2, remove: [] })
  assert.deepEqual(step({ replicas: 1 }, aPod('a')), { create: 0, remove: [] })
  assert.deepEqual(step({ replicas: 0 }), { create: 0, remove: [] })
})

test('of too many, those that are not ready go first, then those with the least to do, then the youngest', () => {
  const pods = [aPod('busy', { inFlight: 5 }), aPod('starting', unready), aPod('older'), aPod('younger')]
  assert.deepEqual(step({ replicas: 3 }, ...pods).remove, ['starting'])
  assert.deepEqual(step({ replicas: 2 }, ...pods).remove, ['starting', 'younger'])
  assert.deepEqual(step({ replicas: 1 }, ...pods).remove, ['starting', 'younger', 'older'])
})

test('a new template comes with a quarter more Pods at most, and a quarter fewer available ones', () => {
  const four = ['a', 'b', 'c', 'd'].map((name) => old(name))
  assert.deepEqual(step({ replicas: 4 }, ...four), { create: 1, remove: ['d'] })
  const started = [aPod('n', unready), ...four.slice(0, 3)]
  assert.deepEqual(step({ replicas: 4 }, ...started), { create: 1, remove: [] })
  const ready = [aPod('n'), ...four.slice(0, 3)]
  assert.deepEqual(step({ replicas: 4 }, ...ready), { create: 1, remove: ['c'] })
})

test('a single Pod is replaced only once the new one is available', () => {
  assert.deepEqual(step({ replicas: 1 }, old('o')), { create: 1, remove: [] })
  assert.deepEqual(step({ replicas: 1 }, old('o'), aPod('n', unready)), { create: 0, remove: [] })
  assert.deepEqual(step({ replicas: 1 }, old('o'), aPod('n', { isAvailable: false })), { create: 0, remove: [] })
  assert.deepEqual(step({ replicas: 1 }, old('o'), aPod('n')), { create: 0, remove: ['o'] })
})

test('old Pods that are of no use make room at once', () => {
  assert.deepEqual(step({ replicas: 2 }, old('a'), old('b', unready)), { create: 1, remove: ['b'] })
})

test('Recreate makes nothing new before the last old one is gone', () => {
  const spec: DeploymentSpec = { replicas: 2, strategy: { type: 'Recreate' } }
  assert.deepEqual(step(spec, old('a'), old('b')), { create: 0, remove: ['a', 'b'] })
  assert.deepEqual(step(spec, old('a', { isLeaving: true })), { create: 0, remove: [] })
  assert.deepEqual(step(spec), { create: 2, remove: [] })
})

test('a paused Deployment keeps its old Pods, and still scales down', () => {
  const spec: DeploymentSpec = { replicas: 1, paused: true }
  assert.deepEqual(step(spec, old('a')), { create: 0, remove: [] })
  assert.deepEqual(step(spec, old('a'), old('b')), { create: 0, remove: ['b'] })
  assert.deepEqual(step(spec), { create: 0, remove: [] })
})

test('a rollout ends with as many new Pods as are wanted, and is never below its bounds, whatever the bounds are', () => {
  for (const [maxSurge, maxUnavailable] of [
    [1, 0],
    [0, 1],
    ['25%', '25%'],
    ['100%', 0],
    [0, '50%'],
    [2, 2],
  ] as const) {
    const spec: DeploymentSpec = { replicas: 5, strategy: { rollingUpdate: { maxSurge, maxUnavailable } } }
    const { totalMax, availableMin } = rolloutBounds(spec)
    let pods = Array.from({ length: 5 }, (_, index) => old(`o${index}`))
    for (let round = 0; round < 20; round++) {
      const { create, remove } = step(spec, ...pods)
      pods = pods.filter(({ name }) => !remove.includes(name))
      assert.ok(pods.filter(({ isAvailable }) => isAvailable).length >= availableMin)
      pods.push(...Array.from({ length: create }, (_, index) => aPod(`n${round}-${index}`, unready)))
      assert.ok(pods.length <= totalMax, `${pods.length} of ${totalMax}`)
      pods = pods.map((pod) => ({ ...pod, isReady: true, isAvailable: true }))
    }
    assert.deepEqual(
      pods.map(({ hash }) => hash),
      Array.from({ length: 5 }, () => 'new'),
    )
  }
})
