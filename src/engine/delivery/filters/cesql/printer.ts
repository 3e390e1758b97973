// Writes a parsed CESQL expression in one way: keywords in capitals, parentheses only where the grammar needs them.
import type { CesqlNode } from './ast.ts'

/** How tightly a node's own sign binds; an operand that binds less stands in parentheses. */
const levels = { logic: 1, comparison: 2, sum: 3, product: 4, in: 5, like: 6, prefix: 7, primary: 8 } as const

/** The text of an expression; parsing it gives the same expression again. */
export function printCesql(node: CesqlNode): string {
  switch (node.kind) {
    case 'literal':
      return printLiteral(node.value)
    case 'attribute':
      return node.name
    case 'exists':
      return `EXISTS ${node.name}`
    case 'not':
      return `NOT ${operand(node.operand, levels.prefix)}`
    case 'negate':
      return printNegation(node.operand)
    case 'like':
      return `${operand(node.operand, levels.in)}${node.negated ? ' NOT' : ''} LIKE ${printLiteral(node.pattern)}`
    case 'in': {
      const elements = node.elements.map(printCesql).join(', ')
      return `${operand(node.operand, levels.in)}${node.negated ? ' NOT' : ''} IN (${elements})`
    }
    case 'comparison':
    case 'arithmetic': {
      const level = levelOf(node)
      return `${operand(node.left, level)} ${node.operator} ${operand(node.right, level + 1)}`
    }
    case 'logic':
      return node.operands
        .map(
          (part, index) => `${index === 0 ? '' : `${node.operators[index - 1]} `}${operand(part, levels.comparison)}`,
        )
        .join(' ')
    case 'call':
      return `${node.name}(${node.arguments.map(printCesql).join(', ')})`
  }
}

function levelOf(node: CesqlNode): number {
  switch (node.kind) {
    case 'logic':
      return levels.logic
    case 'comparison':
      return levels.comparison
    case 'arithmetic':
      return node.operator === '+' || node.operator === '-' ? levels.sum : levels.product
    case 'in':
      return levels.in
    case 'like':
      return levels.like
    case 'not':
    case 'negate':
      return levels.prefix
    default:
      return levels.primary
  }
}

function operand(node: CesqlNode, levelMin: number): string {
  return levelOf(node) < levelMin ? `(${printCesql(node)})` : printCesql(node)
}

/** A minus glued to a digit would be the number's own sign. */
function printNegation(node: CesqlNode): string {
  const text = operand(node, levels.prefix)
  return /^[0-9]/.test(text) ? `-(${text})` : `-${text}`
}

function printLiteral(value: string | number | boolean): string {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  return canStandIn(value, "'") ? quotedIn(value, "'") : quotedIn(value, '"')
}

/** A backslash takes the next character along, so a quote right behind one cannot be escaped. */
function canStandIn(value: string, quote: string): boolean {
  for (let index = 0; index < value.length; index++) {
    if (value[index] !== '\\') continue
    index++
    if (index === value.length || value[index] === quote) return false
  }
  return true
}

const quotedIn = (value: string, quote: string): string => quote + value.replaceAll(quote, `\\${quote}`) + quote
