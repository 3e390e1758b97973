// One object in words, for people: fields, conditions and what happened to it.
import type { Condition } from '../model/duck/types.ts'
import { humanAge } from '../model/kubernetes/human-duration.ts'
import type { Resource } from '../model/kubernetes/resource.ts'
import { printable } from './printable.ts'
import type { Terminal } from './terminal.ts'

/** A core/v1 Event, as far as it is shown. */
export interface ObjectEvent {
  type?: string
  reason?: string
  message?: string
  count?: number
  firstTimestamp?: string | null
  lastTimestamp?: string | null
  eventTime?: string | null
  reportingComponent?: string
  source?: { component?: string }
}

export interface DescribeOptions {
  nowMs: number
  paint: Terminal['paint']
}

export function describeObject(object: Resource, events: readonly ObjectEvent[], options: DescribeOptions): string {
  const { apiVersion, kind, metadata, status, ...content } = object
  const { conditions, ...state } = (status ?? {}) as { conditions?: Condition[] }
  const lines = [
    `Name:         ${metadata.name}`,
    ...(metadata.namespace === undefined ? [] : [`Namespace:    ${metadata.namespace}`]),
    ...pairs('Labels:       ', metadata.labels),
    ...pairs('Annotations:  ', metadata.annotations),
    `API Version:  ${apiVersion}`,
    `Kind:         ${kind}`,
    `Created:      ${ageText(metadata.creationTimestamp, options.nowMs)}`,
    ...(metadata.deletionTimestamp === undefined
      ? []
      : [`Deleting:     ${ageText(metadata.deletionTimestamp, options.nowMs)}, waits for ${finalizers(object)}`]),
    ...(metadata.ownerReferences ?? []).map((owner) => `Owned by:     ${owner.kind} ${owner.name}`),
    ...Object.entries(content).flatMap(([name, value]) => field(name, value, '')),
    ...(Object.keys(state).length > 0 ? field('status', state, '') : []),
    ...(conditions === undefined ? [] : ['Conditions:', ...conditionLines(conditions, options)]),
    ...(events.length === 0 ? ['Events:  <none>'] : ['Events:', ...eventLines(events, options)]),
  ]
  return `${lines.join('\n')}\n`
}

const finalizers = ({ metadata }: Resource): string => (metadata.finalizers ?? []).join(', ') || 'nothing'

const ageText = (time: string | null | undefined, nowMs: number): string =>
  `${time ?? '<unknown>'} (${humanAge(time, nowMs)} ago)`

/** Text that kubectl keeps for itself and nobody reads. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

function pairs(title: string, map: Record<string, string> = {}): string[] {
  const entries = Object.entries(map).filter(([name]) => name !== lastApplied)
  if (entries.length === 0) return [`${title}<none>`]
  return entries.map(
    ([name, value], at) => `${at === 0 ? title : ' '.repeat(title.length)}${name}: ${printable(value)}`,
  )
}

/** `subscriberUri` → `Subscriber Uri:`, nested values below it. */
function field(name: string, value: unknown, indent: string): string[] {
  const title = `${indent}${printable(titleOf(name))}:`
  if (value === null || typeof value !== 'object') return [...scalar(title, value, indent)]
  const isList = Array.isArray(value)
  const entries = isList ? value.map((item) => ['', item] as const) : Object.entries(value)
  if (entries.length === 0) return [`${title}  <none>`]
  const inner = `${indent}  `
  if (!isList) return [title, ...entries.flatMap(([key, item]) => field(key, item, inner))]
  return [title, ...entries.flatMap(([, item]) => listItem(item, inner))]
}

function listItem(item: unknown, indent: string): string[] {
  if (item === null || typeof item !== 'object') return [`${indent}- ${printable(String(item))}`]
  const lines = Object.entries(item).flatMap(([key, value]) => field(key, value, `${indent}  `))
  return lines.length === 0 ? [`${indent}- <none>`] : [`${indent}- ${lines[0]!.trimStart()}`, ...lines.slice(1)]
}

function scalar(title: string, value: unknown, indent: string): string[] {
  const text = printable(String(value))
  const lines = text.replace(/\n$/, '').split('\n')
  return lines.length === 1 ? [`${title}  ${lines[0]}`] : [title, ...lines.map((line) => `${indent}  ${line}`)]
}

const titleOf = (name: string): string =>
  /^[a-z][a-zA-Z0-9]*$/.test(name)
    ? name[0]!.toUpperCase() + name.slice(1).replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ')
    : name

const styleOf = (status: string): 'green' | 'red' | 'yellow' =>
  status === 'True' ? 'green' : status === 'False' ? 'red' : 'yellow'

function conditionLines(conditions: readonly Condition[], { nowMs, paint }: DescribeOptions): string[] {
  const width = Math.max(...conditions.map(({ type }) => type.length))
  return conditions.map(({ type, status, reason, message, lastTransitionTime }) => {
    const why = [reason, message].filter((part) => part !== undefined && part !== '').join(': ')
    const state = paint(styleOf(status), status.padEnd(7))
    return `  ${type.padEnd(width)}  ${state}  ${humanAge(lastTransitionTime, nowMs)}${why === '' ? '' : `  ${printable(why)}`}`
  })
}

function eventLines(events: readonly ObjectEvent[], { nowMs, paint }: DescribeOptions): string[] {
  const time = (event: ObjectEvent): string => event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp ?? ''
  return events
    .toSorted((a, b) => Date.parse(time(a)) - Date.parse(time(b)))
    .map((event) => {
      const { type = 'Normal', reason = '', message = '', count = 1 } = event
      const often = count > 1 ? ` (x${count})` : ''
      const from = event.reportingComponent || event.source?.component
      const state = paint(type === 'Warning' ? 'yellow' : 'dim', type.padEnd(7))
      return `  ${state}  ${humanAge(time(event), nowMs)}${often}  ${reason}${from ? ` (${from})` : ''}: ${printable(message.trim())}`
    })
}
