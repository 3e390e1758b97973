// The part of Go's text/template that hosts and request logs are made with: fields, `index`, `if`, `printf`, `js`, pipes.
// Source: Go text/template.
import { messageOf } from '../../base/errors.ts'
import { own } from '../own.ts'

/** A value of a template: texts, numbers, booleans, and maps and lists of them. */
type Value = string | number | boolean | undefined | Readonly<Record<string, unknown>> | readonly unknown[]

type Node =
  | { kind: 'text'; text: string }
  | { kind: 'action'; pipeline: Expression }
  | { kind: 'if'; branches: { when: Expression | undefined; body: Node[] }[] }

type Expression = (data: Value) => Value

/** Fills the template in. @throws {Error} naming the template when it does not parse, or asks for what is not there. */
export function executeTemplate(name: string, text: string, data: Readonly<Record<string, unknown>>): string {
  return parseTemplate(name, text)(data)
}

/**
 * Reads a template that is filled in many times.
 * @throws {Error} as {@link executeTemplate}, when it does not parse; the function throws for what is not there.
 */
export function parseTemplate(name: string, text: string): (data: Readonly<Record<string, unknown>>) => string {
  const named = <Result>(work: () => Result): Result => {
    try {
      return work()
    } catch (thrown) {
      throw new Error(`template: ${name}: ${messageOf(thrown)}`, { cause: thrown })
    }
  }
  const nodes = named(() => new Parser(text).template())
  return (data) => named(() => rendered(nodes, data))
}

function rendered(nodes: readonly Node[], data: Value): string {
  return nodes
    .map((node) => {
      if (node.kind === 'text') return node.text
      if (node.kind === 'action') return printed(node.pipeline(data))
      const branch = node.branches.find(({ when }) => when === undefined || isTrue(when(data)))
      return branch === undefined ? '' : rendered(branch.body, data)
    })
    .join('')
}

function printed(value: Value): string {
  if (value === undefined) return '<no value>'
  if (typeof value !== 'object') return String(value)
  if (isList(value)) return `[${value.map((each) => printed(each as Value)).join(' ')}]`
  const entries = Object.keys(value)
    .sort()
    .map((key) => `${key}:${printed(value[key] as Value)}`)
  return `map[${entries.join(' ')}]`
}

const isTrue = (value: Value): boolean =>
  typeof value === 'object' ? Object.keys(value).length > 0 : value !== undefined && value !== '' && Boolean(value)

const isList = (value: Value): value is readonly unknown[] => Array.isArray(value)

/**
 * `{{`, with or without `-`, up to `}}`; quoted texts may hold braces. A quote is part of a quoted text and nothing else:
 * with two ways to read it, an action that is never closed would take for ever to be found out.
 */
const actionPattern = /\{\{(- )?((?:"(?:[^"\\]|\\.)*"|`[^`]*`|(?!\}\})[^"`])*?)( -)?\}\}/gs
const tokenPattern = /\s+|"(?:[^"\\]|\\.)*"|`[^`]*`|\.?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*|-?\d+(?:\.\d+)?|[().|]/y

class Parser {
  #pieces: (string | { action: string })[]
  #tokens: string[] = []

  constructor(text: string) {
    this.#pieces = pieces(text)
  }

  template(): Node[] {
    const { nodes, end } = this.#nodes()
    if (end !== undefined) throw new Error(`unexpected {{${end}}}`)
    return nodes
  }

  /** Up to the end of the text, or to an `else` or `end`. */
  #nodes(): { nodes: Node[]; end: string | undefined } {
    const nodes: Node[] = []
    for (let piece = this.#pieces.shift(); piece !== undefined; piece = this.#pieces.shift()) {
      if (typeof piece === 'string') nodes.push({ kind: 'text', text: piece })
      else if (/^(else\b|end$)/.test(piece.action)) return { nodes, end: piece.action }
      else if (/^if\b/.test(piece.action)) nodes.push(this.#if(piece.action.slice(2)))
      else if (!piece.action.startsWith('/*')) nodes.push({ kind: 'action', pipeline: this.#pipeline(piece.action) })
    }
    return { nodes, end: undefined }
  }

  #if(condition: string): Node {
    const branches: { when: Expression | undefined; body: Node[] }[] = []
    let when: Expression | undefined = this.#pipeline(condition)
    for (;;) {
      const { nodes: body, end } = this.#nodes()
      branches.push({ when, body })
      if (end === undefined) throw new Error('unexpected EOF')
      if (end === 'end') return { kind: 'if', branches }
      const next = /^else\s+if\b(.*)$/s.exec(end)
      if (next === null && end !== 'else') throw new Error(`unexpected {{${end}}}`)
      when = next === null ? undefined : this.#pipeline(next[1]!)
    }
  }

  #pipeline(action: string): Expression {
    this.#tokens = tokens(action)
    const expression = this.#pipe()
    if (this.#tokens.length > 0) throw new Error(`unexpected ${JSON.stringify(this.#tokens[0])} in ${action}`)
    return expression
  }

  #pipe(): Expression {
    let value = this.#command([])
    while (this.#tokens[0] === '|') {
      this.#tokens.shift()
      value = this.#command([value])
    }
    return value
  }

  /** A value, or a function with its arguments; what comes through the pipe is the last of them. */
  #command(piped: Expression[]): Expression {
    const [first = ''] = this.#tokens
    if (!/^[a-z]\w*$/.test(first) || first === 'true' || first === 'false') {
      if (piped.length > 0) throw new Error(`can't give argument to non-function ${first}`)
      return this.#operand()
    }
    const call = own(functions, first)
    if (call === undefined) throw new Error(`function ${JSON.stringify(first)} not defined`)
    this.#tokens.shift()
    const given: Expression[] = []
    while (this.#tokens.length > 0 && this.#tokens[0] !== '|' && this.#tokens[0] !== ')') given.push(this.#operand())
    const all = [...given, ...piped]
    return (data) => call(all.map((each) => each(data)))
  }

  #operand(): Expression {
    const token = this.#tokens.shift()
    if (token === undefined) throw new Error('missing value for command')
    if (token === '(') {
      const inner = this.#pipe()
      if (this.#tokens.shift() !== ')') throw new Error('unclosed left paren')
      return inner
    }
    if (token === '.') return (data) => data
    if (token.startsWith('.')) return (data) => field(data, token.slice(1).split('.'))
    if (token.startsWith('`')) return () => token.slice(1, -1)
    if (token.startsWith('"')) return () => JSON.parse(token) as string
    if (token === 'true' || token === 'false') return () => token === 'true'
    const number = Number(token)
    if (Number.isNaN(number)) throw new Error(`unexpected ${JSON.stringify(token)} in operand`)
    return () => number
  }
}

/** Texts and actions in turn; `{{-` and `-}}` eat the blanks beside them. */
function pieces(text: string): (string | { action: string })[] {
  const found: (string | { action: string })[] = []
  let at = 0
  let trimsLeft = false
  for (const match of text.matchAll(actionPattern)) {
    let before = text.slice(at, match.index)
    if (trimsLeft) before = before.trimStart()
    if (match[1] !== undefined) before = before.trimEnd()
    found.push(before, { action: match[2]!.trim() })
    trimsLeft = match[3] !== undefined
    at = match.index + match[0].length
  }
  const rest = text.slice(at)
  if (rest.includes('{{')) throw new Error('unclosed action')
  return [...found, trimsLeft ? rest.trimStart() : rest]
}

function tokens(action: string): string[] {
  const found: string[] = []
  tokenPattern.lastIndex = 0
  while (tokenPattern.lastIndex < action.length) {
    const { lastIndex } = tokenPattern
    const match = tokenPattern.exec(action)
    if (match === null) throw new Error(`unexpected ${JSON.stringify(action[lastIndex])} in ${action}`)
    if (match[0].trim() !== '') found.push(match[0])
  }
  return found
}

/** The top level has fixed fields, maps below it have any. */
function field(data: Value, names: string[]): Value {
  const [first = '', ...rest] = names
  if (typeof data !== 'object' || isList(data) || !Object.hasOwn(data, first))
    throw new Error(`can't evaluate field ${first}`)
  return rest.reduce<Value>((value, name) => {
    if (typeof value !== 'object' || isList(value)) throw new Error(`can't evaluate field ${name}`)
    return Object.hasOwn(value, name) ? (value[name] as Value) : undefined
  }, data[first] as Value)
}

const functions: Readonly<Record<string, (values: Value[]) => Value>> = {
  index(values) {
    const [map, ...keys] = values
    return keys.reduce<Value>((value, key) => {
      if (typeof value !== 'object') throw new Error(`can't index item of ${JSON.stringify(value)}`)
      if (isList(value)) return element(value, key)
      return Object.hasOwn(value, printed(key)) ? (value[printed(key)] as Value) : zeroOf(value)
    }, map)
  },
  eq: ([first, ...others]) => others.some((other) => other === first),
  ne: ([first, second]) => first !== second,
  not: ([value]) => !isTrue(value),
  and: (values) => firstOrLast(values, (value) => !isTrue(value)),
  or: (values) => firstOrLast(values, isTrue),
  len: ([value]) => (typeof value === 'object' ? Object.keys(value).length : String(value ?? '').length),
  js: (values) => values.map((value) => scriptText(printed(value))).join(''),
  print: (values) => values.map(printed).join(''),
  printf: ([format, ...values]) =>
    printed(format).replace(/%([svdq%])/g, (_, verb: string) => {
      if (verb === '%') return '%'
      const value = printed(values.shift())
      return verb === 'q' ? JSON.stringify(value) : value
    }),
}

function firstOrLast(values: Value[], decides: (value: Value) => boolean): Value {
  const found = values.findIndex(decides)
  return values.at(found)
}

function element(list: readonly unknown[], index: Value): Value {
  if (typeof index !== 'number' || !Object.hasOwn(list, index)) throw new Error(`index out of range: ${printed(index)}`)
  return list[index] as Value
}

/** What a map gives for a key it does not have: its values are all of one kind. */
const zeroOf = (map: Readonly<Record<string, unknown>>): Value => (Object.values(map).some(Array.isArray) ? [] : '')

/** As it may stand in a text of JavaScript, or, but for `'`, of JSON. */
const scriptText = (text: string): string =>
  text.replace(/[\\'"<>&=]|[\p{C}\p{Z}]/gu, (character) => {
    if (character === ' ' || character === '\u007f') return character
    if (/[\\'"]/.test(character)) return `\\${character}`
    return `\\u${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
  })
