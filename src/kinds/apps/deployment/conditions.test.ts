import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextConditions, progressDeadline } from './conditions.ts'
import type { ConditionFacts } from './conditions.ts'
import type { Deployment, DeploymentCondition, DeploymentSpec } from './schema.ts'

const startMs = Date.UTC(2026, 0, 1)
const counts = (replicas: number, updated: number, ready: number): ConditionFacts['counts'] => ({
  replicas,
  updatedReplicas: updated,
  readyReplicas: ready,
  availableReplicas: ready,
})

/** A Deployment whose conditions are computed again and again. */
class Story {
  conditions: DeploymentCondition[] = []
  #counts = counts(0, 0, 0)
  #spec: DeploymentSpec

  constructor(spec: DeploymentSpec) {
    this.#spec = spec
  }

  get deployment(): Deployment {
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: this.#spec,
      status: { ...this.#counts, conditions: this.conditions },
    }
  }

  at(seconds: number, now: ConditionFacts['counts'], more: Partial<ConditionFacts> = {}): Record<string, string> {
    const facts = { counts: now, template: 'web-abc', nowMs: startMs + seconds * 1_000, ...more }
    this.conditions = nextConditions(this.deployment, facts)
    this.#counts = now
    return Object.fromEntries(this.conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]))
  }
}

test('a rollout is created, updated, and available in the end; then it stays so whatever its Pods do', () => {
  const story = new Story({ replicas: 2 })
  assert.deepEqual(story.at(0, counts(2, 2, 0)), {
    Available: 'False MinimumReplicasUnavailable',
    Progressing: 'True NewReplicaSetCreated',
  })
  assert.equal(story.at(1, counts(2, 2, 1))['Progressing'], 'True ReplicaSetUpdated')
  assert.deepEqual(story.at(2, counts(2, 2, 2)), {
    Available: 'True MinimumReplicasAvailable',
    Progressing: 'True NewReplicaSetAvailable',
  })
  assert.equal(story.conditions[1]?.message, 'ReplicaSet "web-abc" has successfully progressed.')
  assert.equal(progressDeadline(story.deployment), undefined)
  assert.deepEqual(story.at(5_000, counts(2, 2, 0)), {
    Available: 'False MinimumReplicasUnavailable',
    Progressing: 'True NewReplicaSetAvailable',
  })
})

test('a rollout without progress has failed when its deadline has passed, and goes on if it goes on after all', () => {
  const story = new Story({ replicas: 1, progressDeadlineSeconds: 60 })
  story.at(0, counts(1, 1, 0))
  assert.equal(progressDeadline(story.deployment), startMs + 60_000)
  assert.equal(story.at(59, counts(1, 1, 0))['Progressing'], 'True NewReplicaSetCreated')
  assert.equal(story.at(60, counts(1, 1, 0))['Progressing'], 'False ProgressDeadlineExceeded')
  assert.equal(story.conditions[1]?.message, 'ReplicaSet "web-abc" has timed out progressing.')
  assert.equal(story.at(61, counts(1, 1, 1))['Progressing'], 'True NewReplicaSetAvailable')
})

test('each step of progress gives the rollout its time anew', () => {
  const story = new Story({ replicas: 3, progressDeadlineSeconds: 60 })
  story.at(0, counts(3, 3, 0))
  story.at(50, counts(3, 3, 1))
  assert.equal(progressDeadline(story.deployment), startMs + 110_000)
})

test('a new template begins a new rollout', () => {
  const story = new Story({ replicas: 1 })
  story.at(0, counts(1, 1, 1))
  const after = story.at(10, counts(2, 1, 1), { template: 'web-xyz' })
  assert.equal(after['Progressing'], 'True NewReplicaSetCreated')
})

test('none of no Pods is enough: a Deployment scaled to zero is available and done', () => {
  assert.deepEqual(new Story({ replicas: 0 }).at(0, counts(0, 0, 0)), {
    Available: 'True MinimumReplicasAvailable',
    Progressing: 'True NewReplicaSetAvailable',
  })
})

test('Pods that cannot be made are a failure of the replicas, until they can', () => {
  const story = new Story({ replicas: 1 })
  const failed = story.at(0, counts(0, 0, 0), { createFailure: 'pods is forbidden' })
  assert.equal(failed['ReplicaFailure'], 'True FailedCreate')
  assert.equal(story.at(1, counts(1, 1, 0))['ReplicaFailure'], undefined)
})

test('times move only with what they are the times of', () => {
  const story = new Story({ replicas: 1 })
  story.at(0, counts(1, 1, 1))
  const [before] = story.conditions
  story.at(100, counts(1, 1, 1))
  assert.deepEqual(story.conditions[0], before)
  assert.equal(before?.lastTransitionTime, '2026-01-01T00:00:00Z')
})

test('a paused rollout says so', () => {
  assert.equal(
    new Story({ replicas: 1, paused: true }).at(0, counts(0, 0, 0))['Progressing'],
    'Unknown DeploymentPaused',
  )
})
