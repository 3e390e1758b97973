// The parsed form of a CESQL expression. Source: CloudEvents SQL 1.0, section 2 and CESQLParser.g4.

/** The three types of values. Source: CloudEvents SQL 1.0, section 3.1. */
export type CesqlType = 'Boolean' | 'Integer' | 'String'
export type CesqlValue = boolean | number | string

export type LogicOperator = 'AND' | 'OR' | 'XOR'
export type ComparisonOperator = '=' | '!=' | '<' | '<=' | '>' | '>='
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%'

/** `at` is the offset of the node's own sign in the text, in UTF-16 units; parentheses leave no node. */
export type CesqlNode = { at: number } & (
  | { kind: 'literal'; value: CesqlValue }
  | { kind: 'attribute'; name: string }
  | { kind: 'exists'; name: string }
  | { kind: 'not'; operand: CesqlNode }
  | { kind: 'negate'; operand: CesqlNode }
  | { kind: 'like'; negated: boolean; operand: CesqlNode; pattern: string }
  | { kind: 'in'; negated: boolean; operand: CesqlNode; elements: CesqlNode[] }
  | { kind: 'arithmetic'; operator: ArithmeticOperator; left: CesqlNode; right: CesqlNode }
  | { kind: 'comparison'; operator: ComparisonOperator; left: CesqlNode; right: CesqlNode }
  | LogicChain
  | { kind: 'call'; name: string; arguments: CesqlNode[] }
)

/**
 * `a AND b OR c` as the grammar reads it, from the right: `a AND (b OR c)`. A chain is one node, so that a thousand
 * alternatives are not a thousand levels. There is one operator fewer than operands.
 */
export interface LogicChain {
  kind: 'logic'
  operands: CesqlNode[]
  operators: LogicOperator[]
}
