// What `knode replay` prints about how far it is, and how it ended.
import type { ReplayLine } from '../app/routes/replay.ts'

/** `replay 1a2b3c4d to shop/orders: 412 of 18,233 events match, 410 delivered, 2 dead-lettered` */
export function replayText(line: ReplayLine, trigger: string): string {
  const { read, missing, matched, delivered, deadLettered, dropped } = line.counts
  const open = matched - delivered - deadLettered - dropped
  const facts = [
    `${grouped(matched)} of ${grouped(read)} events match`,
    `${grouped(delivered)} delivered`,
    some(deadLettered, 'dead-lettered'),
    some(dropped, 'dropped'),
    some(open, line.what === 'ended' ? 'not delivered' : 'on the way'),
    some(missing, 'could not be read'),
    endOf(line),
  ]
  return `replay ${line.id} to ${trigger}: ${facts.filter((fact) => fact !== '').join(', ')}`
}

const some = (count: number, words: string): string => (count === 0 ? '' : `${grouped(count)} ${words}`)
const grouped = (count: number): string => count.toLocaleString('en-US')

function endOf(line: ReplayLine): string {
  if (line.what !== 'ended' || line.end.kind === 'done') return ''
  return `${line.end.kind}: ${line.end.reason}`
}
