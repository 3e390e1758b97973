// One step in the life of an event as a line for people.
import type { FlowLine } from '../app/flow-line.ts'
import { printable } from './printable.ts'
import type { Style, Terminal } from './terminal.ts'

/** What the server tells a reader that was too slow. */
export interface LeftOut {
  what: 'left-out'
  count: number
}

const looks: Record<FlowLine['what'], { mark: string; style: Style }> = {
  accepted: { mark: '●', style: 'cyan' },
  refused: { mark: '✗', style: 'red' },
  filtered: { mark: '·', style: 'dim' },
  delivered: { mark: '→', style: 'green' },
  replied: { mark: '↩', style: 'green' },
  retrying: { mark: '↻', style: 'yellow' },
  'dead-lettered': { mark: '†', style: 'red' },
  dropped: { mark: '✗', style: 'red' },
}

const widestWord = 'dead-lettered'.length

/** Longest data shown on a line, in characters. */
const dataCharactersMax = 120

/** `12:00:00.123 → delivered  Trigger shop/billing  http://… 200 in 3 ms  order.created id=7`; times are UTC. */
export function flowText(line: FlowLine | LeftOut, { paint }: Pick<Terminal, 'paint'>): string {
  if (line.what === 'left-out') return paint('yellow', `… ${line.count} left out: this reader was too slow`)
  const { mark, style } = looks[line.what]
  const { type, id, data, knodereplay } = line.event
  const head = `${paint('dim', line.time.slice(11, 23))} ${paint(style, `${mark} ${line.what.padEnd(widestWord)}`)}`
  const replay = typeof knodereplay === 'string' ? `replay=${knodereplay}` : ''
  // Anybody may have sent it.
  const told = [whereOf(line), howOf(line), `${String(type)} id=${String(id)}`, replay, shownData(data)].map(printable)
  return [head, ...told].filter((part) => part !== '').join('  ')
}

function whereOf({ owner, stream }: FlowLine): string {
  if (owner !== undefined) return `${owner.kind.split('.')[0]} ${owner.namespace}/${owner.name}`
  const [kind = '', namespace, name] = stream.split('/')
  return name === undefined ? stream : `${kind} ${namespace}/${name}`
}

function howOf({ url, status, tookMs, attempt, message }: FlowLine): string {
  const facts = [
    url,
    status,
    tookMs === undefined ? undefined : `in ${Math.round(tookMs)} ms`,
    attempt === undefined || attempt < 2 ? undefined : `(attempt ${attempt})`,
  ]
  const told = facts.filter((fact) => fact !== undefined).join(' ')
  if (message === undefined) return told
  return told === '' ? message : `${told}: ${message}`
}

function shownData(data: unknown): string {
  if (data === undefined) return ''
  const text = (typeof data === 'string' ? data : JSON.stringify(data)).replace(/\s+/g, ' ')
  return text.length > dataCharactersMax ? `${text.slice(0, dataCharactersMax)}…` : text
}
