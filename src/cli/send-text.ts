// What `knode send` prints about what became of events.
import { STATUS_CODES } from 'node:http'
import { attributeText } from '../model/cloudevents/event.ts'
import type { CloudEvent } from '../model/cloudevents/event.ts'
import type { Posted } from './event-poster.ts'
import { printable } from './printable.ts'
import type { SendSummary } from './send-many.ts'
import type { Terminal } from './terminal.ts'

interface SentOne {
  event: CloudEvent
  url: string
  posted: Posted
  isJson: boolean
}

/** `sent 1234 to http://…: 202 Accepted in 3 ms` */
export function postedLine({ event, url, posted, isJson }: SentOne, { paint }: Pick<Terminal, 'paint'>): string {
  const id = attributeText(event, 'id')
  const { status, tookMs, reason, reply } = posted
  if (isJson) {
    const answer = reply === undefined ? {} : { reply: eventFields(reply) }
    return `${JSON.stringify({ id, url, status, tookMs: rounded(tookMs), reason, ...answer })}\n`
  }
  const outcome =
    status === undefined ? printable(reason ?? 'no answer') : `${status} ${STATUS_CODES[status] ?? ''}`.trimEnd()
  const isTaken = status !== undefined && status < 300
  const why = status !== undefined && (reason ?? '') !== '' ? `\n  ${printable(reason!)}` : ''
  const verb = isTaken ? 'sent' : 'not taken:'
  return `${verb} ${id} to ${url}: ${paint(isTaken ? 'green' : 'red', outcome)} in ${rounded(tookMs)} ms${why}\n`
}

/** The event that came back, attribute by attribute. */
export function replyText(reply: CloudEvent): string {
  const lines = [...reply.attributes].map(([name, value]) => `  ${name}: ${String(value)}`)
  const data = reply.data === undefined ? [] : ['', ...Buffer.from(reply.data).toString('utf8').trimEnd().split('\n')]
  const text = [...lines, ...data.map((line) => `  ${line}`)].join('\n')
  return `answered with an event:\n${printable(text).replace(/ +$/gm, '')}\n`
}

/** Counts, pace and latencies of many events. */
export function summaryText(summary: SendSummary, { url, isJson }: { url: string; isJson: boolean }): string {
  const { sent, accepted, failed, outcomes, tookMs, p50Ms, p99Ms } = summary
  const perSecond = tookMs > 0 ? Math.round((accepted * 1000) / tookMs) : 0
  if (isJson) {
    const latencyMs = { p50: rounded(p50Ms), p99: rounded(p99Ms) }
    const counts = Object.fromEntries(outcomes)
    return `${JSON.stringify({ url, sent, accepted, failed, outcomes: counts, tookMs: rounded(tookMs), perSecond, latencyMs })}\n`
  }
  const told = [...outcomes].map(([outcome, count]) => `${count} × ${printable(outcome)}`).join(', ')
  const latency = accepted === 0 ? '' : `, p50 ${rounded(p50Ms)} ms, p99 ${rounded(p99Ms)} ms`
  return `${accepted} of ${sent} taken (${told || 'no answer yet'}), ${perSecond}/s${latency}\n`
}

const rounded = (ms: number): number => Math.round(ms * 10) / 10

const eventFields = (event: CloudEvent): Record<string, unknown> => ({
  ...Object.fromEntries(event.attributes),
  ...(event.data !== undefined && { data: Buffer.from(event.data).toString('utf8') }),
})
