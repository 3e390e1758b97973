// Whoever applies something that Pods are made of is told of fields without effect; what Knode makes of it says nothing.
import assert from 'node:assert/strict'
import test from 'node:test'
import { kinds } from '../../src/kinds/registry.ts'
import { fieldErrorText } from '../../src/model/kubernetes/field-error.ts'
import { parseApiVersion } from '../../src/model/kubernetes/resource.ts'
import type { Resource } from '../../src/model/kubernetes/resource.ts'

const features = { 'kubernetes.podspec-nodeselector': 'enabled' }
const containers = [{ name: 'a', image: 'example.com/a', securityContext: {} }]
const podSpec = { containers, nodeSelector: { gpu: 'yes' } }
const template = { metadata: { labels: { app: 'a' } }, spec: podSpec }

const rows: [apiVersion: string, kind: string, spec: object, path: string][] = [
  ['v1', 'Pod', podSpec, 'spec'],
  ['apps/v1', 'Deployment', { selector: { matchLabels: { app: 'a' } }, template }, 'spec.template.spec'],
  ['serving.knative.dev/v1', 'Service', { template }, 'spec.template.spec'],
  ['serving.knative.dev/v1', 'Configuration', { template }, 'spec.template.spec'],
  ['serving.knative.dev/v1', 'Revision', podSpec, 'spec'],
]

/** What admission says of nodeSelector. */
function told(object: Resource, old?: Resource): string[] {
  const { group } = parseApiVersion(object.apiVersion)
  const kind = kinds.find((each) => each.kind === object.kind && each.group === group)!
  const context = {
    user: { username: 'u' },
    config: { data: (_: string, name: string) => (name === 'config-features' ? features : {}) },
    ...(old === undefined ? { operation: 'create' as const } : { operation: 'update' as const, old }),
  }
  kind.setDefaults?.(object, context)
  const found = (kind.validate?.(object, context) ?? []).filter(({ paths }) => paths.join().includes('nodeSelector'))
  for (const { level } of found) assert.equal(level, 'warning')
  return found.map((each) => fieldErrorText([each]).replaceAll('\n', ' '))
}

for (const [apiVersion, kind, spec, path] of rows) {
  const object = (metadata: object = {}): Resource => ({
    apiVersion,
    kind,
    metadata: { name: 'shop', namespace: 'default', ...metadata },
    spec: structuredClone(spec),
  })

  test(`who applies a ${kind} with a field of which nothing comes is told`, () => {
    const why = '(Knode runs everything on its own machine and schedules nothing)'
    assert.deepEqual(told(object()), [`no effect in Knode: ${path}.nodeSelector ${why}`])
  })

  test(`a ${kind} that changes otherwise is not told of again`, () => {
    const old = object()
    told(old)
    const changed = structuredClone(old)
    changed.metadata.labels = { team: 'a' }
    assert.deepEqual(told(changed, old), [])
  })

  // Nothing makes Services.
  if (kind !== 'Service') {
    test(`a ${kind} that was made of something else says nothing`, () => {
      const ownerReferences = [{ apiVersion: 'v1', kind: 'Owner', name: 'o', uid: 'u', controller: true }]
      assert.deepEqual(told(object({ ownerReferences })), [])
    })
  }
}
