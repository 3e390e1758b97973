// The part of JSONPath that printer columns use: `.a.b`, `['a']`, `[0]`, `[*]`, `[?(@.type=="Ready")]`, escaped dots.
// Source: kubernetes/client-go util/jsonpath, restricted as apiextensions allows it for additionalPrinterColumns.
import { KnodeError } from '../../base/errors.ts'

/** Finds all values below an object. */
export type JsonPath = (root: unknown) => unknown[]

type Step = (value: unknown) => unknown[]

/** Compiles a path; braces around it and a leading `$` are fine. @throws {KnodeError} USAGE where it does not parse. */
export function parseJsonPath(text: string): JsonPath {
  const bare = /^\{(.*)\}$/s.exec(text.trim())?.[1] ?? text.trim()
  const steps = parseSteps(bare.startsWith('$') ? bare.slice(1) : bare, text)
  return (root) => steps.reduce<unknown[]>((values, step) => values.flatMap(step), [root])
}

const fieldPattern = /^\.?((?:\\.|[^.[\]\\])+)/
const quotedPattern = /^\.?\[\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)")\s*\]/
const indexPattern = /^\.?\[\s*(-?\d+|\*)\s*\]/
const filterPattern = /^\.?\[\?\(\s*@((?:\.|\[).*?)\s*(?:(==|!=)\s*(?:'([^']*)'|"([^"]*)"|([^\s)'"]+))\s*)?\)\]/

function parseSteps(path: string, whole: string): Step[] {
  const steps: Step[] = []
  let rest = path === '.' ? '' : path
  while (rest !== '') {
    const [taken, step] = parseStep(rest, whole)
    steps.push(step)
    rest = rest.slice(taken)
  }
  return steps
}

function parseStep(rest: string, whole: string): [taken: number, step: Step] {
  const filter = filterPattern.exec(rest)
  if (filter !== null) return [filter[0].length, filterStep(filter, whole)]
  const index = indexPattern.exec(rest)
  if (index !== null) return [index[0].length, index[1] === '*' ? elements : elementAt(Number(index[1]))]
  const quoted = quotedPattern.exec(rest)
  if (quoted !== null) return [quoted[0].length, field(unescaped(quoted[1] ?? quoted[2] ?? ''))]
  const name = fieldPattern.exec(rest)
  if (name === null) throw new KnodeError('USAGE', `JSONPath "${whole}" does not parse at "${rest}"`)
  return [name[0].length, name[1] === '*' ? elements : field(unescaped(name[1]!))]
}

function filterStep([, left = '', operator, single, double, bare]: RegExpExecArray, whole: string): Step {
  const read = parseSteps(left, whole)
  const wanted = single ?? double ?? bareValue(bare)
  const holds = (element: unknown): boolean => {
    const found = read.reduce<unknown[]>((values, step) => values.flatMap(step), [element])
    if (operator === undefined) return found.length > 0
    return found.length > 0 && (found[0] === wanted) === (operator === '==')
  }
  return (value) => elements(value).filter(holds)
}

function bareValue(text: string | undefined): unknown {
  if (text === 'true' || text === 'false') return text === 'true'
  return text !== undefined && text !== '' && !Number.isNaN(Number(text)) ? Number(text) : text
}

const field =
  (name: string): Step =>
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return []
    return [(value as Record<string, unknown>)[name]]
  }

const elementAt =
  (index: number): Step =>
  (value) => {
    const element: unknown = Array.isArray(value) ? value.at(index) : undefined
    return element === undefined ? [] : [element]
  }

const elements: Step = (value) => {
  if (Array.isArray(value)) return value
  return typeof value === 'object' && value !== null ? Object.values(value) : []
}

const unescaped = (text: string): string => text.replace(/\\(.)/g, '$1')
