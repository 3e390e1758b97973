// How `kubectl get events` shows an Event. Source: kubernetes/kubernetes pkg/printers/internalversion printEvent.
import type { PrinterColumn } from '../../../engine/kind.ts'
import { humanAge } from '../../../model/kubernetes/human-duration.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { Event } from './schema.ts'

export const eventColumns: PrinterColumn[] = [
  { name: 'Last Seen', jsonPath: '', print: (object, nowMs) => humanAge(lastSeenOf(object as Event), nowMs) },
  { name: 'Type', jsonPath: '.type' },
  { name: 'Reason', jsonPath: '.reason' },
  { name: 'Object', jsonPath: '', print: printObject },
  { name: 'Subobject', jsonPath: '.involvedObject.fieldPath', priority: 1 },
  { name: 'Source', jsonPath: '', print: printSource, priority: 1 },
  { name: 'Message', jsonPath: '', print: (object) => (object as Event).message?.trim() },
  {
    name: 'First Seen',
    jsonPath: '',
    print: (object, nowMs) => humanAge(firstSeenOf(object as Event), nowMs),
    priority: 1,
  },
  { name: 'Count', jsonPath: '', type: 'integer', print: printCount, priority: 1 },
  { name: 'Name', jsonPath: '.metadata.name', priority: 1 },
]

const firstSeenOf = ({ firstTimestamp, eventTime }: Event): string | null | undefined => firstTimestamp ?? eventTime

/** In whichever of its fields that stands. */
const lastSeenOf = (event: Event): string | null | undefined =>
  event.series?.lastObservedTime ?? event.lastTimestamp ?? firstSeenOf(event)

function printObject(object: Resource): string {
  const { kind = '', name = '' } = (object as Event).involvedObject
  return name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`
}

function printSource(object: Resource): string {
  const { source = {}, reportingComponent = '', reportingInstance = '' } = object as Event
  const { component = reportingComponent, host = source.component === undefined ? reportingInstance : '' } = source
  return host === '' ? component : `${component}, ${host}`
}

function printCount(object: Resource): number {
  const { series, count = 0 } = object as Event
  return series?.count ?? (count === 0 ? 1 : count)
}
