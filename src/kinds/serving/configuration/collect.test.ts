import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kubernetesTime } from '../../../model/kubernetes/resource.ts'
import type { Revision } from '../revision/schema.ts'
import { collectRevisions, retentionRules } from './collect.ts'

const hourMs = 3_600_000
const nowMs = Date.UTC(2026, 0, 10)
const agoMs = (hours: number): string => kubernetesTime(nowMs - hours * hourMs)

/** In reserve, made and last active that many hours ago. */
const aRevision = (name: string, { made = 100, active = 100, state = 'reserve', annotations = {} } = {}): Revision => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Revision',
  metadata: {
    name,
    creationTimestamp: agoMs(made),
    labels: { 'serving.knative.dev/routingState': state },
    annotations: { 'serving.knative.dev/routingStateModified': agoMs(active), ...annotations },
  },
  spec: {},
})

const rules = (data: Record<string, string> = {}) => retentionRules({ 'min-non-active-revisions': '0', ...data })
const collect = (revisions: Revision[], data: Record<string, string> = {}, latestReady?: string) => {
  const { surplus, nextMs } = collectRevisions(revisions, latestReady, rules(data), nowMs)
  return { names: surplus.map(({ metadata }) => metadata.name), inHours: nextMs && (nextMs - nowMs) / hourMs }
}

test('a Revision goes when it is both old and long unused', () => {
  const revisions = [
    aRevision('old', { made: 49, active: 16 }),
    aRevision('young', { made: 47, active: 46 }),
    aRevision('used', { made: 100, active: 14 }),
  ]
  assert.deepEqual(collect(revisions), { names: ['old'], inHours: 1 })
})

test('what a Route leads to, what is ready last, and what its user keeps, stays', () => {
  const revisions = [
    aRevision('active', { state: 'active' }),
    aRevision('pending', { state: 'pending' }),
    aRevision('kept', { annotations: { 'serving.knative.dev/no-gc': 'True' } }),
    aRevision('latest'),
  ]
  assert.deepEqual(collect(revisions, { 'max-non-active-revisions': '0' }, 'latest').names, [])
})

test('a number of them always stays, the newest', () => {
  const revisions = [aRevision('c', { active: 50 }), aRevision('a', { active: 90 }), aRevision('b', { active: 70 })]
  assert.deepEqual(collect(revisions, { 'min-non-active-revisions': '1' }).names, ['a', 'b'])
  assert.deepEqual(collect(revisions, { 'min-non-active-revisions': '3' }), { names: [], inHours: undefined })
})

test('of more than the maximum the oldest go, whatever their age', () => {
  const young = ['c', 'a', 'b'].map((name) => aRevision(name, { made: 3, active: name.charCodeAt(0) - 97 }))
  assert.deepEqual(collect(young, { 'max-non-active-revisions': '2' }).names, ['c'])
  assert.deepEqual(collect([...young, aRevision('old')], { 'max-non-active-revisions': '2' }).names, ['old', 'c'])
})

test('each rule can be disabled, and so can all', () => {
  const revisions = [aRevision('unused', { made: 1, active: 16 }), aRevision('aged', { made: 49, active: 1 })]
  assert.deepEqual(collect(revisions, { 'retain-since-create-time': 'disabled' }).names, ['unused'])
  assert.deepEqual(collect(revisions, { 'retain-since-last-active-time': 'Disabled' }).names, ['aged'])
  const noAges = { 'retain-since-create-time': 'disabled', 'retain-since-last-active-time': 'disabled' }
  assert.deepEqual(collect(revisions, { ...noAges, 'max-non-active-revisions': '1' }).names, ['unused'])
  assert.deepEqual(collect(revisions, { ...noAges, 'max-non-active-revisions': 'disabled' }), {
    names: [],
    inHours: undefined,
  })
})

test('nobody waits while there are no more than the minimum', () => {
  const { surplus, nextMs } = collectRevisions(
    [aRevision('young', { made: 1, active: 1 })],
    undefined,
    retentionRules({}),
    nowMs,
  )
  assert.deepEqual({ surplus, nextMs }, { surplus: [], nextMs: undefined })
})

test('a Revision without a time of its routing state counts from when it was made', () => {
  const revision = aRevision('old', { made: 60 })
  delete revision.metadata.annotations
  assert.deepEqual(collect([revision]).names, ['old'])
})
