// Tables as the API server sends them, printed as kubectl prints them.
import type { ObjectMeta } from '../model/kubernetes/resource.ts'
import { printable } from './printable.ts'
import type { Terminal } from './terminal.ts'

/** `meta.k8s.io/v1` Table. */
export interface ApiTable {
  metadata?: { resourceVersion?: string }
  columnDefinitions?: { name: string; type?: string; priority?: number }[] | null
  rows?: ApiRow[] | null
}

interface ApiRow {
  cells: unknown[]
  object?: { kind?: string; apiVersion?: string; metadata?: ObjectMeta }
}

export const tableAccept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'

export interface TableOptions {
  wide: boolean
  withNamespace: boolean
  /** Put before each name: `broker.eventing.knative.dev/`. */
  namePrefix?: string
}

/** Column titles and rows of text, without what is not asked for. */
export function textRows(table: ApiTable, options: TableOptions): { head: string[]; rows: string[][] } {
  const columns = (table.columnDefinitions ?? []).map(({ name, priority = 0 }, index) => ({ name, priority, index }))
  const shown = columns.filter(({ priority }) => priority === 0 || options.wide)
  const head = shown.map(({ name }) => printable(name.toUpperCase()))
  const rows = (table.rows ?? []).map(({ cells, object }) => {
    const texts = shown.map(({ index, name }) => {
      const text = cellText(cells[index])
      return name.toLowerCase() === 'name' ? `${options.namePrefix ?? ''}${text}` : text
    })
    return options.withNamespace ? [object?.metadata?.namespace ?? '', ...texts] : texts
  })
  return { head: options.withNamespace ? ['NAMESPACE', ...head] : head, rows }
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return ''
  const text = typeof cell === 'string' ? cell : JSON.stringify(cell)
  // A table has one line per row, whatever a message holds.
  return printable(text.split(/[\r\n\f]/, 1)[0]!)
}

/** Least width of a column and space between columns, in characters, as kubectl's printers set them. */
const widthMin = 6
const gap = 3

/** Keeps column widths, so that lines of a watch stay below those before. */
export class TablePrinter {
  #terminal: Terminal
  #widths: number[] = []

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  /** Prints rows below a line of titles, if there are any. */
  print(rows: readonly string[][], head?: readonly string[]): void {
    const lines = head === undefined ? rows : [head, ...rows]
    for (const line of lines) {
      line.forEach((cell, at) => (this.#widths[at] = Math.max(this.#widths[at] ?? widthMin, cell.length + gap)))
    }
    for (const line of lines) {
      const cells = line.map((cell, at) => {
        const space = at === line.length - 1 ? '' : ' '.repeat(this.#widths[at]! - cell.length)
        return this.#painted(cell, line === head) + space
      })
      this.#terminal.out(`${cells.join('')}\n`)
    }
  }

  #painted(cell: string, isTitle: boolean): string {
    if (isTitle) return this.#terminal.paint('bold', cell)
    const style = cell === 'True' ? 'green' : cell === 'False' ? 'red' : cell === 'Unknown' ? 'yellow' : undefined
    return style === undefined ? cell : this.#terminal.paint(style, cell)
  }
}
