// Reads CESQL by precedence climbing. Source: CloudEvents SQL 1.0, section 3.6 and CESQLParser.g4.
import type { ArithmeticOperator, CesqlNode, ComparisonOperator, LogicOperator } from './ast.ts'
import { CesqlParseError } from './error.ts'
import { tokenize } from './lexer.ts'
import type { Token } from './lexer.ts'
import { cesqlDepthMax } from './limits.ts'

/** How tightly an operator binds. Prefix operators bind tighter than all of these. */
const levels: Record<string, number> = {
  LIKE: 6,
  IN: 5,
  '*': 4,
  '/': 4,
  '%': 4,
  '+': 3,
  '-': 3,
  '=': 2,
  '!=': 2,
  '<>': 2,
  '<': 2,
  '<=': 2,
  '>': 2,
  '>=': 2,
  AND: 1,
  OR: 1,
  XOR: 1,
}
const logicLevel = 1
const comparisonLevel = 2

const integerMin = -2_147_483_648
const integerMax = 2_147_483_647

/** Parses a whole expression. @throws {CesqlParseError} and nothing else, whatever the text. */
export function parseCesql(text: string): CesqlNode {
  return new Parser(text).whole()
}

class Parser {
  #text: string
  #tokens: Token[]
  #next = 0

  constructor(text: string) {
    this.#text = text
    this.#tokens = tokenize(text)
  }

  whole(): CesqlNode {
    const { node } = this.#expression(logicLevel, 1)
    const left = this.#peek()
    if (left.kind !== 'end') throw this.#unexpected(left, 'an operator or the end')
    return node
  }

  /** `depth` counts the levels above; the result's `height` those below, so that left-leaning chains count too. */
  #expression(levelMin: number, depth: number): Sized {
    let left = this.#operand(depth)
    for (;;) {
      const sign = this.#peek()
      const negated = sign.kind === 'keyword' && sign.text === 'NOT'
      const operator = negated ? this.#peek(1) : sign
      if (negated && !this.#isPostfix(operator)) throw this.#unexpected(operator, 'LIKE or IN after NOT')
      const level = isOperator(operator) ? (levels[operator.text] ?? 0) : 0
      if (level < levelMin) return left
      this.#next += negated ? 2 : 1
      if (operator.text === 'LIKE') left = this.#like(left, negated, sign)
      else if (operator.text === 'IN') left = this.#in(left, negated, sign, depth)
      else if (level === logicLevel) return this.#logic(left, operator, depth)
      else left = this.#binary(left, operator, this.#expression(level + 1, depth + 1))
      this.#checkDepth(depth + left.height - 1, sign)
    }
  }

  #operand(depth: number): Sized {
    const token = this.#take()
    this.#checkDepth(depth, token)
    const { at, kind, text } = token
    if (kind === 'string') return leaf({ at, kind: 'literal', value: text })
    if (kind === 'integer') return leaf({ at, kind: 'literal', value: this.#integer(token) })
    if (kind === 'name' || kind === 'function name') {
      if (isSymbol(this.#peek(), '(') && /^[a-z_]+$/.test(text)) return this.#call(token, depth)
      if (kind === 'name') return leaf({ at, kind: 'attribute', name: text })
      throw this.#unexpected(this.#peek(), `"(" after the function name ${text.toUpperCase()}`)
    }
    if (isSymbol(token, '(')) {
      const inner = this.#expression(logicLevel, depth + 1)
      this.#expect(')')
      return inner
    }
    if (isSymbol(token, '-')) return above({ at, kind: 'negate' }, this.#operand(depth + 1))
    if (kind === 'keyword') {
      if (text === 'TRUE' || text === 'FALSE') return leaf({ at, kind: 'literal', value: text === 'TRUE' })
      if (text === 'NOT') return above({ at, kind: 'not' }, this.#operand(depth + 1))
      if (text === 'EXISTS') return leaf({ at, kind: 'exists', name: this.#name() })
    }
    throw this.#unexpected(token, 'a value, an attribute, a function or "("')
  }

  #like(operand: Sized, negated: boolean, sign: Token): Sized {
    const pattern = this.#take()
    if (pattern.kind !== 'string') throw this.#unexpected(pattern, 'a quoted pattern after LIKE')
    const { node, height } = operand
    return { node: { at: sign.at, kind: 'like', negated, operand: node, pattern: pattern.text }, height: height + 1 }
  }

  #in(operand: Sized, negated: boolean, sign: Token, depth: number): Sized {
    this.#expect('(', 'after IN')
    const elements = this.#list(depth)
    const height = Math.max(operand.height, ...elements.map((element) => element.height)) + 1
    return {
      node: { at: sign.at, kind: 'in', negated, operand: operand.node, elements: elements.map(({ node }) => node) },
      height,
    }
  }

  #call({ at, text }: Token, depth: number): Sized {
    this.#expect('(')
    if (isSymbol(this.#peek(), ')')) {
      this.#take()
      return leaf({ at, kind: 'call', name: text.toUpperCase(), arguments: [] })
    }
    const values = this.#list(depth)
    const height = Math.max(...values.map((value) => value.height)) + 1
    return { node: { at, kind: 'call', name: text.toUpperCase(), arguments: values.map(({ node }) => node) }, height }
  }

  /** Expressions between commas up to the closing parenthesis, at least one. */
  #list(depth: number): Sized[] {
    const items = [this.#expression(logicLevel, depth + 1)]
    for (;;) {
      const token = this.#take()
      if (isSymbol(token, ')')) return items
      if (!isSymbol(token, ',')) throw this.#unexpected(token, '"," or ")"')
      items.push(this.#expression(logicLevel, depth + 1))
    }
  }

  /** The grammar makes AND, OR and XOR one level that groups from the right: the rest of the chain is the right side. */
  #logic(first: Sized, sign: Token, depth: number): Sized {
    const operands = [first.node]
    const operators = [sign.text as LogicOperator]
    let height = first.height
    for (;;) {
      const operand = this.#expression(comparisonLevel, depth + 1)
      operands.push(operand.node)
      height = Math.max(height, operand.height)
      const next = this.#peek()
      if (next.kind !== 'keyword' || levels[next.text] !== logicLevel) break
      this.#take()
      operators.push(next.text as LogicOperator)
    }
    return { node: { at: sign.at, kind: 'logic', operands, operators }, height: height + 1 }
  }

  #binary(left: Sized, { at, text }: Token, right: Sized): Sized {
    const sides = { at, left: left.node, right: right.node }
    const height = Math.max(left.height, right.height) + 1
    if (levels[text] !== comparisonLevel) {
      return { node: { kind: 'arithmetic', operator: text as ArithmeticOperator, ...sides }, height }
    }
    const operator = text === '<>' ? '!=' : (text as ComparisonOperator)
    return { node: { kind: 'comparison', operator, ...sides }, height }
  }

  #integer({ at, text }: Token): number {
    const value = Number(text)
    if (value >= integerMin && value <= integerMax) return value + 0
    throw new CesqlParseError(this.#text, at, `${text} is not a 32-bit integer`)
  }

  #name(): string {
    const token = this.#take()
    if (token.kind === 'name') return token.text
    throw this.#unexpected(token, 'an attribute name after EXISTS')
  }

  #peek(ahead = 0): Token {
    return this.#tokens[this.#next + ahead] ?? this.#tokens.at(-1)!
  }

  #take(): Token {
    const token = this.#peek()
    this.#next++
    return token
  }

  #expect(symbol: string, where = ''): void {
    const token = this.#take()
    if (!isSymbol(token, symbol)) throw this.#unexpected(token, `"${symbol}" ${where}`.trim())
  }

  #isPostfix = ({ kind, text }: Token): boolean => kind === 'keyword' && (text === 'LIKE' || text === 'IN')

  #checkDepth(depth: number, { at }: Token): void {
    if (depth <= cesqlDepthMax) return
    throw new CesqlParseError(this.#text, at, `nested deeper than cesqlDepthMax (${cesqlDepthMax})`)
  }

  #unexpected(token: Token, expected: string): CesqlParseError {
    const found = token.kind === 'end' ? 'the expression ends' : `found ${this.#text.slice(token.at, token.end)}`
    const problem = `expected ${expected}, but ${found.length > 60 ? `${found.slice(0, 60)}…` : found}`
    const glued = token.kind === 'integer' && /^[+-]/.test(token.text)
    const hint = glued ? `a sign glued to a digit belongs to the number: write ${spaced(token.text)}` : undefined
    return new CesqlParseError(this.#text, token.at, problem, hint)
  }
}

/** A node and how many levels it spans. */
interface Sized {
  node: CesqlNode
  height: number
}

const leaf = (node: CesqlNode): Sized => ({ node, height: 1 })
const above = (prefix: { at: number; kind: 'not' | 'negate' }, { node, height }: Sized): Sized => ({
  node: { ...prefix, operand: node },
  height: height + 1,
})
const isOperator = ({ kind }: Token): boolean => kind === 'keyword' || kind === 'symbol'
const isSymbol = ({ kind, text }: Token, symbol: string): boolean => kind === 'symbol' && text === symbol
const spaced = (integer: string): string => `"${integer[0]!} ${integer.slice(1)}"`
