import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AdmissionContext } from '../../../engine/kind.ts'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import type { ObjectMeta } from '../../../model/kubernetes/resource.ts'
import type { RevisionSpec } from '../../../model/serving/revision-template.ts'
import { setRevisionDefaults } from './defaults.ts'
import type { Revision } from './schema.ts'
import { validateRevision } from './validate.ts'

const aRevision = (spec: RevisionSpec = {}, metadata: Partial<ObjectMeta> = {}): Revision => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Revision',
  metadata: { name: 'hello-00001', namespace: 'shop', ...metadata },
  spec: { containers: [{ image: 'example.com/hello' }], ...spec },
})

const context = (old?: Revision, data: Record<string, string> = {}): AdmissionContext<Revision> => ({
  operation: old === undefined ? 'create' : 'update',
  user: { username: 'me' },
  config: { data: () => data },
  ...(old === undefined ? {} : { old }),
})

function admitted(object: Revision, old?: Revision, data?: Record<string, string>): Revision {
  const draft = structuredClone(object)
  setRevisionDefaults(draft, context(old, data))
  return draft
}

const refusal = (object: Revision, old?: Revision): string =>
  fieldErrorText(validateRevision(admitted(object, old), context(old)).filter(({ level }) => level !== 'warning'))

test('a Revision gets its defaults when it is made, and none afterwards', () => {
  const made = admitted(aRevision())
  assert.partialDeepStrictEqual(made.spec, { timeoutSeconds: 300, enableServiceLinks: false })
  assert.deepEqual(admitted(made, made, { 'revision-idle-timeout-seconds': '7' }), made)
})

test('a Revision is refused in upstream’s words', () => {
  const label = 'serving.knative.dev/configuration'
  const owner = { apiVersion: 'serving.knative.dev/v1', kind: 'Configuration', name: 'hello', uid: 'u' }
  const rows: [Revision, string][] = [
    [aRevision(), ''],
    [aRevision({ containers: [] }), 'missing field(s): spec.containers'],
    [aRevision({ timeoutSeconds: 700 }), 'expected 0 <= 700 <= 600: spec.timeoutSeconds'],
    [aRevision({}, { labels: { [label]: 'hello' } }), `missing field(s): metadata.labels.${label}`],
    [aRevision({}, { labels: { [label]: 'hello' }, ownerReferences: [owner] }), ''],
    [
      aRevision({}, { annotations: { 'autoscaling.knative.dev/min-scale': '-1' } }),
      'expected 0 <= -1 <= 2147483647: metadata.annotations.autoscaling.knative.dev/min-scale',
    ],
  ]
  for (const [object, expected] of rows) assert.equal(refusal(object), expected)
})

test('the spec of a Revision never changes, its labels and annotations may', () => {
  const before = admitted(aRevision())
  const annotated = {
    ...before,
    metadata: { ...before.metadata, annotations: { 'autoscaling.knative.dev/min-scale': '2' } },
  }
  assert.equal(refusal(annotated, before), '')
  const changed = { ...before, spec: { ...before.spec, timeoutSeconds: 7 } }
  assert.equal(
    refusal(changed, before),
    'Immutable fields changed (-old +new): spec\n{v1.RevisionSpec}.TimeoutSeconds:\n\t-: 300\n\t+: 7\n',
  )
})
