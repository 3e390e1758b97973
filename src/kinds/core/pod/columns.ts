// How `kubectl get pods` shows a Pod. Source: kubernetes/kubernetes pkg/printers/internalversion printPod.
import { columns } from '../../../engine/kind.ts'
import type { PrinterColumn } from '../../../engine/kind.ts'
import { humanDuration } from '../../../model/kubernetes/human-duration.ts'
import type { ContainerStatus, Pod } from '../../../model/kubernetes/pod/pod.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'

const none = '<none>'

export const podColumns: PrinterColumn[] = [
  { name: 'Ready', jsonPath: '', print: printReady },
  { name: 'Status', jsonPath: '', print: (object) => podReason(object as Pod) },
  { name: 'Restarts', jsonPath: '', print: printRestarts },
  columns.age,
  { name: 'IP', jsonPath: '', print: (object) => (object as Pod).status?.podIP ?? none, priority: 1 },
  { name: 'Node', jsonPath: '', print: (object) => (object as Pod).spec.nodeName ?? none, priority: 1 },
  { name: 'Nominated Node', jsonPath: '', print: () => none, priority: 1 },
  { name: 'Readiness Gates', jsonPath: '', print: () => none, priority: 1 },
]

function printReady(object: Resource): string {
  const { spec, status } = object as Pod
  const ready = (status?.containerStatuses ?? []).filter((container) => container.ready)
  return `${ready.length}/${(spec.containers ?? []).length}`
}

function printRestarts(object: Resource, nowMs: number): string {
  const containers = (object as Pod).status?.containerStatuses ?? []
  const count = containers.reduce((sum, { restartCount }) => sum + restartCount, 0)
  const last = containers.map(({ lastState }) => Date.parse(lastState.terminated?.finishedAt ?? '')).filter(isFinite)
  if (count === 0 || last.length === 0) return String(count)
  return `${count} (${humanDuration(nowMs - Math.max(...last))} ago)`
}

/** The one word that people look at. */
function podReason({ metadata, spec, status }: Pod): string {
  if (metadata.deletionTimestamp !== undefined) return 'Terminating'
  const init = initReason(status?.initContainerStatuses ?? [], (spec.initContainers ?? []).length)
  if (init !== undefined) return init
  let reason = status?.reason ?? status?.phase ?? 'Pending'
  let hasRunning = false
  for (const { state, ready } of (status?.containerStatuses ?? []).toReversed()) {
    const { waiting, terminated, running } = state
    if (waiting?.reason !== undefined) reason = waiting.reason
    else if (terminated !== undefined) reason = endReason(terminated)
    else if (running !== undefined && ready) hasRunning = true
  }
  if (reason !== 'Completed' || !hasRunning) return reason
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true
    ? 'Running'
    : 'NotReady'
}

function initReason(statuses: readonly ContainerStatus[], total: number): string | undefined {
  for (const [index, { state }] of statuses.entries()) {
    const { waiting, terminated } = state
    if (terminated?.exitCode === 0) continue
    if (terminated !== undefined) return `Init:${endReason(terminated)}`
    if (waiting?.reason !== undefined && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`
    return `Init:${index}/${total}`
  }
  return undefined
}

function endReason(terminated: NonNullable<ContainerStatus['state']['terminated']>): string {
  if ((terminated.reason ?? '') !== '') return terminated.reason!
  return terminated.signal === undefined ? `ExitCode:${terminated.exitCode}` : `Signal:${terminated.signal}`
}
