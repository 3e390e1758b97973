// Delivery specs: what is refused, and what they mean.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, fieldErrorText } from '../kubernetes/field-error.ts'
import { deliveryFlags, parseDelivery, validateDelivery } from './delivery.ts'
import type { DeliverySpec } from './types.ts'

const complaint = (delivery: unknown, features: Record<string, string> = {}): string =>
  fieldErrorText(at('spec.delivery', validateDelivery(delivery as DeliverySpec, deliveryFlags(features))))

const rows: [string, unknown, string][] = [
  ['everything right', { retry: 3, backoffPolicy: 'linear', backoffDelay: 'PT0S', timeout: 'P1D', format: 'json' }, ''],
  ['nulls', { retry: null, backoffPolicy: null, timeout: null, deadLetterSink: null }, ''],
  ['a negative retry', { retry: -1 }, 'invalid value: -1: spec.delivery.retry'],
  ['an unknown policy', { backoffPolicy: 'random' }, 'invalid value: random: spec.delivery.backoffPolicy'],
  ['a bad delay', { backoffDelay: '1s' }, 'invalid value: 1s: spec.delivery.backoffDelay'],
  ['a negative delay', { backoffDelay: '-PT1S' }, 'invalid value: -PT1S: spec.delivery.backoffDelay'],
  ['a zero timeout', { timeout: 'PT0S' }, 'invalid value: PT0S: spec.delivery.timeout'],
  ['a negative timeout', { timeout: 'PT-1S' }, 'invalid value: PT-1S: spec.delivery.timeout'],
  ['retryAfterMax by default', { retryAfterMax: 'PT1S' }, 'must not set the field(s): spec.delivery.retryAfterMax'],
  ['an unknown format', { format: 'avro' }, 'invalid value: avro: spec.delivery.format'],
  [
    'an empty dead letter sink',
    { deadLetterSink: {} },
    'expected at least one, got none: spec.delivery.deadLetterSink.ref, spec.delivery.deadLetterSink.uri',
  ],
]

for (const [name, delivery, text] of rows) {
  test(`${name}: ${text === '' ? 'fine' : 'refused'}`, () => assert.equal(complaint(delivery), text))
}

test('flags switch timeout off and retryAfterMax on', () => {
  assert.equal(
    complaint({ timeout: 'PT1S' }, { 'delivery-timeout': 'Disabled' }),
    'must not set the field(s): spec.delivery.timeout',
  )
  assert.equal(complaint({ retryAfterMax: 'PT0S' }, { 'delivery-retryafter': 'enabled' }), '')
  assert.equal(
    complaint({ retryAfterMax: '-PT1S' }, { 'delivery-retryafter': 'Enabled' }),
    'invalid value: -PT1S: spec.delivery.retryAfterMax',
  )
})

test('back-off needs both policy and delay', () => {
  assert.deepEqual(parseDelivery({ retry: 2, backoffPolicy: 'linear' }), { retries: 2 })
  assert.deepEqual(parseDelivery({ retry: 2, backoffDelay: 'PT1S' }), { retries: 2 })
  assert.deepEqual(parseDelivery({ backoffPolicy: 'linear', backoffDelay: 'PT0.25S' }), {
    retries: 0,
    backoff: { policy: 'linear', delayMs: 250 },
  })
})

test('an absent spec means one try and no waiting', () => assert.deepEqual(parseDelivery(undefined), { retries: 0 }))
