import assert from 'node:assert/strict'
import test from 'node:test'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/log.ts'
import { createMetrics } from '../../base/metrics.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { createPodTable } from '../pod-table.ts'
import type { Caches, ResourceClient } from '../reconciler.ts'
import type { RevisionDoors } from '../serving.ts'
import { createAutoscaler } from './autoscaler.ts'
import { settingsOf } from './test-settings.ts'

test('five hundred idle Revisions set no timer', async () => {
  const clock = new FakeClock()
  const deployment = { metadata: { uid: 'd', resourceVersion: '1' }, spec: { replicas: 0 } } as unknown as Resource
  await using autoscaler = createAutoscaler({
    caches: { get: () => deployment, list: () => [] } as unknown as Caches,
    client: {} as ResourceClient,
    clock,
    log: silentLogger,
    metrics: createMetrics(),
    pods: createPodTable({ clock }),
    revisions: {
      find: () => undefined,
      watch: () => ({ [Symbol.dispose]: () => undefined }),
    } as unknown as RevisionDoors,
  })
  for (let index = 0; index < 500; index++) {
    autoscaler.open({
      namespace: 'shop',
      name: `idle-${index}`,
      target: { kind: 'Deployment.apps', name: `idle-${index}-deployment` },
      rules: { settings: settingsOf(), selector: { uid: `uid-${index}` }, service: '', configuration: '' },
      before: { activity: 'inactive', isInitialized: true },
      onChange: () => undefined,
    })
  }
  await clock.advance(2_000)
  assert.equal(clock.pendingTimers, 0)
})
