import assert from 'node:assert/strict'
import test from 'node:test'
import { settle } from '../../base/fake-clock.ts'
import { aScalerBed } from './test-bed.ts'

const labels =
  'k8s_namespace_name="shop",kn_service_name="hello",kn_configuration_name="hello",kn_revision_name="hello-00001"'

test('scales are exported by upstream’s names, with the Revision’s labels', async () => {
  const before = { activity: 'inactive', isInitialized: true } as const
  await using bed = aScalerBed({ containerConcurrency: 10, replicas: 0, before })
  bed.load(20)
  await settle()
  const text = bed.metrics.prometheus()
  const expected = {
    kn_revision_pods_desired: 3,
    kn_revision_pods_requested: 3,
    kn_revision_pods_count: 0,
    kn_revision_pods_not_ready_count: 0,
    kn_revision_pods_pending_count: 0,
    kn_revision_pods_terminating_count: 0,
    kn_revision_capacity_excess: -231,
    kn_revision_panic_mode: 1,
    kn_revision_concurrency_stable: 20,
    kn_revision_concurrency_panic: 20,
    kn_revision_concurrency_target: 7,
  }
  for (const [name, value] of Object.entries(expected)) assert.ok(text.includes(`${name}{${labels}} ${value}\n`), name)
  assert.equal(text.includes('kn_revision_rps_stable{'), false)
  assert.ok(text.includes('# TYPE kn_revision_rps_stable gauge'))
})
