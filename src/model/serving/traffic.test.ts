import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldErrorText } from '../kubernetes/field-error.ts'
import { defaultTraffic, validateTraffic } from './traffic.ts'
import type { TrafficTarget } from './traffic.ts'

test('a Service that says nothing sends all to its latest Revision', () => {
  assert.deepEqual(defaultTraffic(undefined, true), [{ latestRevision: true, percent: 100 }])
  assert.equal(defaultTraffic(undefined, false), undefined)
  assert.deepEqual(defaultTraffic([{ revisionName: 'a-1', percent: 100 }, { tag: 'next' }], true), [
    { revisionName: 'a-1', latestRevision: false, percent: 100 },
    { tag: 'next', latestRevision: true, percent: 0 },
  ])
})

test('targets are refused in upstream’s words', () => {
  const all: TrafficTarget = { latestRevision: true, percent: 100 }
  const rows: [targets: TrafficTarget[], refusal: string][] = [
    [[all], ''],
    [[{ ...all, percent: 90 }], 'Traffic targets sum to 90, want 100: traffic'],
    [
      [{ revisionName: 'a', latestRevision: true, percent: 100 }],
      'may not set revisionName "a" when latestRevision is true: traffic[0].latestRevision',
    ],
    [
      [{ latestRevision: false, percent: 100 }],
      'may not set revisionName "" when latestRevision is false: traffic[0].latestRevision',
    ],
    [[{ ...all, configurationName: 'c' }], 'must not set the field(s): traffic[0].configurationName'],
    [[{ ...all, url: 'http://x' }], 'must not set the field(s): traffic[0].url'],
    [
      [{ ...all, percent: 101 }],
      'Traffic targets sum to 101, want 100: traffic\nexpected 0 <= 101 <= 100: traffic[0].percent',
    ],
    [
      [
        { ...all, tag: 't' },
        { latestRevision: true, percent: 0, tag: 't' },
      ],
      'Multiple definitions for "t": traffic[0].tag, traffic[1].tag',
    ],
  ]
  for (const [targets, expected] of rows) assert.equal(fieldErrorText(validateTraffic(targets, true)), expected)
})

test('a Route’s target needs a Revision or a Configuration', () => {
  const refusal = (target: TrafficTarget): string => fieldErrorText(validateTraffic([target], false))
  assert.equal(refusal({ configurationName: 'c', latestRevision: true, percent: 100 }), '')
  assert.equal(
    refusal({ latestRevision: true, percent: 100 }),
    'expected exactly one, got neither: traffic[0].configurationName, traffic[0].revisionName',
  )
  assert.equal(
    refusal({ revisionName: 'r', configurationName: 'c', percent: 100 }),
    'expected exactly one, got both: traffic[0].configurationName, traffic[0].revisionName',
  )
})
