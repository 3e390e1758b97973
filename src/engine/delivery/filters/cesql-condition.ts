// Takes a CESQL expression apart into facts about single attributes, as far as its error rules allow.
import { attributeText } from '../../../model/cloudevents/event.ts'
import type { CloudEvent } from '../../../model/cloudevents/event.ts'
import type { CesqlNode, LogicOperator } from './cesql/ast.ts'
import { compileOperandTest, staticType } from './cesql/compile.ts'
import { likeShape } from './cesql/like.ts'
import { printCesql } from './cesql/printer.ts'
import { allOf, always, anyOf, fact, never, textPredicate } from './condition.ts'
import type { Condition, Predicate } from './condition.ts'

/**
 * When an expression is true without an error, when it is false without an error, and when it has no error at all.
 * An event of which it is neither is one it fails on.
 */
export interface CesqlConditions {
  pass: Condition
  fail: Condition
  ok: Condition
}

/** Formulas with more parts than this are not worth taking apart: the expression is then run as a whole. */
const partsMax = 200

/** Chains that change between operators or attributes more often than this are run as a whole. */
const chainMax = 64

/** The conditions of a whole expression: unlike an operand it is not cast, and must be a Boolean by itself. */
export function cesqlConditions(root: CesqlNode): CesqlConditions {
  if (root.kind === 'attribute') {
    const { name } = root
    const is = (value: boolean): Condition => fact(expression(name, String(value), isExactly(name, value)))
    return { pass: is(true), fail: is(false), ok: anyOf([is(true), is(false)]) }
  }
  if (staticType(root) !== 'Boolean') return { pass: never, fail: never, ok: never }
  return conditionsOf(root)
}

function conditionsOf(node: CesqlNode): CesqlConditions {
  const conditions = takenApart(node) ?? whole(node)
  const size = partCount(conditions.pass) + partCount(conditions.fail) + partCount(conditions.ok)
  return size > partsMax ? whole(node) : conditions
}

function takenApart(node: CesqlNode): CesqlConditions | undefined {
  switch (node.kind) {
    case 'literal':
      if (typeof node.value !== 'boolean') return undefined
      return { pass: node.value ? always : never, fail: node.value ? never : always, ok: always }
    case 'exists': {
      const present = presence(node.name)
      return { pass: fact(present), fail: fact(present, false), ok: always }
    }
    case 'not':
      return negated(conditionsOf(node.operand))
    case 'comparison': {
      const { left, operator, right } = node
      if (left.kind !== 'attribute' || right.kind !== 'literal' || typeof right.value !== 'string') return undefined
      if (operator !== '=' && operator !== '!=') return undefined
      return textFact(left.name, 'exact', right.value, operator === '!=')
    }
    case 'like': {
      const shape = likeShape(node.pattern)
      if (node.operand.kind !== 'attribute' || shape === undefined) return undefined
      return textFact(node.operand.name, shape.kind, shape.text, node.negated)
    }
    case 'in':
      return membership(node)
    case 'logic':
      return chain(node.operands, node.operators)
    default:
      return undefined
  }
}

const negated = ({ pass, fail, ok }: CesqlConditions): CesqlConditions => ({ pass: fail, fail: pass, ok })

function textFact(name: string, kind: 'exact' | 'prefix' | 'suffix', text: string, negate: boolean): CesqlConditions {
  const holds = textPredicate(name, kind, text, (event) => attributeText(event, name))
  const ok = fact(presence(name))
  const plain = { pass: fact(holds), fail: allOf([ok, fact(holds, false)]), ok }
  return negate ? negated(plain) : plain
}

const presence = (name: string): Predicate => textPredicate(name, 'present', '', (event) => attributeText(event, name))

/** Attributes that are always strings, so that the elements of an IN list are compared as they stand. */
const strings = new Set(['id', 'source', 'type', 'specversion', 'subject', 'time', 'dataschema', 'datacontenttype'])

function membership({ operand, elements, negated: negate }: CesqlNode & { kind: 'in' }): CesqlConditions | undefined {
  if (operand.kind !== 'attribute' || !strings.has(operand.name)) return undefined
  const { name } = operand
  const facts: Condition[] = []
  for (const element of elements) {
    if (element.kind !== 'literal') return undefined
    facts.push(fact(textPredicate(name, 'exact', String(element.value), (event) => attributeText(event, name))))
  }
  const ok = fact(presence(name))
  const none = facts.map((one) => (one.kind === 'fact' ? { ...one, wanted: false } : one))
  const plain = { pass: anyOf(facts), fail: allOf([ok, ...none]), ok }
  return negate ? negated(plain) : plain
}

/** From the right, as the grammar groups: an operand's error counts unless the operand before it decides alone. */
function chain(operands: CesqlNode[], operators: LogicOperator[]): CesqlConditions | undefined {
  if (operands.length > chainMax) return undefined
  const parts = operands.map(conditionsOf)
  let right = parts.at(-1)!
  for (let index = parts.length - 2; index >= 0; index--) {
    right = joined(parts[index]!, operators[index]!, right)
    if (partCount(right.pass) + partCount(right.fail) + partCount(right.ok) > partsMax) return undefined
  }
  return right
}

function joined(left: CesqlConditions, operator: LogicOperator, right: CesqlConditions): CesqlConditions {
  switch (operator) {
    case 'AND':
      return {
        pass: allOf([left.pass, right.pass]),
        fail: either(left.fail, left.ok, right.fail),
        ok: either(left.fail, left.ok, right.ok),
      }
    case 'OR':
      return {
        pass: either(left.pass, left.ok, right.pass),
        fail: allOf([left.fail, right.fail]),
        ok: either(left.pass, left.ok, right.ok),
      }
    case 'XOR':
      return {
        pass: anyOf([allOf([left.pass, right.fail]), allOf([left.fail, right.pass])]),
        fail: anyOf([allOf([left.pass, right.pass]), allOf([left.fail, right.fail])]),
        ok: allOf([left.ok, right.ok]),
      }
  }
}

/**
 * `decides`, or `ok` and `rest`. Facts are only true of present attributes, so a rest that speaks of nothing but the
 * attribute whose presence is `ok` needs no reminder: `type = 'a' OR type = 'b'` stays two plain facts.
 */
function either(decides: Condition, ok: Condition, rest: Condition): Condition {
  const column = ok.kind === 'fact' && ok.predicate.kind === 'present' ? ok.predicate.column : undefined
  if (column === undefined) return anyOf([decides, allOf([ok, rest])])
  const [implied, others] = rest.kind === 'any' ? split(rest.parts, column) : split([rest], column)
  return anyOf([decides, ...implied, ...(others.length === 0 ? [] : [allOf([ok, anyOf(others)])])])
}

function split(parts: Condition[], column: string): [Condition[], Condition[]] {
  const implies = (part: Condition): boolean =>
    part.kind === 'fact'
      ? part.wanted && part.predicate.column === column
      : part.kind === 'all' && part.parts.some(implies)
  return [parts.filter(implies), parts.filter((part) => !implies(part))]
}

/** Runs the expression; if it reads one attribute only, and always, what it says is a fact about that attribute. */
function whole(node: CesqlNode): CesqlConditions {
  const passes = compileOperandTest(node, true)
  const fails = compileOperandTest(node, false)
  const names = attributesOf(node)
  const [name] = names
  if (names.size !== 1 || name === undefined || passes(bare) || fails(bare)) {
    const pass: Condition = { kind: 'test', test: passes }
    const fail: Condition = { kind: 'test', test: fails }
    return { pass, fail, ok: anyOf([pass, fail]) }
  }
  const text = printCesql(node)
  const pass = fact(expression(name, `TRUE = BOOL(${text})`, passes))
  const fail = fact(expression(name, `FALSE = BOOL(${text})`, fails))
  return { pass, fail, ok: anyOf([pass, fail]) }
}

const bare: CloudEvent = { attributes: new Map(), data: undefined }

const expression = (column: string, text: string, holds: (event: CloudEvent) => boolean): Predicate => ({
  column,
  kind: 'expression',
  text,
  holds,
})

const isExactly =
  (name: string, value: boolean) =>
  (event: CloudEvent): boolean =>
    event.attributes.get(name) === value

/** The attributes an expression reads; what only looks whether one exists counts as reading two. */
function attributesOf(node: CesqlNode, names = new Set<string>()): Set<string> {
  switch (node.kind) {
    case 'literal':
      break
    case 'attribute':
      names.add(node.name)
      break
    case 'exists':
      names.add(node.name).add(`EXISTS ${node.name}`)
      break
    case 'not':
    case 'negate':
    case 'like':
      attributesOf(node.operand, names)
      break
    case 'in':
      for (const part of [node.operand, ...node.elements]) attributesOf(part, names)
      break
    case 'comparison':
    case 'arithmetic':
      attributesOf(node.left, names)
      attributesOf(node.right, names)
      break
    case 'logic':
      for (const operand of node.operands) attributesOf(operand, names)
      break
    case 'call':
      for (const argument of node.arguments) attributesOf(argument, names)
      break
  }
  return names
}

function partCount(condition: Condition): number {
  if (condition.kind !== 'all' && condition.kind !== 'any') return 1
  return condition.parts.reduce((sum, part) => sum + partCount(part), 1)
}
