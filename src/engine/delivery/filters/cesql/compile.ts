// Turns a parsed CESQL expression into closures, once. Source: CloudEvents SQL 1.0, section 3.
import type { CloudEvent } from '../../../../model/cloudevents/event.ts'
import { castValue, typeOf, zeroValues } from './cast.ts'
import type { CesqlNode, CesqlType, CesqlValue, LogicChain } from './ast.ts'
import type { CesqlError, CesqlErrorType } from './error.ts'
import { findFunction } from './functions.ts'
import { compileLike } from './like.ts'
import { parseCesql } from './parser.ts'

interface CesqlResult {
  value: CesqlValue
  /** The first error; evaluation stops there ("fail fast mode", section 4.1). */
  error: CesqlError | undefined
}

export interface CesqlExpression {
  readonly node: CesqlNode
  /** Value and error. After an error the value is the zero value of the expression's type, or what the function says. */
  readonly evaluate: (event: CloudEvent) => CesqlResult
  /** As a filter: whether the value is `true` and there is no error (section 1.2). */
  readonly passes: (event: CloudEvent) => boolean
  /** Whether the value is `false` and there is no error: the event passes the filter's negation. */
  readonly fails: (event: CloudEvent) => boolean
}

/** Parses and compiles. @throws {CesqlParseError} */
export function compileCesql(text: string): CesqlExpression {
  const node = parseCesql(text)
  const root = compileNode(node)
  const evaluate = (event: CloudEvent): Run => {
    const run: Run = { attributes: event.attributes, error: undefined, reporter: undefined, value: false }
    run.value = root.evaluate(run)
    return run
  }
  return {
    node,
    evaluate(event) {
      const { value, error, reporter } = evaluate(event)
      if (error === undefined || reporter === node) return { value, error }
      return { value: zeroValues[root.type ?? 'Boolean'], error }
    },
    passes(event) {
      const { value, error } = evaluate(event)
      return value === true && error === undefined
    },
    fails(event) {
      const { value, error } = evaluate(event)
      return value === false && error === undefined
    },
  }
}

/** What an operand must turn out to be, cast to Boolean and without an error. */
export function compileOperandTest(node: CesqlNode, wanted: boolean): (event: CloudEvent) => boolean {
  const evaluate = toBoolean(compileNode(node))
  return (event) => {
    const run: Run = { attributes: event.attributes, error: undefined, reporter: undefined, value: false }
    return evaluate(run) === wanted && run.error === undefined
  }
}

/** The type an expression has for every event; that of an attribute depends on the event. */
export function staticType(node: CesqlNode): CesqlType | undefined {
  switch (node.kind) {
    case 'literal':
      return typeOf(node.value)
    case 'attribute':
      return undefined
    case 'negate':
    case 'arithmetic':
      return 'Integer'
    case 'call':
      return findFunction(node.name, node.arguments.length)?.returns ?? 'Boolean'
    default:
      return 'Boolean'
  }
}

/** One evaluation under way. */
interface Run {
  readonly attributes: CloudEvent['attributes']
  error: CesqlError | undefined
  /** The function call that reported the error and still has a value of its own. */
  reporter: CesqlNode | undefined
  value: CesqlValue
}

type Evaluate<Value extends CesqlValue = CesqlValue> = (run: Run) => Value

/** Closures are total: after an error they go on with any value, since only the error counts. */
interface Compiled {
  type: CesqlType | undefined
  evaluate: Evaluate
}

function compileNode(node: CesqlNode): Compiled {
  return { type: staticType(node), evaluate: closure(node) }
}

function closure(node: CesqlNode): Evaluate {
  switch (node.kind) {
    case 'literal':
      return () => node.value
    case 'attribute':
      return attribute(node.name)
    case 'exists':
      return exists(node.name)
    case 'not': {
      const operand = toBoolean(compileNode(node.operand))
      return (run) => !operand(run)
    }
    case 'negate': {
      const operand = toInteger(compileNode(node.operand))
      return (run) => -operand(run) | 0
    }
    case 'like':
      return like(node)
    case 'in':
      return isIn(node)
    case 'arithmetic':
      return arithmetic(node)
    case 'comparison':
      return node.operator === '=' || node.operator === '!=' ? equality(node) : order(node)
    case 'logic':
      return logic(node)
    case 'call':
      return call(node)
  }
}

function attribute(name: string): Evaluate {
  const error: CesqlError = { type: 'MissingAttributeError', message: `the event has no attribute ${name}` }
  return (run) => {
    const value = run.attributes.get(name)
    if (value !== undefined) return value
    run.error ??= error
    return false
  }
}

const required = new Set(['id', 'source', 'type', 'specversion'])

function exists(name: string): Evaluate {
  return required.has(name) ? () => true : (run) => run.attributes.has(name)
}

function like(node: CesqlNode & { kind: 'like' }): Evaluate {
  const operand = toText(compileNode(node.operand))
  const matches = compileLike(node.pattern)
  return node.negated ? (run) => !matches(operand(run)) : (run) => matches(operand(run))
}

/** Elements are taken from the left, cast to the type of the left operand, up to the first that is equal. */
function isIn(node: CesqlNode & { kind: 'in' }): Evaluate {
  const { negated } = node
  const operand = compileNode(node.operand)
  const texts = literalTexts(node.elements)
  if (texts !== undefined && (operand.type ?? 'String') === 'String') {
    const slow = isInSequence(node, operand)
    if (operand.type === 'String') return (run) => texts.has(operand.evaluate(run) as string) !== negated
    return (run) => {
      const value = operand.evaluate(run)
      return typeof value === 'string' ? texts.has(value) !== negated : slow(run)
    }
  }
  return isInSequence(node, operand)
}

function isInSequence({ elements, negated }: CesqlNode & { kind: 'in' }, operand: Compiled): Evaluate {
  const compiled = elements.map(compileNode)
  return (run) => {
    const value = operand.evaluate(run)
    const type = typeOf(value)
    for (const element of compiled) {
      if (run.error !== undefined) return false
      if (castIn(run, element.evaluate(run), type) === value) return !negated && run.error === undefined
    }
    return negated && run.error === undefined
  }
}

function literalTexts(elements: CesqlNode[]): Set<string> | undefined {
  const texts = new Set<string>()
  for (const element of elements) {
    if (element.kind !== 'literal') return undefined
    texts.add(String(element.value))
  }
  return texts
}

/** Overflow wraps around, as two's complement does; the specification leaves it open. */
function arithmetic({ operator, left, right }: CesqlNode & { kind: 'arithmetic' }): Evaluate {
  const first = toInteger(compileNode(left))
  const second = toInteger(compileNode(right))
  switch (operator) {
    case '+':
      return (run) => (first(run) + second(run)) | 0
    case '-':
      return (run) => (first(run) - second(run)) | 0
    case '*':
      return (run) => Math.imul(first(run), second(run))
    case '/':
      return (run) => {
        const dividend = first(run)
        const divisor = second(run)
        return divisor === 0 ? failed(run, 'MathError', `division of ${dividend} by zero`, 0) : (dividend / divisor) | 0
      }
    case '%':
      return (run) => {
        const dividend = first(run)
        const divisor = second(run)
        return divisor === 0
          ? failed(run, 'MathError', `remainder of ${dividend} by zero`, 0)
          : (dividend % divisor) | 0
      }
  }
}

/** The type of the right operand decides to what the left one is cast (section 3.7). */
function equality({ operator, left, right }: CesqlNode & { kind: 'comparison' }): Evaluate {
  const wanted = operator === '='
  const first = compileNode(left)
  const second = compileNode(right)
  if (right.kind === 'literal') {
    const { value } = right
    if (left.kind === 'attribute' && typeof value === 'string') return attributeEquality(left.name, value, wanted)
    const cast = castTo(first, typeOf(value))
    return (run) => (cast(run) === value) === wanted
  }
  if (second.type !== undefined) {
    const { type } = second
    return (run) => {
      const one = first.evaluate(run)
      const other = second.evaluate(run)
      return (castIn(run, one, type) === other) === wanted
    }
  }
  return (run) => {
    const one = first.evaluate(run)
    const other = second.evaluate(run)
    return run.error === undefined && (castIn(run, one, typeOf(other)) === other) === wanted
  }
}

/** By far the most frequent comparison: an attribute and a text. */
function attributeEquality(name: string, text: string, wanted: boolean): Evaluate {
  const read = attribute(name)
  return (run) => {
    const value = read(run)
    return ((typeof value === 'string' ? value : String(value)) === text) === wanted
  }
}

function order({ operator, left, right }: CesqlNode & { kind: 'comparison' }): Evaluate {
  const first = toInteger(compileNode(left))
  const second = toInteger(compileNode(right))
  switch (operator) {
    case '<':
      return (run) => first(run) < second(run)
    case '<=':
      return (run) => first(run) <= second(run)
    case '>':
      return (run) => first(run) > second(run)
    default:
      return (run) => first(run) >= second(run)
  }
}

/** `a AND rest`, `a OR rest` and `a XOR rest`, taken from the left and left early where the left side decides. */
function logic({ operands, operators }: LogicChain): Evaluate {
  const steps = operands.map((operand) => toBoolean(compileNode(operand)))
  const last = steps.length - 1
  return (run) => {
    let flipped = false
    for (let index = 0; index < last; index++) {
      const value = steps[index]!(run)
      if (run.error !== undefined) return false
      const operator = operators[index]
      if (operator === 'AND' && !value) return flipped
      if (operator === 'OR' && value) return !flipped
      if (operator === 'XOR' && value) flipped = !flipped
    }
    return steps[last]!(run) !== flipped
  }
}

function call(node: CesqlNode & { kind: 'call' }): Evaluate {
  const found = findFunction(node.name, node.arguments.length)
  if (found === undefined) {
    const count = node.arguments.length
    const message = `there is no function ${node.name} with ${count} argument${count === 1 ? '' : 's'}`
    return (run) => failed(run, 'MissingFunctionError', message, false)
  }
  const values = node.arguments.map((argument, index) => {
    const type = found.parameters[index] ?? found.rest
    const compiled = compileNode(argument)
    return type === undefined || type === 'Any' ? compiled.evaluate : castTo(compiled, type)
  })
  return (run) => {
    const taken = values.map((value) => value(run))
    if (run.error !== undefined) return zeroValues[found.returns]
    return found.call(taken, (type, message) => {
      run.error ??= { type, message }
      run.reporter ??= node
    })
  }
}

function castTo(operand: Compiled, type: CesqlType): Evaluate {
  if (operand.type === type) return operand.evaluate
  const { evaluate } = operand
  return (run) => castIn(run, evaluate(run), type)
}

const toText = (operand: Compiled): Evaluate<string> => castTo(operand, 'String') as Evaluate<string>
const toInteger = (operand: Compiled): Evaluate<number> => castTo(operand, 'Integer') as Evaluate<number>
const toBoolean = (operand: Compiled): Evaluate<boolean> => castTo(operand, 'Boolean') as Evaluate<boolean>

function castIn(run: Run, value: CesqlValue, type: CesqlType): CesqlValue {
  if (typeOf(value) === type) return value
  const cast = castValue(value, type)
  if (cast !== undefined) return cast
  return failed(run, 'CastError', `${shown(value)} cannot be cast to ${type}`, zeroValues[type])
}

/** Keeps the first error and hands back the value to go on with. */
function failed<Value extends CesqlValue>(run: Run, type: CesqlErrorType, message: string, value: Value): Value {
  run.error ??= { type, message }
  return value
}

const shownMax = 60

function shown(value: CesqlValue): string {
  const text = JSON.stringify(value)
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
}
