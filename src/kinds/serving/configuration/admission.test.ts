import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AdmissionContext } from '../../../engine/kind.ts'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import type { ObjectMeta } from '../../../model/kubernetes/resource.ts'
import { setConfigurationDefaults } from './defaults.ts'
import type { Configuration, ConfigurationSpec } from './schema.ts'
import { validateConfiguration } from './validate.ts'

const template = { spec: { containers: [{ image: 'example.com/hello' }] } }
const owner = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'hello', uid: 'u', controller: true }

const aConfiguration = (spec: ConfigurationSpec = { template }, metadata: Partial<ObjectMeta> = {}): Configuration => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Configuration',
  metadata: { name: 'hello', namespace: 'shop', ...metadata },
  spec: structuredClone(spec),
})

const context = (old?: Configuration): AdmissionContext<Configuration> => ({
  operation: old === undefined ? 'create' : 'update',
  user: { username: 'me' },
  config: { data: () => ({}) },
  ...(old === undefined ? {} : { old }),
})

function admitted(object: Configuration, old?: Configuration): Configuration {
  const draft = structuredClone(object)
  setConfigurationDefaults(draft, context(old))
  return draft
}

const refusal = (object: Configuration, old?: Configuration): string =>
  fieldErrorText(validateConfiguration(admitted(object, old), context(old)).filter(({ level }) => level !== 'warning'))

test('a Configuration’s template gets its defaults', () => {
  assert.partialDeepStrictEqual(admitted(aConfiguration()).spec.template?.spec, {
    timeoutSeconds: 300,
    containerConcurrency: 0,
    containers: [{ name: 'user-container' }],
  })
})

test('a Configuration is refused in upstream’s words', () => {
  const label = 'serving.knative.dev/service'
  const rows: [Configuration, string][] = [
    [aConfiguration(), ''],
    [aConfiguration({}), 'missing field(s): spec.template.spec.containers'],
    [
      aConfiguration(undefined, { annotations: { 'autoscaling.knative.dev/min-scale': '1' } }),
      'invalid key name "autoscaling.knative.dev/min-scale": metadata.annotations\n' +
        'autoscaling annotations must be put under "spec.template.metadata.annotations" to work',
    ],
    [aConfiguration(undefined, { labels: { [label]: 'hello' } }), `missing field(s): metadata.labels.${label}`],
    [aConfiguration(undefined, { labels: { [label]: 'hello' }, ownerReferences: [owner] }), ''],
    [
      aConfiguration({ template: { ...template, metadata: { name: 'other-v1' } } }),
      'invalid value: "other-v1" must have prefix "hello-": spec.template.metadata.name',
    ],
  ]
  for (const [object, expected] of rows) assert.equal(refusal(object), expected)
})

test('who made a Configuration stays, unless a Service owns it', () => {
  const annotated = (creator: string, ownerReferences: ObjectMeta['ownerReferences'] = []): Configuration =>
    aConfiguration(undefined, { annotations: { 'serving.knative.dev/creator': creator }, ownerReferences })
  assert.equal(
    refusal(annotated('b'), admitted(annotated('a'))),
    'annotation value is immutable: metadata.annotations.serving.knative.dev/creator',
  )
  assert.equal(refusal(annotated('b', [owner]), admitted(annotated('a', [owner]))), '')
})

test('a template that keeps its own name must not change', () => {
  const named = (image: string): Configuration =>
    aConfiguration({ template: { metadata: { name: 'hello-v1' }, spec: { containers: [{ image }] } } })
  const before = admitted(named('example.com/one'))
  const changed = structuredClone(before)
  changed.spec.template!.spec!.containers![0]!.image = 'example.com/two'
  assert.equal(refusal(before, before), '')
  assert.match(
    refusal(changed, before),
    /^Saw the following changes without a name change \(-old \+new\): spec\.template\.metadata\.name\n/,
  )
})

test('who writes a Configuration is warned of insecure defaults, not so the Service that owns it', () => {
  const warnings = (object: Configuration): number =>
    validateConfiguration(admitted(object), context()).filter(({ level }) => level === 'warning').length
  assert.equal(warnings(aConfiguration()), 1)
  assert.equal(warnings(aConfiguration(undefined, { ownerReferences: [owner] })), 0)
})
