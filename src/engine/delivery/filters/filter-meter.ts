// A bound on the work of one evaluation of a data filter: what goes over lists and texts is counted before it does so.
import type { ASTNode } from '@marcbachmann/cel-js'

/**
 * Steps of one evaluation: for each element of a list that a macro or `in` goes over, the nodes of the tree that are
 * evaluated for it; for each text that is looked through or compared in a macro, one for every 16 characters.
 */
export const dataFilterStepsMax = 1_000_000

const charactersPerStep = 16

/** The function that an expression is metered with. No name of a filter looks like it. */
export const meterFunction = 'METER'

/** A part of an expression whose value is gone over, at a cost of so many steps for each of its elements. */
export interface MeteredPart {
  node: ASTNode
  stepsPerElement: number
}

/** Counts the steps of one evaluation after the other: evaluating is never interrupted. */
export class FilterMeter {
  #steps = 0

  begin(): void {
    this.#steps = 0
  }

  get isExceeded(): boolean {
    return this.#steps > dataFilterStepsMax
  }

  /** The value, or one without elements when there are no steps left for it, so that the evaluation ends soon. */
  readonly pass = (value: unknown, stepsPerElement: bigint): unknown => {
    if (!this.isExceeded) this.#steps += costOf(value, Number(stepsPerElement))
    if (!this.isExceeded) return value
    if (typeof value === 'string') return ''
    if (typeof value !== 'object' || value === null) return value
    return Array.isArray(value) ? [] : new Map()
  }
}

function costOf(value: unknown, stepsPerElement: number): number {
  if (typeof value === 'string') return value.length / charactersPerStep
  if (typeof value !== 'object' || value === null) return 0
  if (Array.isArray(value)) return value.length * stepsPerElement
  return (value instanceof Map ? value.size : Object.keys(value).length) * stepsPerElement
}

/** The expression with its metered parts passed through the meter. `texts` are its string literals. */
export function metered(text: string, parts: readonly MeteredPart[], texts: readonly ASTNode[]): string {
  const plain = withoutTexts(text, texts)
  const inserts = parts.flatMap(({ node, stepsPerElement }) => {
    const start = wholeStart(plain, node)
    return [
      { at: start, order: 1, start, text: `${meterFunction}(` },
      // At one place, what begins last ends first.
      { at: node.end, order: 0, start, text: `,${stepsPerElement})` },
    ]
  })
  inserts.sort((one, other) => one.at - other.at || one.order - other.order || other.start - one.start)
  let [result, done] = ['', 0]
  for (const insert of inserts) {
    result += text.slice(done, insert.at) + insert.text
    done = insert.at
  }
  return result + text.slice(done)
}

/** Of equal length, with nothing that looks like a parenthesis but is none. */
function withoutTexts(text: string, texts: readonly ASTNode[]): string {
  let plain = text
  for (const { start, end } of texts) plain = plain.slice(0, start) + '_'.repeat(end - start) + plain.slice(end)
  return plain.replace(/\/\/[^\n]*/g, (comment) => '_'.repeat(comment.length))
}

/** A node that begins with something in parentheses is said to begin behind them. */
function wholeStart(plain: string, { start, end }: ASTNode): number {
  let [depth, missing] = [0, 0]
  for (let at = start; at < end; at++) {
    if (plain[at] === '(') depth++
    else if (plain[at] === ')') missing = Math.max(missing, -(--depth))
  }
  let at = start
  for (; missing > 0; missing--) at = plain.lastIndexOf('(', at - 1)
  return at
}
