// Three ways to decide about an event must agree: the index, the compiled filter, and the walk that explains.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pick, randomEvent, randomSpec } from '../../../../test/harness/random-filters.ts'
import { seededRandom } from '../../../base/random.ts'
import { compileFilters } from './compile.ts'
import type { CompiledFilter } from './compile.ts'
import { createMatcher } from './matcher.ts'
import type { FilterSpec } from './spec.ts'

const rounds = 100
const filtersPerRound = 24
const eventsPerRound = 50

test('the index finds exactly the filters that pass one by one, in 100,000 random cases with changes between', () => {
  let cases = 0
  let passed = 0
  for (let round = 0; round < rounds; round++) {
    const random = seededRandom(round)
    const matcher = createMatcher()
    const filters = new Map<string, { spec: FilterSpec; compiled: CompiledFilter }>()
    const names = Array.from({ length: filtersPerRound }, (_, index) => `t${index}`)
    const change = (name: string): void => {
      const spec = randomSpec(random)
      const compiled = compileFilters(spec)
      filters.set(name, { spec, compiled })
      matcher.set(name, compiled)
    }
    for (const name of names) change(name)
    const events = Array.from({ length: eventsPerRound }, () => randomEvent(random))
    for (const event of events) {
      const found = [...matcher.match(event)]
      const expected: string[] = []
      for (const [name, { spec, compiled }] of filters) {
        cases++
        const { passes } = compiled.explain(event)
        const shown = (): string =>
          `round ${round}: ${JSON.stringify(spec)} of ${JSON.stringify([...event.attributes])}`
        assert.equal(compiled.passes(event), passes, `passes() and explain() of ${shown()}`)
        assert.equal(found.includes(name), passes, `match() and explain() of ${shown()}`)
        if (passes) expected.push(name)
      }
      assert.deepEqual(found, expected.sort(), 'names come in their order, none twice')
      passed += found.length
      if (random.next() < 0.3) change(pick(random, names))
      if (random.next() < 0.1) {
        const name = pick(random, names)
        matcher.delete(name)
        filters.delete(name)
        assert.equal(matcher.size, filters.size)
      }
    }
  }
  assert.ok(cases >= 100_000, `${cases} cases`)
  assert.ok(
    passed > cases / 10 && passed < cases * 0.9,
    `${passed} of ${cases} passed: the cases must be worth something`,
  )
})
