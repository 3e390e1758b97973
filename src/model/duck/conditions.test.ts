import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConditionSet, conditionOf, isReady } from './conditions.ts'
import type { Condition } from './types.ts'

const rules = { dependents: ['A', 'B'] }
const then = '2026-01-01T00:00:00Z'
const now = '2026-01-01T00:10:00Z'

/** `A=True`, `B=False:Reason:message` … as a stored list. */
function stored(...texts: string[]): Condition[] {
  return texts.map((text) => {
    const [type = '', status = '', reason, message, severity] = text.split(/[=:]/)
    return {
      type,
      status: status as Condition['status'],
      ...(reason ? { reason } : {}),
      ...(message ? { message } : {}),
      ...(severity ? { severity: 'Info' as const } : {}),
      lastTransitionTime: then,
    }
  })
}

function shown(set: ConditionSet): string[] {
  return set.list(now).map(({ type, status, reason, message, severity }) => {
    const parts = [`${type}=${status}`, reason ?? '', message ?? '', severity ?? ''].join(':')
    return parts.replace(/:+$/, '')
  })
}

interface Row {
  promise: string
  from: Condition[]
  mark: (set: ConditionSet) => void
  to: string[]
}

const rows: Row[] = [
  {
    promise: 'a new object starts with everything Unknown',
    from: [],
    mark: (set) => set.initialize(),
    to: ['A=Unknown', 'B=Unknown', 'Ready=Unknown'],
  },
  {
    promise: 'a dependent that is new to a Ready object starts as True',
    from: stored('A=True', 'Ready=True'),
    mark: (set) => set.initialize(),
    to: ['A=True', 'B=True', 'Ready=True'],
  },
  {
    promise: 'initializing keeps what is there',
    from: stored('A=False:Broken:it broke', 'Ready=False:Broken:it broke'),
    mark: (set) => set.initialize(),
    to: ['A=False:Broken:it broke', 'B=Unknown', 'Ready=False:Broken:it broke'],
  },
  {
    promise: 'Ready is True once all dependents are',
    from: stored('A=Unknown', 'B=True', 'Ready=Unknown'),
    mark: (set) => set.markTrue('A'),
    to: ['A=True', 'B=True', 'Ready=True'],
  },
  {
    promise: 'a reason of a True dependent does not reach Ready',
    from: stored('A=Unknown', 'B=True', 'Ready=Unknown'),
    mark: (set) => set.markTrue('A', 'NotConfigured', 'nothing to do'),
    to: ['A=True:NotConfigured:nothing to do', 'B=True', 'Ready=True'],
  },
  {
    promise: 'Ready stays Unknown without a reason while a dependent was never marked',
    from: [],
    mark: (set) => set.markTrue('A'),
    to: ['A=True', 'Ready=Unknown'],
  },
  {
    promise: 'Ready repeats the Unknown dependent that is left',
    from: stored('A=Unknown', 'B=Unknown:Waiting:for B', 'Ready=Unknown'),
    mark: (set) => set.markTrue('A'),
    to: ['A=True', 'B=Unknown:Waiting:for B', 'Ready=Unknown:Waiting:for B'],
  },
  {
    promise: 'a False dependent weighs more than a newer Unknown one',
    from: [],
    mark(set) {
      set.markFalse('A', 'Broken', 'it broke')
      set.markUnknown('B', 'Waiting', 'for B')
      set.markTrue('C')
    },
    to: ['A=False:Broken:it broke', 'B=Unknown:Waiting:for B', 'C=True:::Info', 'Ready=False:Broken:it broke'],
  },
  {
    promise: 'of two False dependents Ready repeats the one marked last',
    from: [],
    mark(set) {
      set.markFalse('B', 'First', 'one')
      set.markFalse('A', 'Second', 'two')
      set.markTrue('C')
    },
    to: ['A=False:Second:two', 'B=False:First:one', 'C=True:::Info', 'Ready=False:Second:two'],
  },
  {
    promise: 'a False marked now is newer than a stored one, and marking the same again does not make it newer',
    from: stored('A=False:Old:one', 'B=True', 'Ready=False:Old:one'),
    mark(set) {
      set.markFalse('B', 'New', 'two')
      set.markFalse('A', 'Old', 'one')
      set.markTrue('C')
    },
    to: ['A=False:Old:one', 'B=False:New:two', 'C=True:::Info', 'Ready=False:New:two'],
  },
  {
    promise: 'marking a dependent False takes Ready over, even from another False one',
    from: stored('A=False:First:one', 'B=Unknown', 'Ready=False:First:one'),
    mark: (set) => set.markFalse('B', 'Second', 'two'),
    to: ['A=False:First:one', 'B=False:Second:two', 'Ready=False:Second:two'],
  },
  {
    promise: 'marking a dependent Unknown makes Ready Unknown for the same reason',
    from: stored('A=True', 'B=True', 'Ready=True'),
    mark: (set) => set.markUnknown('A', 'Waiting', 'for A'),
    to: ['A=Unknown:Waiting:for A', 'B=True', 'Ready=Unknown:Waiting:for A'],
  },
  {
    promise: 'marking a dependent Unknown leaves a Ready that is False for another one alone',
    from: stored('A=True', 'B=False:Broken:it broke', 'Ready=False:Broken:it broke'),
    mark: (set) => set.markUnknown('A', 'Waiting', 'for A'),
    to: ['A=Unknown:Waiting:for A', 'B=False:Broken:it broke', 'Ready=False:Broken:it broke'],
  },
  {
    promise: 'a Ready that hides a False dependent is forced False',
    from: stored('A=False:Broken:it broke', 'B=True', 'Ready=Unknown'),
    mark: (set) => set.markUnknown('Ready', 'NewObservedGenFailure', 'unsuccessfully observed a new generation'),
    to: [
      'A=False:Broken:it broke',
      'B=True',
      'Ready=False:NewObservedGenFailure:unsuccessfully observed a new generation',
    ],
  },
  {
    promise: 'conditions beside the dependents carry severity Info and never spoil Ready',
    from: stored('A=True', 'B=True', 'Ready=True'),
    mark(set) {
      set.markFalse('Sink', 'Gone', 'no sink')
      set.markTrue('A')
    },
    to: ['A=True', 'B=True', 'Ready=True', 'Sink=False:Gone:no sink:Info'],
  },
  {
    promise: 'an Unknown that only informs leaves Ready alone',
    from: stored('A=True', 'B=True', 'Ready=True'),
    mark: (set) => set.markUnknown('Sink', 'Waiting', 'for it'),
    to: ['A=True', 'B=True', 'Ready=True', 'Sink=Unknown:Waiting:for it:Info'],
  },
  {
    promise: 'Ready itself may be True with a reason when its dependents are',
    from: stored('A=True', 'B=True', 'Ready=Unknown'),
    mark: (set) => set.markTrue('Ready', 'Done', 'all good'),
    to: ['A=True', 'B=True', 'Ready=True:Done:all good'],
  },
  {
    promise: 'Ready cannot be marked True against its dependents',
    from: stored('A=True', 'B=False:Broken:it broke', 'Ready=False:Broken:it broke'),
    mark: (set) => set.markTrue('Ready'),
    to: ['A=True', 'B=False:Broken:it broke', 'Ready=False:Broken:it broke'],
  },
]

describe('conditions', () => {
  for (const { promise, from, mark, to } of rows) {
    test(promise, () => {
      const set = new ConditionSet(rules, from)
      mark(set)
      assert.deepEqual(shown(set), to)
    })
  }

  test('a kind whose only condition is Ready marks it directly', () => {
    const set = new ConditionSet({ dependents: [] })
    set.initialize()
    assert.equal(set.status('Ready'), 'Unknown')
    set.markTrue('Ready')
    assert.equal(set.status('Ready'), 'True')
  })

  test('each condition with any changed field gets the one new time, the others keep theirs', () => {
    const set = new ConditionSet(rules, stored('A=False:Broken:it broke', 'B=True', 'Ready=False:Broken:it broke'))
    set.markFalse('A', 'Broken', 'it broke again')
    assert.deepEqual(
      set.list(now).map(({ type, lastTransitionTime }) => [type, lastTransitionTime]),
      [
        ['A', now],
        ['B', then],
        ['Ready', now],
      ],
    )
  })

  test('a condition that comes back to what was stored keeps its time', () => {
    const set = new ConditionSet(rules, stored('A=True', 'B=True', 'Ready=True'))
    set.markUnknown('A', 'Waiting', 'for A')
    set.markTrue('A')
    assert.deepEqual(set.list(now), stored('A=True', 'B=True', 'Ready=True'))
  })

  test('an object is Ready when it says so, and only then', () => {
    const broker = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata: { name: 'shop' } }
    assert.equal(isReady(broker), false)
    assert.equal(isReady({ ...broker, status: { conditions: stored('Ready=Unknown') } }), false)
    assert.equal(isReady({ ...broker, status: { conditions: stored('Ready=True') } }), true)
    assert.equal(conditionOf({ ...broker, status: { conditions: stored('A=False:Why') } }, 'A')?.reason, 'Why')
  })
})
