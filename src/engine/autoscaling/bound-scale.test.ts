import assert from 'node:assert/strict'
import test from 'node:test'
import type { ScaleSettings } from '../autoscaler.ts'
import {
  activating,
  activatorCount,
  active,
  activeThreshold,
  boundScale,
  inactive,
  initialExcessBurstCapacity,
  modeOf,
  nextActivity,
} from './bound-scale.ts'
import type { BoundInput } from './bound-scale.ts'
import { settingsOf } from './test-settings.ts'

const bound = (input: Partial<BoundInput>, settings: ScaleSettings = settingsOf()) =>
  boundScale(
    { desired: 0, activity: 'active', activityForMs: 0, isInitialized: true, proxyForMs: undefined, ...input },
    settings,
  )
const scaleOf = (...given: Parameters<typeof bound>): [want: number, isApplied: boolean, lookAgainMs?: number] => {
  const { want, isApplied, lookAgainMs } = bound(...given)
  return lookAgainMs === undefined ? [want, isApplied] : [want, isApplied, lookAgainMs]
}

test('without data nothing is decided, but a starting Revision has its bounds', () => {
  assert.deepEqual(scaleOf({ desired: -1 }), [-1, false])
  assert.deepEqual(scaleOf({ desired: -1, activity: 'inactive' }), [-1, false])
  const settings = settingsOf({ annotations: { 'min-scale': '3' } })
  assert.deepEqual(scaleOf({ desired: -1, activity: 'activating' }, settings), [3, true])
})

test('min-scale and max-scale bound what is wanted', () => {
  const settings = settingsOf({ annotations: { 'min-scale': '2', 'max-scale': '5' } })
  assert.deepEqual(scaleOf({ desired: 0 }, settings), [2, true])
  assert.deepEqual(scaleOf({ desired: 4 }, settings), [4, true])
  assert.deepEqual(scaleOf({ desired: 9 }, settings), [5, true])
  assert.deepEqual(bound({ desired: 9 }, settings).facts, [{ rule: 'max-scale', to: 5 }])
})

test('initial-scale holds until it was reached once', () => {
  const settings = settingsOf({ annotations: { 'initial-scale': '3' } })
  const starting = { activity: 'activating', isInitialized: false } as const
  assert.deepEqual(scaleOf({ ...starting, desired: 1 }, settings), [3, true])
  assert.deepEqual(scaleOf({ desired: 1, isInitialized: true }, settings), [1, true])
})

test('neither min-scale, initial-scale nor pod retention hold for a Revision that no traffic reaches', () => {
  const annotations = { 'min-scale': '2', 'initial-scale': '3', 'scale-to-zero-pod-retention-period': '1h' }
  const settings = settingsOf({ annotations, isReachable: false })
  assert.deepEqual(scaleOf({ desired: 0, activityForMs: 60_000 }, settings), [0, false, 2_000])
  assert.deepEqual(scaleOf({ activity: 'inactive', activityForMs: 2_000, proxyForMs: 30_000 }, settings), [0, true])
  assert.deepEqual(scaleOf({ desired: 1, isInitialized: false }, settings), [1, true])
})

test('an active Revision keeps one instance for a window, is marked inactive, and then goes', () => {
  assert.deepEqual(scaleOf({ activityForMs: 20_000 }), [1, true, 40_000])
  assert.deepEqual(scaleOf({ activityForMs: 60_000 }), [0, false, 2_000])
  const idle = { activity: 'inactive', activityForMs: 2_000 } as const
  assert.deepEqual(scaleOf({ ...idle, proxyForMs: 60_000 }), [0, true], 'behind the activator already: at once')
  assert.deepEqual(scaleOf({ ...idle, proxyForMs: 2_000 }), [0, false, 28_000], 'after the grace period')
  assert.deepEqual(scaleOf({ ...idle, activityForMs: 30_000 }), [0, true])
})

test('the grace period is no retention time, and a retention time is none of grace', () => {
  const settings = settingsOf({ annotations: { 'scale-to-zero-pod-retention-period': '10s' } })
  const idle = { activity: 'inactive', proxyForMs: 90_000 } as const
  assert.deepEqual(scaleOf({ ...idle, activityForMs: 4_000 }, settings), [0, false, 6_000])
  assert.deepEqual(scaleOf({ ...idle, activityForMs: 10_000 }, settings), [0, true])
  const long = settingsOf({ annotations: { 'scale-to-zero-pod-retention-period': '5m' } })
  assert.deepEqual(scaleOf({ ...idle, activityForMs: 100_000 }, long), [0, false, 200_000])
})

test('a start is given up half a minute after its deadline', () => {
  const settings = settingsOf({ deployment: { 'progress-deadline': '10s' } })
  const start = { activity: 'activating' } as const
  assert.deepEqual(scaleOf({ ...start, activityForMs: 40_000 }, settings), [-1, false, 1])
  assert.deepEqual(scaleOf({ ...start, activityForMs: 40_001 }, settings), [0, true])
})

test('where scaling to zero is off one instance stays', () => {
  assert.deepEqual(scaleOf({}, settingsOf({ config: { 'enable-scale-to-zero': 'false' } })), [1, true])
})

test('activity follows the table of upstream', () => {
  const before = { activating, active, inactive }
  type Row = [want: number, ready: number, threshold: number, before: keyof typeof before, after: string]
  const rows: Row[] = [
    [0, 0, 1, 'active', 'NoTraffic'],
    [0, 5, 1, 'active', 'NoTraffic'],
    [0, 0, 1, 'activating', 'TimedOut'],
    [-1, 0, 0, 'activating', 'NoTraffic'],
    [1, 0, 1, 'inactive', 'Queued'],
    [1, 0, 1, 'active', 'Queued'],
    [3, 2, 3, 'active', 'Queued'],
    [3, 3, 3, 'activating', ''],
    [1, 4, 1, 'inactive', ''],
    [-1, 0, 1, 'inactive', 'NoTraffic'],
    [-1, 4, 1, 'inactive', 'NoTraffic'],
    [-1, 0, 1, 'activating', 'Queued'],
    [-1, 0, 1, 'active', 'Queued'],
    [-1, 1, 1, 'activating', ''],
    [-1, 1, 1, 'active', ''],
  ]
  for (const [want, ready, threshold, was, reason] of rows) {
    const after = nextActivity({ want, ready, threshold, before: before[was] })
    assert.equal(after.reason, reason, `want ${want}, ready ${ready} of ${threshold}, was ${was}`)
  }
})

test('a Revision that was given up says so until it is wanted again', () => {
  const given = nextActivity({ want: 0, ready: 0, threshold: 1, before: activating })
  assert.equal(nextActivity({ want: 0, ready: 0, threshold: 1, before: given }).reason, 'TimedOut')
  assert.equal(nextActivity({ want: 1, ready: 0, threshold: 1, before: given }).reason, 'Queued')
})

test('before it is initialized a Revision is active at its initial scale, afterwards at one', () => {
  const settings = settingsOf({ annotations: { 'initial-scale': '3', 'min-scale': '2' } })
  assert.equal(activeThreshold(settings, false), 3)
  assert.equal(activeThreshold(settings, true), 2)
  assert.equal(activeThreshold(settingsOf(), true), 1)
  const zero = { annotations: { 'initial-scale': '0' }, config: { 'allow-zero-initial-scale': 'true' } }
  assert.equal(activeThreshold(settingsOf(zero), false), 0)
})

test('instances serve directly when there are some and a burst would fit', () => {
  assert.equal(modeOf(1, 0), 'Serve')
  assert.equal(modeOf(1, -1), 'Proxy')
  assert.equal(modeOf(0, 5), 'Proxy')
  assert.equal(modeOf(-1, 5), 'Proxy')
})

test('what is not measured yet is judged by the initial scale', () => {
  assert.equal(initialExcessBurstCapacity(settingsOf({ containerConcurrency: 10 })), -201)
  const tbc = (value: string): number =>
    initialExcessBurstCapacity(settingsOf({ annotations: { 'target-burst-capacity': value } }))
  assert.deepEqual([tbc('0'), tbc('-1'), tbc('70')], [0, -1, 30])
})

test('activators cover the ready instances and the burst, two at least', () => {
  const settings = settingsOf({ containerConcurrency: 10 })
  assert.equal(activatorCount(2, settings), 3)
  assert.equal(activatorCount(0, settings), 3)
  const tbc = (value: string): number =>
    activatorCount(50, settingsOf({ containerConcurrency: 10, annotations: { 'target-burst-capacity': value } }))
  assert.deepEqual([tbc('0'), tbc('-1')], [2, 5])
})
