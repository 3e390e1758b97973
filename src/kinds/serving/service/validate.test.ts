import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import type { ObjectMeta } from '../../../model/kubernetes/resource.ts'
import { setServiceDefaults } from './defaults.ts'
import type { Service, ServiceSpec } from './schema.ts'
import { validateService } from './validate.ts'

const config = { data: () => ({}) }
const user = { username: 'me' }
const template = { spec: { containers: [{ image: 'example.com/hello' }] } }

const aService = (spec: ServiceSpec = { template }, metadata: Partial<ObjectMeta> = {}): Service => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'hello', namespace: 'default', ...metadata },
  spec: structuredClone(spec),
})

function admitted(service: Service, old?: Service): Service {
  const draft = structuredClone(service)
  setServiceDefaults(draft, context(old))
  return draft
}

const context = (old?: Service) =>
  old === undefined
    ? { operation: 'create' as const, user, config }
    : { operation: 'update' as const, old, user, config }

const refusal = (service: Service, old?: Service): string =>
  fieldErrorText(validateService(admitted(service, old), context(old)).filter(({ level }) => level !== 'warning'))

test('a Service is refused in upstream’s words', () => {
  const rollout = 'serving.knative.dev/rollout-duration'
  const rows: [Service, string][] = [
    [aService(), ''],
    [aService({}), 'missing field(s): spec.template.spec.containers'],
    [
      aService(undefined, { annotations: { 'autoscaling.knative.dev/min-scale': '1' } }),
      'invalid key name "autoscaling.knative.dev/min-scale": metadata.annotations\n' +
        'autoscaling annotations must be put under "spec.template.metadata.annotations" to work',
    ],
    [
      aService(undefined, { annotations: { 'knode.dev/command': 'node hello.ts' } }),
      'invalid key name "knode.dev/command": metadata.annotations\n' +
        'must be put under "spec.template.metadata.annotations" to work',
    ],
    [
      aService({ template: { ...template, metadata: { annotations: { 'knode.dev/comand': 'node hello.ts' } } } }),
      'invalid key name "knode.dev/comand": spec.template.metadata.annotations\n' +
        'did you mean knode.dev/command? known here: knode.dev/command, knode.dev/command.*, knode.dev/function, ' +
        'knode.dev/workdir',
    ],
    [
      aService(undefined, { annotations: { [rollout]: '1500ms' } }),
      `rollout-duration=1500ms is not at second precision: metadata.annotations.${rollout}`,
    ],
    [aService({ template, traffic: [{ percent: 90 }] }), 'Traffic targets sum to 90, want 100: spec.traffic'],
    [
      aService({ template: { ...template, metadata: { name: 'other-v1' } } }),
      'invalid value: "other-v1" must have prefix "hello-": spec.template.metadata.name',
    ],
  ]
  for (const [service, expected] of rows) assert.equal(refusal(service), expected)
  assert.match(
    refusal(aService(undefined, { name: '1st' })),
    /^not a DNS 1035 label: \[a DNS-1035 label .*\]: metadata\.name$/,
  )
})

test('who made it stays, and who changed it changes only with the spec', () => {
  const annotations = (creator: string, lastModifier: string) => ({
    'serving.knative.dev/creator': creator,
    'serving.knative.dev/lastModifier': lastModifier,
  })
  const old = admitted(aService(undefined, { annotations: annotations('a', 'a') }))
  const changed = (creator: string, lastModifier: string, timeoutSeconds = 300): Service => {
    const service = structuredClone(old)
    service.metadata.annotations = annotations(creator, lastModifier)
    service.spec.template!.spec!.timeoutSeconds = timeoutSeconds
    return service
  }
  assert.equal(refusal(changed('a', 'a'), old), '')
  assert.equal(
    refusal(changed('b', 'a'), old),
    'annotation value is immutable: metadata.annotations.serving.knative.dev/creator',
  )
  assert.equal(
    refusal(changed('a', 'b'), old),
    'invalid value: b: metadata.annotations.serving.knative.dev/lastModifier',
  )
  assert.equal(refusal(changed('a', 'b', 5), old), '')
})

test('a template under a name of its own is not touched by new defaults, and may not change', () => {
  const named = { ...template, metadata: { name: 'hello-v1' } }
  const before = admitted(aService({ template: named }))
  // As it was stored before a default was added.
  delete before.spec.template!.spec!.enableServiceLinks
  assert.deepEqual(admitted(before, before).spec.template, before.spec.template)
  const changed = structuredClone(before)
  changed.spec.template!.spec!.timeoutSeconds = 7
  assert.match(
    refusal(changed, before),
    /^Saw the following changes without a name change \(-old \+new\): spec\.template\.metadata\.name\n/,
  )
})

test('a new template is warned of its insecure defaults, an old one is not', () => {
  const warnings = (service: Service, old?: Service): string[] =>
    validateService(admitted(service, old), context(old)).flatMap(({ level, message }) =>
      level === 'warning' ? [message] : [],
    )
  const old = admitted(aService())
  assert.deepEqual(warnings(aService()), [
    'Kubernetes default value is insecure, Knative may default this to secure in a future release',
  ])
  assert.deepEqual(warnings({ ...old, metadata: { ...old.metadata, labels: { team: 'a' } } }, old), [])
})
