// The retry table, back-off and Retry-After of Knative's delivery spec, row by row.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ParsedDelivery } from '../../model/duck/delivery.ts'
import { backoffMs, isRetriable, isRetriableForSources, isSuccess, nextStep, parseRetryAfterMs } from './retry.ts'
import type { Failure } from './retry.ts'

const nowMs = Date.UTC(2026, 0, 1)
const failed = (facts: Partial<Failure>): Failure => ({ url: 'http://shop/', retriable: true, reason: 'no', ...facts })
const exponential = (facts: Partial<ParsedDelivery> = {}): ParsedDelivery => ({
  retries: 10,
  backoff: { policy: 'exponential', delayMs: 200 },
  ...facts,
})

test('exactly 404, 408, 409, 429 and everything from 500 on are retried', () => {
  const retried = Array.from({ length: 500 }, (_, index) => index + 100).filter(isRetriable)
  assert.deepEqual(
    retried.filter((status) => status < 500),
    [404, 408, 409, 429],
  )
  assert.equal(retried.length, 4 + 100)
})

test('exactly 200 to 299 succeed', () => {
  const succeeding = Array.from({ length: 500 }, (_, index) => index + 100).filter(isSuccess)
  assert.deepEqual([succeeding[0], succeeding.at(-1), succeeding.length], [200, 299, 100])
})

test('event sources retry other statuses than Brokers and channels do', () => {
  const retried = Array.from({ length: 500 }, (_, index) => index + 100).filter(isRetriableForSources)
  assert.deepEqual(retried, [404, 413, 425, 429, 502, 503, 504])
})

test('exponential waits start with the delay itself and double: 10 retries of 0.2 s take 204.6 s', () => {
  const waits = Array.from({ length: 10 }, (_, index) => backoffMs(exponential(), index + 1))
  assert.deepEqual(waits.slice(0, 4), [200, 400, 800, 1600])
  assert.equal(waits.at(-1), 102_400)
  assert.equal(
    waits.reduce((sum, wait) => sum + wait),
    204_600,
  )
})

test('linear waits grow by the delay', () => {
  const delivery: ParsedDelivery = { retries: 3, backoff: { policy: 'linear', delayMs: 1000 } }
  assert.deepEqual(
    [1, 2, 3].map((attempt) => backoffMs(delivery, attempt)),
    [1000, 2000, 3000],
  )
})

test('without a back-off retries follow at once', () => {
  assert.deepEqual(nextStep({ retries: 1 }, 1, failed({}), nowMs), { kind: 'retry', delayMs: 0 })
})

test('doubling without end still gives a wait', () => {
  assert.equal(backoffMs(exponential(), 2_000), 30 * 24 * 3600 * 1000)
})

test('attempts are retries plus one', () => {
  const steps = [1, 2, 3, 4].map((attempt) => nextStep(exponential({ retries: 3 }), attempt, failed({}), nowMs).kind)
  assert.deepEqual(steps, ['retry', 'retry', 'retry', 'give-up'])
  assert.equal(nextStep({ retries: 0 }, 1, failed({}), nowMs).kind, 'give-up')
})

test('what cannot be repeated is given up at once', () => {
  assert.equal(nextStep(exponential(), 1, failed({ retriable: false }), nowMs).kind, 'give-up')
})

const waitAfter = (facts: Partial<Failure>, retryAfterMaxMs?: number): number => {
  const delivery = exponential(retryAfterMaxMs === undefined ? {} : { retryAfterMaxMs })
  const step = nextStep(delivery, 1, failed(facts), nowMs)
  assert.equal(step.kind, 'retry')
  return step.kind === 'retry' ? step.delayMs : NaN
}

const retryAfterRows: [string, Partial<Failure>, number | undefined, number][] = [
  ['is ignored without retryAfterMax', { status: 503, retryAfter: '9' }, undefined, 200],
  ['counts for 503', { status: 503, retryAfter: '9' }, 60_000, 9_000],
  ['counts for 429', { status: 429, retryAfter: '9' }, 60_000, 9_000],
  ['does not count for 500', { status: 500, retryAfter: '9' }, 60_000, 200],
  ['does not count for 404', { status: 404, retryAfter: '9' }, 60_000, 200],
  ['is cut to retryAfterMax', { status: 503, retryAfter: '3600' }, 60_000, 60_000],
  ['never shortens the back-off', { status: 503, retryAfter: '0' }, 60_000, 200],
  ['is ignored with PT0S', { status: 503, retryAfter: '9' }, 0, 200],
  ['may be a date', { status: 503, retryAfter: 'Thu, 01 Jan 2026 00:00:05 GMT' }, 60_000, 5_000],
  ['in the past is ignored', { status: 503, retryAfter: 'Wed, 31 Dec 2025 23:59:00 GMT' }, 60_000, 200],
  ['that is negative is ignored', { status: 503, retryAfter: '-5' }, 60_000, 200],
  ['that is unreadable is ignored', { status: 503, retryAfter: 'soon' }, 60_000, 200],
]

for (const [name, facts, retryAfterMaxMs, waitMs] of retryAfterRows) {
  test(`Retry-After ${name}`, () => assert.equal(waitAfter(facts, retryAfterMaxMs), waitMs))
}

test('Retry-After dates come in three forms', () => {
  const inFiveSeconds = [
    'Thu, 01 Jan 2026 00:00:05 GMT',
    'Thursday, 01-Jan-26 00:00:05 GMT',
    'Thu Jan  1 00:00:05 2026',
  ]
  for (const text of inFiveSeconds) assert.equal(parseRetryAfterMs(text, nowMs), 5_000, text)
  assert.equal(parseRetryAfterMs('2026-01-01T00:00:05Z', nowMs), undefined)
  assert.equal(parseRetryAfterMs('1.5', nowMs), undefined)
})

test('waits are numbers whatever the count: a delay of nothing stays nothing', () => {
  const backoff = { policy: 'exponential', delayMs: 0 } as const
  assert.equal(backoffMs({ retries: 5_000, backoff }, 2_000), 0)
  assert.equal(backoffMs({ retries: 5_000, backoff: { ...backoff, delayMs: 1 } }, 2_000), 2_592_000_000)
})
