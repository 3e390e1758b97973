import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aRoute, startRoutingWorld } from '../../../../test/harness/routing-world.ts'
import { FakeClock } from '../../../base/fake-clock.ts'
import { openResourceStore } from '../../../ports/resource-store/open.ts'
import { isRolledOut, paceRollout, stepRollout } from './rollout.ts'
import type { ConfigurationRollout, Rollout } from './rollout.ts'
import { readRollout, writeRollout } from './rollout-text.ts'
import type { Route } from './schema.ts'

const at = Date.UTC(2026, 0, 1)

/** `r1=99 r2=1`, oldest first. */
const shares = ([entry]: Rollout): string =>
  entry!.revisions.map(({ revisionName, percent }) => `${revisionName}=${percent}`).join(' ')

function aRollout(text: string, more: Partial<ConfigurationRollout> = {}): ConfigurationRollout {
  const revisions = text.split(' ').map((share) => {
    const [revisionName = '', percent] = share.split('=')
    return { revisionName, percent: Number(percent) }
  })
  const percent = revisions.reduce((sum, share) => sum + share.percent, 0)
  return { configurationName: 'hello', tag: '', percent, revisions, ...more }
}

test('the first step gives one percent, and what that takes is the pace of the others', () => {
  const goal = [aRollout('r2=100')]
  const started = stepRollout(goal, [aRollout('r1=100')], at)
  assert.equal(shares(started.rollout), 'r1=99 r2=1')
  assert.equal(started.nextMs, undefined, 'the gateway has to follow first')
  assert.deepEqual(started.rollout[0]!.steps, { startMs: at })
  assert.equal(isRolledOut(started.rollout), false)

  // 4.2 s until the gateway had it: 5 s a step at least, in 115 s that are left: 23 steps of 4 percent.
  const paced = paceRollout(started.rollout, at + 4_200, 120_000)
  assert.deepEqual(paced[0]!.steps?.pace, { nextMs: at + 9_200, everyMs: 5_000, percent: 4 })
  assert.deepEqual(paceRollout(paced, at + 60_000, 120_000), paced, 'once')

  const early = stepRollout(goal, paced, at + 9_199)
  assert.equal(shares(early.rollout), 'r1=99 r2=1')
  assert.equal(early.nextMs, at + 9_200)
  const next = stepRollout(goal, paced, at + 9_200)
  assert.equal(shares(next.rollout), 'r1=95 r2=5')
  assert.equal(next.nextMs, at + 14_200)
})

test('a rollout of two minutes is over after two minutes, by steps that only grow', () => {
  const goal = [aRollout('r2=100')]
  let rollout = paceRollout(stepRollout(goal, [aRollout('r1=100')], at).rollout, at + 1_000, 120_000)
  let nowMs = at + 1_000
  const seen: number[] = []
  while (!isRolledOut(rollout)) {
    nowMs = rollout[0]!.steps!.pace!.nextMs
    rollout = stepRollout(goal, rollout, nowMs).rollout
    seen.push(rollout[0]!.revisions.at(-1)!.percent)
  }
  assert.equal(seen.at(-1), 100)
  assert.equal(seen.length, 99)
  assert.deepEqual(
    seen,
    [...seen].sort((a, b) => a - b),
  )
  assert.ok(Math.abs(nowMs - at - 120_000) < 100, `${nowMs - at}`)
  assert.deepEqual(rollout, goal, 'nothing is left of it')
})

test('of little time one step is made', () => {
  const started = stepRollout([aRollout('r2=100')], [aRollout('r1=100')], at).rollout
  const paced = paceRollout(started, at + 3_500, 2_000)
  assert.deepEqual(paced[0]!.steps?.pace, { nextMs: at + 4_500, everyMs: 1_000, percent: 99 })
  assert.equal(shares(stepRollout([aRollout('r2=100')], paced, at + 4_500).rollout), 'r2=100')
})

test('one percent is not divided, and neither is a tag that nobody had', () => {
  assert.equal(shares(stepRollout([aRollout('r2=1')], [aRollout('r1=1')], at).rollout), 'r2=1')
  const tagged = aRollout('r2=100', { tag: 'new' })
  assert.deepEqual(stepRollout([tagged], [aRollout('r1=100')], at), { rollout: [tagged], nextMs: undefined })
  assert.deepEqual(stepRollout([tagged], undefined, at).rollout, [tagged])
  const other = aRollout('r2=100', { configurationName: 'other' })
  assert.deepEqual(stepRollout([other], [aRollout('r1=100')], at).rollout, [other])
})

test('a share that changes on the way: more is the newest’s, less is the oldest’s', () => {
  const pace = { nextMs: at + 10_000, everyMs: 10_000, percent: 10 }
  const steps = { startMs: at, pace }
  const before = [aRollout('r1=50 r2=20 r3=10', { steps })]
  const rows: [number, string][] = [
    [90, 'r1=50 r2=20 r3=20'],
    [70, 'r1=40 r2=20 r3=10'],
    [30, 'r2=20 r3=10'],
    [20, 'r2=10 r3=10'],
    [10, 'r3=10'],
    [5, 'r3=5'],
  ]
  for (const [percent, expected] of rows) {
    assert.equal(shares(stepRollout([aRollout(`r3=${percent}`)], before, at).rollout), expected, `${percent}`)
  }
})

test('steps drain the second newest first, and the last step takes the rest', () => {
  const steps = (percent: number) => ({ startMs: at, pace: { nextMs: at, everyMs: 1_000, percent } })
  const rows: [string, number, string][] = [
    ['r1=50 r2=40 r3=10', 10, 'r1=50 r2=30 r3=20'],
    ['r1=50 r2=5 r3=45', 10, 'r1=45 r3=55'],
    ['r1=50 r2=10 r3=40', 10, 'r1=50 r3=50'],
    ['r1=8 r3=92', 10, 'r3=100'],
  ]
  for (const [before, percent, expected] of rows) {
    const { rollout } = stepRollout([aRollout('r3=100')], [aRollout(before, { steps: steps(percent) })], at)
    assert.equal(shares(rollout), expected, before)
  }
})

test('a further Revision on the way takes its percent from the newest, and the pace anew', () => {
  const steps = { startMs: at, pace: { nextMs: at + 9_000, everyMs: 9_000, percent: 9 } }
  const { rollout } = stepRollout([aRollout('r3=100')], [aRollout('r1=60 r2=40', { steps })], at + 500)
  assert.equal(shares(rollout), 'r1=60 r2=39 r3=1')
  assert.deepEqual(rollout[0]!.steps, { startMs: at + 500 })
  const soon = stepRollout([aRollout('r3=100')], [aRollout('r1=99 r2=1', { steps })], at).rollout
  assert.equal(shares(soon), 'r1=99 r3=1', 'who has nothing left goes')
})

test('a share that is lowered below the size of a step goes on by steps, also after it was stored', () => {
  const pace = { nextMs: at + 10_000, everyMs: 10_000, percent: 55 }
  const before = aRollout('r1=99 r2=1', { steps: { startMs: at, pace } })
  const { rollout } = stepRollout([aRollout('r2=25')], [before], at + 1_000)
  assert.equal(shares(rollout), 'r1=24 r2=1')
  const stored = readRollout(writeRollout(rollout))
  assert.deepEqual(stored, rollout)
  assert.equal(shares(stepRollout([aRollout('r2=25')], stored, at + 2_000).rollout), 'r1=24 r2=1')
})

test('back on the way to a Revision that has a share yet: it keeps it, and has one only', () => {
  const goal = [aRollout('r1=100')]
  const before = aRollout('r0=20 r1=60 r2=20', { steps: { startMs: at } })
  const { rollout } = stepRollout(goal, [before], at + 5_000)
  assert.equal(shares(rollout), 'r0=20 r2=20 r1=60')
  assert.deepEqual(rollout[0]!.steps, { startMs: at + 5_000 })
})

test('a clock that is set back does not hold a rollout up', () => {
  const pace = { nextMs: at + 10_000, everyMs: 10_000, percent: 10 }
  const before = aRollout('r1=90 r2=10', { steps: { startMs: at, pace } })
  const hourEarlier = at - 3_600_000
  const { rollout, nextMs } = stepRollout([aRollout('r2=100')], [before], hourEarlier)
  assert.equal(shares(rollout), 'r1=80 r2=20')
  assert.equal(nextMs, hourEarlier + 10_000)
})

test('its state survives in upstream’s JSON', () => {
  const steps = { startMs: at, pace: { nextMs: at + 9_000, everyMs: 9_000, percent: 9 } }
  const rollout = [aRollout('r1=60 r2=40', { steps }), aRollout('r2=100', { tag: 'new' })]
  const text = writeRollout(rollout)
  assert.equal(
    text,
    '{"configurations":[{"configurationName":"hello","percent":100,"revisions":[{"revisionName":"r1","percent":60},' +
      '{"revisionName":"r2","percent":40}],"stepParams":{"starttime":1767225600000000000,' +
      '"nextStepTime":1767225609000000000,"stepDuration":9000000000,"stepSize":9}},' +
      '{"configurationName":"hello","tag":"new","percent":100,"revisions":[{"revisionName":"r2","percent":100}],' +
      '"stepParams":{}}]}',
  )
  assert.deepEqual(readRollout(text), rollout)
  assert.equal(writeRollout([]), '{}')
  assert.deepEqual(readRollout('{}'), [])
})

test('what somebody edited until it adds up no more is forgotten', () => {
  const texts = [
    undefined,
    '',
    'no JSON',
    'null',
    '3',
    '{"configurations":{}}',
    '{"configurations":[{"configurationName":"a","percent":100,"revisions":[{"revisionName":"r","percent":99}]}]}',
    '{"configurations":[{"configurationName":"a","percent":101,"revisions":[{"revisionName":"r","percent":101}]}]}',
    '{"configurations":[{"percent":10,"revisions":[{"percent":10}],' +
      '"stepParams":{"starttime":1,"nextStepTime":1,"stepDuration":1,"stepSize":11}}]}',
  ]
  for (const text of texts) assert.equal(readRollout(text), undefined, text)
})

test('what has not the form of a rollout is forgotten, too', () => {
  for (const configurations of [
    7,
    'some',
    {},
    [null],
    [{ revisions: 7 }],
    [{ revisions: [null] }],
    [{ stepParams: null }],
  ]) {
    const text = JSON.stringify({ configurations })
    assert.equal(readRollout(text), undefined, text)
  }
  for (const text of [undefined, '', 'null', '[', '7x']) assert.equal(readRollout(text), undefined, text)
})

test('a Route with time for it rolls its latest Revision out gradually', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  const annotations = { 'serving.knative.dev/rollout-duration': '60s' }
  const traffic = [{ configurationName: 'hello', latestRevision: true, percent: 100 }]
  await world.client.create(aRoute('hello', traffic, { annotations }))
  await world.settled()
  assert.equal(await world.says('Route', 'hello'), 'True')

  await world.roll('hello', 'hello-00002')
  const message = 'A gradual rollout of the latest revision(s) is in progress.'
  assert.equal(await world.says('Route', 'hello'), `Unknown RolloutInProgress: ${message}`)
  const status = async () => (await world.read<Route>('Route', 'hello')).status?.traffic
  assert.deepEqual(await status(), [
    { revisionName: 'hello-00001', latestRevision: true, percent: 99 },
    { revisionName: 'hello-00002', latestRevision: true, percent: 1 },
  ])
  // 59 steps of 2 percent, one a second.
  await world.advance(10_000)
  const [older, newer] = (await status()) ?? []
  assert.deepEqual([older?.percent, newer?.percent], [79, 21])
  const taken = world.shares('hello.shop', 2_000)['hello-00002']!
  assert.ok(Math.abs(taken - 420) < 60, `${taken} of 2,000 are 21 %`)
  await world.advance(50_000)
  assert.deepEqual(await status(), [{ revisionName: 'hello-00002', latestRevision: true, percent: 100 }])
  assert.equal(await world.says('Route', 'hello'), 'True')
  assert.deepEqual(world.shares('hello.shop', 50), { 'hello-00002': 50 })
})

test('a rollout that is under way goes on after a restart', async () => {
  const store = await openResourceStore({ driver: 'memory' })
  const clock = new FakeClock(at)
  const annotations = { 'serving.knative.dev/rollout-duration': '60s' }
  const before = await startRoutingWorld({ store, clock })
  await before.roll('hello', 'hello-00001')
  const traffic = [{ configurationName: 'hello', latestRevision: true, percent: 100 }]
  await before.client.create(aRoute('hello', traffic, { annotations }))
  await before.settled()
  await before.roll('hello', 'hello-00002')
  await before.advance(10_000)
  await before[Symbol.asyncDispose]()

  await clock.advance(5_000)
  await using world = await startRoutingWorld({ store, clock })
  await world.settled()
  const percents = async () =>
    (await world.read<Route>('Route', 'hello')).status?.traffic?.map(({ percent }) => percent)
  assert.deepEqual(await percents(), [77, 23], 'time that Knode was away is not made up for')
  await world.advance(1_000)
  assert.deepEqual(await percents(), [75, 25])
  await world.advance(60_000)
  assert.deepEqual(await percents(), [100])
})

test('config-network gives the time where the Route does not, and Revisions that are named switch at once', async () => {
  await using world = await startRoutingWorld()
  await world.configure('config-network', { 'rollout-duration': '60' })
  await world.roll('hello', 'hello-00001')
  await world.client.create(aRoute('hello', [{ configurationName: 'hello', latestRevision: true, percent: 100 }]))
  await world.client.create(aRoute('pinned', [{ revisionName: 'hello-00001', latestRevision: false, percent: 100 }]))
  await world.settled()
  await world.roll('hello', 'hello-00002')
  assert.match(await world.says('Route', 'hello'), /^Unknown RolloutInProgress/)
  const patch = { spec: { traffic: [{ revisionName: 'hello-00002', latestRevision: false, percent: 100 }] } }
  await world.client.patch('Route.serving.knative.dev', 'shop', 'pinned', patch)
  await world.settled()
  assert.deepEqual(world.shares('pinned.shop', 20), { 'hello-00002': 20 })
})
