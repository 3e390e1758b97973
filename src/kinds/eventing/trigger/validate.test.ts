import assert from 'node:assert/strict'
import test from 'node:test'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import { setTriggerDefaults } from './defaults.ts'
import type { Trigger } from './schema.ts'
import { validateTrigger } from './validate.ts'

const subscriber = { uri: 'http://billing.example/' }

const aTrigger = (spec: Trigger['spec'], annotations: Record<string, string> = {}): Trigger => ({
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Trigger',
  metadata: { name: 'billing', namespace: 'shop', annotations },
  spec,
})

function refusal(trigger: Trigger, old?: Trigger): string {
  const config = { data: () => ({}) }
  const user = { username: 'me' }
  const context = old === undefined ? { operation: 'create' as const } : { operation: 'update' as const, old }
  return fieldErrorText(validateTrigger(trigger, { ...context, user, config }))
}

test('a Trigger is refused in upstream’s words', () => {
  const broker = 'orders'
  const rows: [Trigger, string][] = [
    [aTrigger({ broker, subscriber }), ''],
    [aTrigger({ subscriber }), 'missing field(s): spec.broker'],
    [aTrigger({ broker }), 'missing field(s): spec.subscriber'],
    [aTrigger({}), 'missing field(s): spec.broker, spec.subscriber'],
    [
      aTrigger({ broker, subscriber, brokerRef: { kind: 'Broker', name: 'b', apiVersion: 'v1' } }),
      'expected exactly one, got both: spec.broker, spec.brokerRef',
    ],
    [
      aTrigger({ broker, subscriber, filter: { attributes: { Type: 'x' } } }),
      'invalid key name "Type": spec.filter.attributes[Type]\nAttribute name must start with a letter and can only contain lowercase alphanumeric',
    ],
    [
      aTrigger({ broker, subscriber: { uri: '/relative' } }),
      'invalid value: Relative URI is not allowed when Ref and [apiVersion, kind, name] is absent: spec.subscriber.uri',
    ],
    [aTrigger({ broker, subscriber, delivery: { retry: -1 } }), 'invalid value: -1: spec.delivery.retry'],
    [
      aTrigger({ broker, subscriber }, { 'knative.dev/dependency': 'null' }),
      'missing field(s): metadata.annotations[knative.dev/dependency].apiVersion, metadata.annotations[knative.dev/dependency].kind, metadata.annotations[knative.dev/dependency].name',
    ],
    [
      aTrigger({ broker, subscriber }, { 'knative.dev/dependency': '{"kind":"PingSource"}' }),
      'missing field(s): metadata.annotations[knative.dev/dependency].apiVersion, metadata.annotations[knative.dev/dependency].name',
    ],
    [
      aTrigger({ broker, subscriber }, { 'eventing.knative.dev/injection': 'enabled' }),
      'The provided injection annotation is only used for default broker, but non-default broker specified here: "orders": metadata.annotations[eventing.knative.dev/injection]',
    ],
  ]
  for (const [trigger, text] of rows) assert.equal(refusal(trigger), text)
})

test('a filter with two dialects, and one that does not parse, are refused with their place', () => {
  const twice = refusal(
    aTrigger({ broker: 'b', subscriber, filters: [{ exact: { type: 'a' }, prefix: { type: 'b' } }] }),
  )
  assert.match(twice, /multiple dialects found, filters can have only one dialect set/)
  const broken = refusal(aTrigger({ broker: 'b', subscriber, filters: [{ cesql: 'type =' }] }))
  assert.match(broken, /^invalid value: type =: spec\.filters\[0\]\.cesql\n/)
})

test('the Broker of a Trigger cannot change', () => {
  const text = refusal(aTrigger({ broker: 'b', subscriber }), aTrigger({ broker: 'a', subscriber }))
  assert.equal(text, 'Immutable fields changed (-old +new): broker, spec\n{string}:\n\t-: "a"\n\t+: "b"\n')
})

test('defaults add the Broker’s label, the empty filter and namespaces', () => {
  const trigger = aTrigger({ broker: 'orders', subscriber: { ref: { apiVersion: 'v1', kind: 'Service', name: 's' } } })
  setTriggerDefaults(trigger)
  assert.deepEqual(trigger.metadata.labels, { 'eventing.knative.dev/broker': 'orders' })
  assert.deepEqual(trigger.spec.filter, {})
  assert.equal(trigger.spec.subscriber?.ref?.namespace, 'shop')
})
