import assert from 'node:assert/strict'
import test from 'node:test'
import type { ScaleSnapshot } from '../autoscaler.ts'
import { decideScale, freshMemory } from './decide-scale.ts'
import type { ScaleInput } from './decide-scale.ts'
import { explainScale } from './explain-scale.ts'
import { settingsOf } from './test-settings.ts'
import type { SettingsOptions } from './test-settings.ts'

const aSnapshot = (changes: Partial<ScaleSnapshot> = {}): ScaleSnapshot => ({
  namespace: 'shop',
  name: 'hello-00001',
  settings: settingsOf({ containerConcurrency: 10 }),
  ready: 2,
  replicas: 2,
  want: 2,
  activity: 'active',
  activityForMs: 90_000,
  isInitialized: true,
  mode: 'Proxy',
  activators: 3,
  inFlight: 0,
  bounds: [],
  isResting: false,
  ...changes,
})

const decided = (seen: Partial<ScaleInput>, options: SettingsOptions = { containerConcurrency: 10 }) => {
  const settings = settingsOf(options)
  const { facts } = decideScale({ nowMs: 0, ready: 2, stable: 0, panic: 0, ...seen }, settings, freshMemory)
  return { settings, want: facts.desired, decision: { ...facts, agoMs: 500 } }
}

test('a surge is told with its averages, what they make, and how long panic lasts', () => {
  assert.deepEqual(explainScale(aSnapshot({ ...decided({ stable: 24.5, panic: 61.2 }), inFlight: 62 })), [
    '9 instances wanted, 2 ready; 62 requests in the house.',
    'On average 24.5 requests at once over 1m, 61.2 over the last 6s; one instance is meant for 7, 70 % of 10: that makes 4 and 9.',
    'Panic, since 6s asked for 200 % or more of what is ready: instances are only added, up to 9 so far, for 1m more at least.',
    'Mode Proxy (excess burst capacity -253, target-burst-capacity 211).',
  ])
})

test('at zero it says what ends that', () => {
  const resting = { want: 0, ready: 0, replicas: 0, activity: 'inactive', isResting: true } as const
  assert.deepEqual(explainScale(aSnapshot(resting)), [
    'At zero: no request is there, and the next one starts an instance.',
  ])
})

test('one that shrinks tells how fast it may, and one that grows too', () => {
  const shrinking = explainScale(aSnapshot({ ...decided({ ready: 9, stable: 10, panic: 6 }), ready: 9 }))
  assert.ok(shrinking.includes('Of 9 ready instances one decision keeps 4 at least (max-scale-down-rate 2).'))
  const slow = { containerConcurrency: 10, config: { 'max-scale-up-rate': '1.5' } }
  const growing = explainScale(aSnapshot(decided({ ready: 2, stable: 70, panic: 0 }, slow)))
  assert.ok(growing.includes('One decision comes to 3 at most (max-scale-up-rate 1.5).'))
})

test('the last instance tells what holds it, and when it goes', () => {
  const idle = {
    want: 1,
    ready: 1,
    bounds: [{ rule: 'idle-window', to: 1, leftMs: 40_000 }],
  } satisfies Partial<ScaleSnapshot>
  assert.deepEqual(explainScale(aSnapshot({ ...idle, zeroInMs: 42_000 })), [
    '1 instance wanted, 1 ready.',
    'It has been active for less than its window; the last instance stays 40s more.',
    'If no request comes, the last instance goes in 42s.',
  ])
})

const rules: [SettingsOptions, Partial<ScaleInput>, RegExp][] = [
  [
    { annotations: { metric: 'rps' } },
    { stable: 30 },
    /^On average 30 requests a second over 1m, 0 over the last 6s; one/,
  ],
  [
    { annotations: { 'activation-scale': '5' } },
    { ready: 0, stable: 1, panic: 1 },
    /^activation-scale begins with 5\.$/,
  ],
  [
    { annotations: { class: 'xpa.autoscaling.knative.dev', 'pod-buffer-size': '2' } },
    { stable: 1 },
    /^pod-buffer-size adds 2 warm spares\.$/,
  ],
  [{ isReachable: false }, {}, /^No traffic can reach this Revision/],
  [
    { annotations: { 'target-burst-capacity': '-1' } },
    { stable: 1 },
    /^Mode Proxy \(.*target-burst-capacity unlimited\)/,
  ],
]

test('each rule that counts has its sentence', () => {
  for (const [options, seen, sentence] of rules) {
    const sentences = explainScale(aSnapshot(decided(seen, options)))
    assert.ok(
      sentences.some((each) => sentence.test(each)),
      `${String(sentence)} in ${sentences.join('\n')}`,
    )
  }
})

test('what is held back names the delay and what the load asks for', () => {
  const settings = settingsOf({ annotations: { 'scale-down-delay': '90s' } })
  const first = decideScale({ nowMs: 0, ready: 9, stable: 630, panic: 0 }, settings, freshMemory)
  const { facts } = decideScale({ nowMs: 2_000, ready: 9, stable: 280, panic: 0 }, settings, first.memory)
  const sentences = explainScale(aSnapshot({ settings, want: 9, decision: { ...facts, agoMs: 0 } }))
  assert.ok(sentences.includes('scale-down-delay of 1m30s holds 9; the load asks for 4.'), sentences.join('\n'))
})
