// Data filters: a CEL expression over `data` and the attributes. Source: Common Expression Language specification.
import { Environment } from '@marcbachmann/cel-js'
import type { ASTNode } from '@marcbachmann/cel-js'
import { KnodeError } from '../../../base/errors.ts'
import type { AttributeValue, CloudEvent } from '../../../model/cloudevents/event.ts'
import { eventData } from './event-data.ts'
import type { DataFault } from './event-data.ts'
import { dataFilterStepsMax, FilterMeter, metered, meterFunction } from './filter-meter.ts'
import type { MeteredPart } from './filter-meter.ts'
import { textPosition } from './text-position.ts'

/** Longest expression, in UTF-16 units. */
export const dataFilterCharactersMax = 4_096

/** How deep macros over lists (`all`, `exists`, `filter`, …) may nest: each level multiplies by the list's length. */
const dataFilterMacroDepthMax = 2

/** Largest expression, in nodes of its tree, and its deepest nesting. */
const limits = { maxAstNodes: 2_000, maxDepth: 100 }

/** Why a data filter was false although nothing said so: to be counted. */
export type FilterFault = DataFault | 'data-filter-failed'

interface DataFilterResult {
  passes: boolean
  /** Why the expression could not be evaluated. */
  fault?: FilterFault
  message?: string
}

export type DataFilter = (event: CloudEvent) => DataFilterResult

/**
 * CEL has a constant `type`, our filters an attribute of that name. A bare `type` is renamed to this before compiling;
 * of equal length, so that positions stay.
 */
const typeVariable = 'typ_'

/** Attributes that are always strings; others may be anything. */
const stringNames = ['id', 'source', 'specversion', 'subject', 'time', 'datacontenttype', 'dataschema', typeVariable]

const environment = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false, limits })
  .registerVariable('data', 'dyn')
  .registerVariable('attributes', 'map<string, dyn>')
for (const name of stringNames) environment.registerVariable(name, 'string')

/** What evaluates: its texts were checked without the meter. */
const meter = new FilterMeter()
const meteredEnvironment = environment.clone().registerFunction(`${meterFunction}(dyn, int): dyn`, meter.pass)

/**
 * Compiles an expression that must be a Boolean. Names in lower case are attributes; `attributes` holds them all, for
 * `has(attributes.x)`; Integer attributes are CEL ints, numbers in `data` are doubles, as CEL has it for JSON.
 * @throws {KnodeError} BAD_FILTER with line and column.
 */
export function compileDataFilter(text: string): DataFilter {
  if (text.length > dataFilterCharactersMax) {
    throw new KnodeError('BAD_FILTER', `longer than dataFilterCharactersMax (${dataFilterCharactersMax} characters)`)
  }
  const found = inspect(text, parse(text).ast)
  const expression = parse(renamed(text, found.types))
  const { valid, type, error } = expression.check()
  if (!valid) throw refusal(text, error?.range?.start, error?.summary ?? 'the types do not fit')
  if (type !== 'bool' && type !== 'dyn') {
    throw refusal(text, 0, `the expression is of type ${type}, not bool`, 'compare it with something')
  }
  const names = [...found.names]
  // Positions stay those of the text that was given.
  const meteredText = metered(renamed(text, found.types), found.metered, found.texts)
  const evaluate = found.metered.length === 0 ? expression : meteredEnvironment.parse(meteredText)
  return (event) => {
    const context = new Context(event, names)
    let value: unknown
    let failure: unknown
    meter.begin()
    try {
      value = evaluate(context)
    } catch (error) {
      failure = error
    }
    const fault = Context.faultOf(context)
    if (fault !== undefined) return { passes: false, ...fault }
    if (meter.isExceeded) {
      const message = `takes more than dataFilterStepsMax (${dataFilterStepsMax}) steps: the event has too much to go over`
      return { passes: false, fault: 'data-filter-failed', message }
    }
    if (typeof value === 'boolean') return { passes: value }
    const message = failure === undefined ? `the result is a ${typeof value}, not a bool` : summaryOf(failure)
    return { passes: false, fault: 'data-filter-failed', message }
  }
}

/** The variables of one evaluation as own properties; `data` is parsed when the expression first reaches for it. */
class Context {
  #event: CloudEvent
  #fault: { fault: DataFault; message: string } | undefined

  constructor(event: CloudEvent, names: string[]) {
    this.#event = event
    const own = this as Record<string, unknown>
    for (const name of names) {
      const value = event.attributes.get(name)
      own[name === 'type' ? typeVariable : name] = value === undefined ? undefined : celValue(value)
    }
  }

  /** Not a method: any lower-case name may be that of an attribute. */
  static faultOf = (context: Context): { fault: DataFault; message: string } | undefined => context.#fault

  get data(): unknown {
    const data = eventData(this.#event)
    if ('value' in data) return data.value
    this.#fault = data
    throw new KnodeError('BAD_FILTER', data.message)
  }

  get attributes(): Map<string, unknown> {
    return new Map(Array.from(this.#event.attributes, ([name, value]) => [name, celValue(value)]))
  }
}

const celValue = (value: AttributeValue): unknown => (typeof value === 'number' ? BigInt(value) : value)

function parse(text: string): ReturnType<Environment['parse']> {
  try {
    return environment.parse(text)
  } catch (error) {
    const { range, summary } = error as { range?: { start: number }; summary?: string }
    throw refusal(text, range?.start, summary ?? 'the expression does not parse')
  }
}

interface Found {
  /** Attributes that the expression names. */
  names: Set<string>
  /** Offsets of the bare name `type`. */
  types: number[]
  /** What is gone over, and the string literals. */
  metered: MeteredPart[]
  texts: ASTNode[]
}

const macros = new Set(['all', 'exists', 'exists_one', 'filter', 'map'])

/** Walks the tree: collects the names, and refuses what cannot work or could take unbounded time. */
function inspect(text: string, root: ASTNode): Found {
  const found: Found = { names: new Set(), types: [], metered: [], texts: [] }
  const visit = (node: ASTNode, bound: readonly string[], macroDepth: number): void => {
    const each = (nodes: readonly ASTNode[]): void => {
      for (const one of nodes) visit(one, bound, macroDepth)
    }
    const go = (over: ASTNode, stepsPerElement = 1): void => {
      found.metered.push({ node: over, stepsPerElement })
    }
    switch (node.op) {
      case 'value':
        if (typeof node.args === 'string') found.texts.push(node)
        break
      case 'id':
        if (!bound.includes(node.args)) noteName(text, node.args, node.start, found)
        break
      case '.':
      case '.?':
        refuseMembersOfAttributes(text, node.args[0], bound)
        visit(node.args[0], bound, macroDepth)
        break
      case 'call':
        refuseMatches(text, node.args[0], node.start)
        each(node.args[1])
        break
      case 'rcall': {
        const [name, receiver, values] = node.args
        refuseMatches(text, name, node.start)
        const [variable] = values
        if (name === 'bind' && receiver.op === 'id' && receiver.args === 'cel' && variable?.op === 'id') {
          const [, value, body] = values
          if (value !== undefined) visit(value, bound, macroDepth)
          if (body !== undefined) visit(body, [...bound, variable.args], macroDepth)
          break
        }
        visit(receiver, bound, macroDepth)
        if (!macros.has(name) || variable?.op !== 'id') {
          // Attributes are short.
          if (macroDepth > 0 && (receiver.op !== 'id' || bound.includes(receiver.args))) go(receiver)
          return each(values)
        }
        if (macroDepth === dataFilterMacroDepthMax) {
          throw refusal(
            text,
            node.start,
            `macros nest deeper than dataFilterMacroDepthMax (${dataFilterMacroDepthMax})`,
          )
        }
        go(
          receiver,
          values.slice(1).reduce((count, body) => count + nodesOf(body), 1),
        )
        for (const body of values.slice(1)) visit(body, [...bound, variable.args], macroDepth + 1)
        break
      }
      case 'in':
        go(node.args[1])
        each(node.args)
        break
      case '==':
      case '!=':
        if (macroDepth > 0) go(node.args[0])
        each(node.args)
        break
      case 'map':
        for (const [key, value] of node.args) each([key, value])
        break
      case '!_':
      case '-_':
        visit(node.args, bound, macroDepth)
        break
      default:
        each(node.args)
    }
  }
  visit(root, [], 0)
  return found
}

function nodesOf({ args }: ASTNode): number {
  const count = (part: unknown): number => {
    if (Array.isArray(part)) return part.reduce<number>((sum, each) => sum + count(each), 0)
    return typeof part === 'object' && part !== null && 'op' in part ? nodesOf(part as ASTNode) : 0
  }
  return 1 + count(args)
}

/** CEL's own type names, which stay what they are. */
const typeNames = new Set(['int', 'uint', 'double', 'bool', 'string', 'bytes', 'list', 'map', 'null_type', 'dyn'])

function noteName(text: string, name: string, at: number, found: Found): void {
  if (name === 'data' || name === 'attributes' || typeNames.has(name)) return
  if (!/^[a-z0-9]+$/.test(name)) {
    throw refusal(
      text,
      at,
      `unknown name ${name}`,
      'use data, attributes, or an attribute, whose name has only a-z and 0-9',
    )
  }
  if (name === 'type') found.types.push(at)
  found.names.add(name)
}

function refuseMembersOfAttributes(text: string, owner: ASTNode, bound: readonly string[]): void {
  if (owner.op !== 'id' || bound.includes(owner.args)) return
  if (owner.args === 'data' || owner.args === 'attributes') return
  const problem = `${owner.args} is an attribute and has no fields`
  throw refusal(text, owner.start, problem, 'fields are in data, as in data.total')
}

function refuseMatches(text: string, name: string, at: number): void {
  if (name !== 'matches') return
  const hint = 'use startsWith, endsWith or contains'
  throw refusal(text, at, 'matches() is not available: a regular expression may take unbounded time', hint)
}

function renamed(text: string, offsets: number[]): string {
  let result = text
  for (const at of offsets) result = result.slice(0, at) + typeVariable + result.slice(at + typeVariable.length)
  return result
}

function refusal(text: string, offset: number | undefined, problem: string, hint?: string): KnodeError {
  const where = offset === undefined ? '' : `${textPosition(text, offset)}: `
  return new KnodeError(
    'BAD_FILTER',
    `${where}${problem.replaceAll(typeVariable, 'type')}`,
    hint === undefined ? {} : { hint },
  )
}

function summaryOf(error: unknown): string {
  const { summary } = error as { summary?: unknown }
  return (typeof summary === 'string' ? summary : String(error)).replaceAll(typeVariable, 'type')
}
