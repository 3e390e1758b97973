// Knode's delivery annotations: what they mean, and how a wrong one is refused.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldErrorText } from '../../model/kubernetes/field-error.ts'
import { deliveryControls, validateDeliveryAnnotations } from './annotations.ts'

test('annotations become controls; other annotations do not matter', () => {
  assert.deepEqual(
    deliveryControls({
      'knode.dev/paused': 'true',
      'knode.dev/max-in-flight': '7',
      'knode.dev/ordering': 'subject',
      'knode.dev/rate': '30/m',
      'knode.dev/expire-after': 'PT1H',
      'knode.dev/command': 'node shop.ts',
    }),
    { paused: true, inFlightMax: 7, orderingAttribute: 'subject', ratePerSecond: 0.5, expireAfterMs: 3_600_000 },
  )
  assert.deepEqual(deliveryControls(undefined), { paused: false })
})

const wrong: [string, string, string][] = [
  ['knode.dev/paused', 'yes', 'expected true or false'],
  ['knode.dev/max-in-flight', '0', 'expected a whole number from 1 to 10000'],
  ['knode.dev/max-in-flight', '10001', 'expected a whole number from 1 to 10000'],
  ['knode.dev/max-in-flight', '1.5', 'expected a whole number from 1 to 10000'],
  ['knode.dev/ordering', 'Partition-Key', 'expected the name of an event attribute, such as subject or partitionkey'],
  ['knode.dev/rate', '0/s', 'expected a rate above 0, such as 100/s, 30/m or 5/h'],
  ['knode.dev/rate', '100', 'expected a rate above 0, such as 100/s, 30/m or 5/h'],
  ['knode.dev/expire-after', '1h', 'expected an ISO 8601 duration above 0, such as PT1H'],
  ['knode.dev/expire-after', 'PT0S', 'expected an ISO 8601 duration above 0, such as PT1H'],
]

for (const [name, value, expected] of wrong) {
  test(`${name}: "${value}" is refused and counts as absent`, () => {
    const errors = validateDeliveryAnnotations({ [name]: value })
    assert.equal(fieldErrorText(errors), `invalid value: ${value}: metadata.annotations[${name}]\n${expected}`)
    assert.deepEqual(deliveryControls({ [name]: value }), { paused: false })
  })
}

test('all wrong annotations are complained about at once', () => {
  assert.equal(validateDeliveryAnnotations({ 'knode.dev/rate': 'x', 'knode.dev/paused': 'x' }).length, 2)
})
