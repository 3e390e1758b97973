import assert from 'node:assert/strict'
import test from 'node:test'
import { fieldErrorText } from '../kubernetes/field-error.ts'
import { validateAutoscaling } from './validate-autoscaling.ts'

const key = (name: string): string => `autoscaling.knative.dev/${name}`
const complaints = (annotations: Record<string, string>, config: Record<string, string> = {}): string => {
  const prefixed = Object.fromEntries(Object.entries(annotations).map(([name, value]) => [key(name), value]))
  return fieldErrorText(validateAutoscaling(prefixed, config))
}
const xpa = { class: 'xpa.autoscaling.knative.dev' }

test('of classes that end like Knative’s, those that there are may be named', () => {
  assert.equal(complaints(xpa), '')
  assert.equal(complaints({ class: 'keda.example.com' }), '')
  assert.equal(
    complaints({ class: 'apa.autoscaling.knative.dev' }),
    `invalid value: apa.autoscaling.knative.dev: ${key('class')}`,
  )
  assert.equal(complaints({ class: 'constructor' }), '')
})

const spares: [Record<string, string>, string][] = [
  [{ 'pod-buffer-size': '3', 'gc-time': '30' }, ''],
  [{ 'gc-time': '1m30s' }, ''],
  [{ 'pod-buffer-size': '-1' }, `expected 0 <= -1 <= 2147483647: ${key('pod-buffer-size')}`],
  [{ 'pod-buffer-size': 'some' }, `invalid value: some: ${key('pod-buffer-size')}`],
  [
    { 'pod-buffer-size': '3', 'max-scale': '2' },
    `max-scale=2 is less than pod-buffer-size=3: ${key('max-scale')}, ${key('pod-buffer-size')}`,
  ],
  [{ 'gc-time': 'soon' }, `invalid value: soon: ${key('gc-time')}`],
  [{ 'gc-time': '2h' }, `expected 0s <= 2h <= 1h0m0s: ${key('gc-time')}`],
  [{ metric: 'cpu' }, `invalid value: cpu: ${key('metric')}`],
  [{ 'metric-aggregation-algorithm': 'none' }, `invalid value: none: ${key('metric-aggregation-algorithm')}`],
]

test('class xpa is checked like kpa, its own annotations, too', () => {
  for (const [annotations, text] of spares) assert.equal(complaints({ ...xpa, ...annotations }), text)
  assert.equal(complaints({ 'gc-time': 'soon' }, { 'pod-autoscaler-class': xpa.class }), spares[5]![1])
})

test('other classes pass what they do not know, as upstream does', () => {
  assert.equal(complaints({ 'pod-buffer-size': 'some', 'gc-time': 'soon' }), '')
})
