// Knode's delivery annotations: what they mean, and how a wrong one is refused.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldErrorText } from '../../model/kubernetes/field-error.ts'
import { dedupWindowMs, deliveryControls, validateDeliveryAnnotations, validateDoorAnnotations } from './annotations.ts'

test('annotations become controls; other annotations do not matter', () => {
  assert.deepEqual(
    deliveryControls({
      'knode.dev/paused': 'true',
      'knode.dev/max-in-flight': '7',
      'knode.dev/ordering': 'subject',
      'knode.dev/rate': '30/m',
      'knode.dev/expire-after': 'PT1H',
      'knode.dev/webhook-origin': 'shop.example.com',
      'knode.dev/command': 'node shop.ts',
    }),
    {
      paused: true,
      inFlightMax: 7,
      orderingAttribute: 'subject',
      ratePerSecond: 0.5,
      expireAfterMs: 3_600_000,
      webhookOrigin: 'shop.example.com',
    },
  )
  const batch = (value: string) => deliveryControls({ 'knode.dev/batch': value }).batch
  assert.deepEqual(batch('100'), { eventsMax: 100 })
  assert.deepEqual(batch('1/PT0S'), { eventsMax: 1, waitMs: 0 })
  assert.deepEqual(batch('1000/PT0.25S'), { eventsMax: 1000, waitMs: 250 })
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
  ...['0', '1001', 'many', '10/1s', '10/', '10/PT61S', '/PT1S'].map((value): [string, string, string] => [
    'knode.dev/batch',
    value,
    'expected events from 1 to 1000, and how long to wait for them, at most PT1M: 100 or 100/PT1S',
  ]),
  ...['', '*', 'http://shop', 'shop_1', '-shop', `${'a.'.repeat(127)}a`].map((value): [string, string, string] => [
    'knode.dev/webhook-origin',
    value,
    'expected a DNS name, such as shop.example.com',
  ]),
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

test('a batch in order is refused', () => {
  const annotations = { 'knode.dev/batch': '10', 'knode.dev/ordering': 'subject' }
  const text = fieldErrorText(validateDeliveryAnnotations(annotations))
  assert.match(text, /a batch cannot keep the order that knode.dev\/ordering asks for/)
  assert.deepEqual(deliveryControls(annotations), { paused: false, orderingAttribute: 'subject' })
})

test('a Broker’s memory of events is a duration above 0', () => {
  assert.deepEqual([dedupWindowMs({ 'knode.dev/dedup': 'PT24H' }), dedupWindowMs({})], [86_400_000, undefined])
  assert.deepEqual(
    [...validateDoorAnnotations({ 'knode.dev/dedup': 'P1D' }), ...validateDoorAnnotations(undefined)],
    [],
  )
  for (const value of ['PT0S', '24h', '', '-PT1H']) {
    assert.equal(
      fieldErrorText(validateDoorAnnotations({ 'knode.dev/dedup': value })),
      `invalid value: ${value}: metadata.annotations[knode.dev/dedup]\nexpected an ISO 8601 duration above 0, such as PT24H`,
    )
    assert.equal(dedupWindowMs({ 'knode.dev/dedup': value }), undefined)
  }
})
