import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AdmissionContext } from '../../../engine/kind.ts'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import type { ObjectMeta } from '../../../model/kubernetes/resource.ts'
import type { TrafficTarget } from '../../../model/serving/traffic.ts'
import { setRouteDefaults } from './defaults.ts'
import type { Route } from './schema.ts'
import { validateRoute } from './validate.ts'

const all: TrafficTarget[] = [{ configurationName: 'hello', latestRevision: true, percent: 100 }]

const aRoute = (traffic: TrafficTarget[] | undefined, metadata: Partial<ObjectMeta> = {}): Route => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Route',
  metadata: { name: 'hello', namespace: 'shop', ...metadata },
  spec: traffic === undefined ? {} : { traffic },
})

const complaint = (route: Route, old?: Route): string => {
  const context: AdmissionContext<Route> = {
    operation: old === undefined ? 'create' : 'update',
    user: { username: 'anna' },
    config: { data: () => ({}) },
    ...(old !== undefined && { old }),
  }
  return fieldErrorText(validateRoute(route, context))
}

test('targets without a Revision mean the latest one, and 0 percent; a Route without targets stays so', () => {
  const route = aRoute([
    { configurationName: 'hello', percent: 100 },
    { revisionName: 'hello-00001', tag: 'old' },
  ])
  setRouteDefaults(route)
  assert.deepEqual(route.spec.traffic, [
    { configurationName: 'hello', percent: 100, latestRevision: true },
    { revisionName: 'hello-00001', tag: 'old', latestRevision: false, percent: 0 },
  ])
  const empty = aRoute(undefined)
  setRouteDefaults(empty)
  assert.deepEqual(empty.spec, {})
})

test('each way a Route can be wrong is told in upstream’s words', () => {
  const details = 'autoscaling annotations must be put under "spec.template.metadata.annotations" to work'
  const annotated = (name: string, value: string): Route => aRoute(all, { annotations: { [name]: value } })
  const rows: [Route, string][] = [
    [aRoute(all), ''],
    [aRoute(undefined), 'Traffic targets sum to 0, want 100: spec.traffic'],
    [aRoute([{ ...all[0], percent: 90 }]), 'Traffic targets sum to 90, want 100: spec.traffic'],
    [
      aRoute([{ percent: 100 }]),
      'expected exactly one, got neither: spec.traffic[0].configurationName, spec.traffic[0].revisionName',
    ],
    [
      aRoute([{ ...all[0], revisionName: 'r', latestRevision: false }]),
      'expected exactly one, got both: spec.traffic[0].configurationName, spec.traffic[0].revisionName',
    ],
    [
      aRoute([
        { ...all[0], tag: 'a' },
        { ...all[0], percent: 0, tag: 'a' },
      ]),
      'Multiple definitions for "a": spec.traffic[0].tag, spec.traffic[1].tag',
    ],
    [aRoute([{ ...all[0], url: 'http://a' }]), 'must not set the field(s): spec.traffic[0].url'],
    [
      annotated('autoscaling.knative.dev/min-scale', '1'),
      `invalid key name "autoscaling.knative.dev/min-scale": metadata.annotations\n${details}`,
    ],
    [
      annotated('serving.knative.dev/rollout-duration', '1500ms'),
      'rollout-duration=1500ms is not at second precision: metadata.annotations.serving.knative.dev/rollout-duration',
    ],
    [
      annotated('serving.knative.dev/rolloutDuration', '-1m'),
      'rollout-duration=-1m must be positive: metadata.annotations.serving.knative.dev/rolloutDuration',
    ],
    [
      annotated('serving.knative.dev/rollout-duration', 'soon'),
      'invalid value: soon: metadata.annotations.serving.knative.dev/rollout-duration',
    ],
    [
      aRoute(all, { labels: { 'serving.knative.dev/service': 'hello' } }),
      'missing field(s): metadata.labels.serving.knative.dev/service',
    ],
  ]
  for (const [route, expected] of rows) assert.equal(complaint(route), expected)
  assert.match(complaint(aRoute(all, { name: '1st' })), /^not a DNS 1035 label: \[a DNS-1035 label must/)
})

test('who made a Route never changes, unless a Service owns it', () => {
  const by = (name: string, more: Partial<ObjectMeta> = {}): Route =>
    aRoute(all, { annotations: { 'serving.knative.dev/creator': name }, ...more })
  const refused = 'annotation value is immutable: metadata.annotations.serving.knative.dev/creator'
  assert.equal(complaint(by('bert'), by('anna')), refused)
  const owner = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'hello', uid: 'u' }
  assert.equal(complaint(by('bert', { ownerReferences: [owner] }), by('anna')), '')
})
