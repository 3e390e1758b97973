// Random filters, CESQL expressions and events that often meet: few names, few values, many shared prefixes.
import type { Random } from '../../src/base/random.ts'
import type { CesqlNode, LogicOperator } from '../../src/engine/delivery/filters/cesql/ast.ts'
import { printCesql } from '../../src/engine/delivery/filters/cesql/printer.ts'
import type { FilterSpec, SubscriptionsFilter } from '../../src/engine/delivery/filters/spec.ts'
import { cloudEvent } from '../../src/model/cloudevents/event.ts'
import type { CloudEvent } from '../../src/model/cloudevents/event.ts'

const texts = [
  'a',
  'ab',
  'abc',
  'abcd',
  'b',
  'bc',
  'com.a',
  'com.ab',
  'com.b',
  'TRUE',
  '5',
  '05',
  '',
  'é😀b',
  '%',
  'a_',
]
const names = ['type', 'source', 'subject', 'tenant', 'hop', 'flag']
const specialNames = ['dataschema', 'schemaurl', 'datamediatype', 'datacontenttype']

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random.next() * items.length)]!
}

const chance = (random: Random, likelihood: number): boolean => random.next() < likelihood
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)
const between = (random: Random, low: number, high: number): number =>
  low + Math.floor(random.next() * (high - low + 1))

/** A valid event; extensions are sometimes typed, sometimes missing. */
export function randomEvent(random: Random): CloudEvent {
  const filled = texts.filter((text) => text !== '')
  const maybe = <T>(make: () => T): T | undefined => (chance(random, 0.6) ? make() : undefined)
  const data = maybe(() => pick(random, ['{"n":1,"s":"a"}', '{"n":5}', '[1,2]', 'no json', '"ab"']))
  return cloudEvent(
    {
      id: pick(random, filled),
      source: pick(random, filled),
      type: pick(random, filled),
      subject: maybe(() => pick(random, filled)),
      tenant: maybe(() => pick(random, texts)),
      hop: maybe(() => pick<string | number>(random, [5, 0, -1, '5', '05', 'x'])),
      flag: maybe(() => pick<string | boolean>(random, [true, false, 'true', 'no'])),
      dataschema: maybe(() => pick(random, ['a', 'com.a'])),
      datacontenttype: maybe(() => pick(random, ['application/json', 'application/json; charset=utf-8', 'text/plain'])),
    },
    data,
  )
}

export function randomSpec(random: Random): FilterSpec {
  const dataFilter = chance(random, 0.1) ? pick(random, dataFilters) : undefined
  if (chance(random, 0.1)) return { filter: { attributes: randomMap(random, true) }, dataFilter }
  return { filters: times(between(random, 0, 3), () => randomFilter(random, 3)), dataFilter }
}

const dataFilters = ['data.n == 5', 'has(data.s) && type == "a"', 'data.size() == 2', 'type == "a" || data.n == 1']

function randomFilter(random: Random, depth: number): SubscriptionsFilter {
  const inner = (): SubscriptionsFilter => randomFilter(random, depth - 1)
  switch (between(random, depth > 0 ? 0 : 3, 7)) {
    case 0:
      return { all: times(between(random, 0, 3), inner) }
    case 1:
      return { any: times(between(random, 0, 3), inner) }
    case 2:
      return { not: inner() }
    case 3:
      return { prefix: randomMap(random, false) }
    case 4:
      return { suffix: randomMap(random, false) }
    case 5:
      return chance(random, 0.1) ? {} : { cesql: printCesql(randomBoolean(random, 3)) }
    case 6:
      return { cesql: printCesql(randomNode(random, 4)) }
    default:
      return { exact: randomMap(random, false) }
  }
}

function randomMap(random: Random, withEmpty: boolean): Record<string, string> {
  const values = withEmpty ? texts : texts.filter((text) => text !== '' || chance(random, 0.2))
  return Object.fromEntries(
    times(between(random, 1, 2), () => [pick(random, [...names, ...specialNames]), pick(random, values)]),
  )
}

/** An expression that mostly is what people write: comparisons joined by logic. */
export function randomBoolean(random: Random, depth: number): CesqlNode {
  const at = 0
  const attribute = (): CesqlNode => ({ at, kind: 'attribute', name: pick(random, [...names, 'dataschema']) })
  const literal = (): CesqlNode => ({ at, kind: 'literal', value: pick(random, texts) })
  if (depth > 0 && chance(random, 0.5)) {
    if (chance(random, 0.3)) return { at, kind: 'not', operand: randomBoolean(random, depth - 1) }
    const operands = times(between(random, 2, 4), () => randomBoolean(random, depth - 1))
    const operators = operands.slice(1).map(() => pick<LogicOperator>(random, ['AND', 'AND', 'OR', 'OR', 'XOR']))
    return { at, kind: 'logic', operands, operators }
  }
  const negated = chance(random, 0.3)
  switch (between(random, 0, 5)) {
    case 0:
      return { at, kind: 'exists', name: pick(random, names) }
    case 1:
      return { at, kind: 'like', negated, operand: attribute(), pattern: randomPattern(random) }
    case 2:
      return { at, kind: 'in', negated, operand: attribute(), elements: times(between(random, 1, 3), literal) }
    case 3:
      return { at, kind: 'comparison', operator: '=', left: literal(), right: attribute() }
    default:
      return { at, kind: 'comparison', operator: negated ? '!=' : '=', left: attribute(), right: literal() }
  }
}

const randomPattern = (random: Random): string =>
  `${pick(random, ['', '%', '_'])}${pick(random, texts)}${pick(random, ['', '%'])}`

/** Any expression the grammar allows, sensible or not. */
export function randomNode(random: Random, depth: number): CesqlNode {
  const at = 0
  const inner = (): CesqlNode => randomNode(random, depth - 1)
  switch (between(random, depth > 0 ? 0 : 9, 14)) {
    case 0:
      return { at, kind: 'not', operand: inner() }
    case 1:
      return { at, kind: 'negate', operand: inner() }
    case 2:
      return { at, kind: 'like', negated: chance(random, 0.5), operand: inner(), pattern: randomPattern(random) }
    case 3:
      return {
        at,
        kind: 'in',
        negated: chance(random, 0.5),
        operand: inner(),
        elements: times(between(random, 1, 3), inner),
      }
    case 4:
      return {
        at,
        kind: 'arithmetic',
        operator: pick(random, ['+', '-', '*', '/', '%']),
        left: inner(),
        right: inner(),
      }
    case 5:
    case 6: {
      const operator = pick(random, ['=', '!=', '<', '<=', '>', '>='] as const)
      return { at, kind: 'comparison', operator, left: inner(), right: inner() }
    }
    case 7: {
      const operands = times(between(random, 2, 4), inner)
      const operators = operands.slice(1).map(() => pick<LogicOperator>(random, ['AND', 'OR', 'XOR']))
      // A chain as the last operand is the same text as a longer chain.
      return operands.at(-1)!.kind === 'logic' ? operands[0]! : { at, kind: 'logic', operands, operators }
    }
    case 8: {
      const name = pick(random, ['LENGTH', 'CONCAT', 'LEFT', 'SUBSTRING', 'UPPER', 'ABS', 'INT', 'IS_BOOL', 'NO_SUCH'])
      return { at, kind: 'call', name, arguments: times(between(random, 0, 3), inner) }
    }
    case 9:
      return { at, kind: 'exists', name: pick(random, names) }
    case 10:
      return { at, kind: 'literal', value: pick(random, [...texts, "it's", '"', '\\%', "\\\\'", '\\"', '\n']) }
    case 11:
      return { at, kind: 'literal', value: pick(random, [0, 1, -1, 5, 2_147_483_647, -2_147_483_648]) }
    case 12:
      return { at, kind: 'literal', value: chance(random, 0.5) }
    default:
      return { at, kind: 'attribute', name: pick(random, [...names, '1st', 'dataschema']) }
  }
}
