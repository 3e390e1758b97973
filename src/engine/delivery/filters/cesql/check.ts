// Finds at admission what evaluation would only find out event by event. Source: CloudEvents SQL 1.0, section 3.3:
// "some error checks SHOULD be done at compile time".
import { textPosition } from '../text-position.ts'
import type { CesqlNode, CesqlType } from './ast.ts'
import { castValue } from './cast.ts'
import { staticType } from './compile.ts'
import { cesqlFunctions, findFunction } from './functions.ts'

export interface CesqlProblem {
  /** An `error` makes the filter fail on each event that gets there; a `warning` may be meant. */
  level: 'error' | 'warning'
  /** With line and column. */
  message: string
}

/** What is wrong with `node`, the parsed `text`, as a filter; in the order of the text. */
export function checkCesql(text: string, node: CesqlNode): CesqlProblem[] {
  const problems: { at: number; level: CesqlProblem['level']; message: string }[] = []
  const add = (at: number, message: string, level: CesqlProblem['level'] = 'error'): void =>
    void problems.push({ at, level, message })
  const type = staticType(node)
  if (type !== undefined && type !== 'Boolean') {
    add(0, `the expression is of type ${type}, and a filter must be a Boolean: compare it with something`)
  }
  if (node.kind === 'attribute') {
    const message = `a bare attribute passes only as a Boolean, which it no longer is after binary HTTP: write ${node.name} = TRUE`
    add(0, message, 'warning')
  }
  visit(node, add)
  return problems
    .sort((one, other) => one.at - other.at)
    .map(({ at, level, message }) => ({ level, message: `${textPosition(text, at)}: ${message}` }))
}

type Add = (at: number, message: string, level?: CesqlProblem['level']) => void

function visit(node: CesqlNode, add: Add): void {
  switch (node.kind) {
    case 'literal':
    case 'attribute':
    case 'exists':
      return
    case 'not':
      mustCast(node.operand, 'Boolean', add)
      return visit(node.operand, add)
    case 'negate':
      mustCast(node.operand, 'Integer', add)
      return visit(node.operand, add)
    case 'like':
      return visit(node.operand, add)
    case 'in': {
      const type = staticType(node.operand)
      for (const element of node.elements) {
        if (type !== undefined) mustCast(element, type, add)
        visit(element, add)
      }
      return visit(node.operand, add)
    }
    case 'arithmetic':
      for (const side of [node.left, node.right]) {
        mustCast(side, 'Integer', add)
        visit(side, add)
      }
      if ((node.operator === '/' || node.operator === '%') && isLiteral(node.right, 0)) {
        add(node.at, `${node.operator} by zero`)
      }
      return
    case 'comparison':
      checkComparison(node, add)
      visit(node.left, add)
      return visit(node.right, add)
    case 'logic': {
      const mixed = node.operators.find((operator) => operator !== node.operators[0])
      if (mixed !== undefined) {
        const message =
          'AND, OR and XOR bind equally and group from the right: a AND b OR c is a AND (b OR c); use parentheses'
        add(node.at, message, 'warning')
      }
      for (const operand of node.operands) {
        mustCast(operand, 'Boolean', add)
        visit(operand, add)
      }
      return
    }
    case 'call':
      return checkCall(node, add)
  }
}

function checkComparison(node: CesqlNode & { kind: 'comparison' }, add: Add): void {
  const { left, operator, right } = node
  if (left.kind === 'not' && operator === '=') {
    add(left.at, 'NOT binds tighter than =: write NOT (a = b), or a != b', 'warning')
  }
  if (operator === '=' || operator === '!=') {
    const type = staticType(right)
    if (type !== undefined) mustCast(left, type, add)
    return
  }
  mustCast(left, 'Integer', add)
  mustCast(right, 'Integer', add)
}

function checkCall(node: CesqlNode & { kind: 'call' }, add: Add): void {
  const found = findFunction(node.name, node.arguments.length)
  for (const [index, argument] of node.arguments.entries()) {
    const type = found?.parameters[index] ?? found?.rest
    if (type !== undefined && type !== 'Any') mustCast(argument, type, add)
    visit(argument, add)
  }
  if (found !== undefined) return
  const overloads = cesqlFunctions.get(node.name)
  if (overloads === undefined) {
    const names = [...cesqlFunctions.keys()].join(', ')
    return add(node.at, `there is no function ${node.name}; there are ${names}`)
  }
  const counts = overloads.map(({ parameters, rest }) => `${parameters.length}${rest === undefined ? '' : ' or more'}`)
  add(node.at, `${node.name} takes ${counts.join(' or ')} arguments, not ${node.arguments.length}`)
}

/** Only a literal is known to fail its cast on every event. */
function mustCast(node: CesqlNode, type: CesqlType, add: Add): void {
  if (node.kind !== 'literal' || castValue(node.value, type) !== undefined) return
  add(node.at, `${JSON.stringify(node.value)} cannot be cast to ${type}`)
}

const isLiteral = (node: CesqlNode, value: number): boolean => node.kind === 'literal' && node.value === value
