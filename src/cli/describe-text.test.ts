// An object in words.
import assert from 'node:assert/strict'
import test from 'node:test'
import { describeObject } from './describe-text.ts'

const nowMs = Date.UTC(2026, 0, 1, 0, 2)
const created = '2026-01-01T00:00:00Z'
const plain = { nowMs, paint: (_: string, text: string) => text }

test('an object is told field by field, its conditions and Events with their ages', () => {
  const text = describeObject(
    {
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Trigger',
      metadata: {
        name: 'billing',
        namespace: 'shop',
        creationTimestamp: created,
        labels: { app: 'shop', tier: 'back' },
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{…}' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Sequence', name: 's', uid: 'u' }],
        deletionTimestamp: '2026-01-01T00:01:00Z',
        finalizers: ['f.knode.dev'],
      },
      spec: { subscriberUri: 'http://x', filters: [{ exact: { type: 'a' } }, 'odd'], empty: {}, script: 'one\ntwo\n' },
      status: {
        observedGeneration: 1,
        conditions: [
          { type: 'Ready', status: 'False', reason: 'NoBroker', message: 'create it', lastTransitionTime: created },
          { type: 'DependencyReady', status: 'True' },
        ],
      },
    },
    [
      {
        type: 'Warning',
        reason: 'Late',
        message: 'second ',
        count: 3,
        lastTimestamp: '2026-01-01T00:01:30Z',
        source: { component: 'c' },
      },
      { reason: 'Early', message: 'first', eventTime: '2026-01-01T00:01:00.000000Z' },
    ],
    plain,
  )
  assert.equal(
    text,
    `Name:         billing
Namespace:    shop
Labels:       app: shop
              tier: back
Annotations:  <none>
API Version:  eventing.knative.dev/v1
Kind:         Trigger
Created:      2026-01-01T00:00:00Z (2m ago)
Deleting:     2026-01-01T00:01:00Z (60s ago), waits for f.knode.dev
Owned by:     Sequence s
Spec:
  Subscriber Uri:  http://x
  Filters:
    - Exact:
        Type:  a
    - odd
  Empty:  <none>
  Script:
    one
    two
Status:
  Observed Generation:  1
Conditions:
  Ready            False    2m  NoBroker: create it
  DependencyReady  True     <unknown>
Events:
  Normal   60s  Early: first
  Warning  30s (x3)  Late (c): second
`,
  )
})

test('an object without status and Events says so', () => {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { 'a.b': 'x' } }
  const text = describeObject(object, [], plain)
  assert.match(text, /^Data:\n {2}a\.b: {2}x\nEvents: {2}<none>\n$/m)
  assert.doesNotMatch(text, /Namespace|Status|Conditions/)
})
