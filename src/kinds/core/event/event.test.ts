import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventColumns } from './columns.ts'
import type { Event } from './schema.ts'
import { validateEvent } from './validate.ts'

const nowMs = Date.UTC(2026, 0, 1, 1)
const anEvent = (parts: Partial<Event> = {}): Event => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: 'recv.Received.1', namespace: 'shop' },
  involvedObject: { kind: 'Pod', name: 'recv', namespace: 'shop', fieldPath: 'spec.containers{web}' },
  ...parts,
})
const cells = (event: Event): Record<string, unknown> =>
  Object.fromEntries(
    eventColumns.filter(({ jsonPath }) => jsonPath === '').map((column) => [column.name, column.print?.(event, nowMs)]),
  )

test('an Event shows when, about what, by whom and how often', () => {
  const event = anEvent({
    firstTimestamp: '2026-01-01T00:50:00Z',
    lastTimestamp: '2026-01-01T00:59:30Z',
    message: ' a text\n',
    count: 4,
    source: { component: 'kubelet', host: 'here' },
  })
  assert.deepEqual(cells(event), {
    'Last Seen': '30s',
    Object: 'pod/recv',
    Source: 'kubelet, here',
    Message: 'a text',
    'First Seen': '10m',
    Count: 4,
  })
})

test('newer recorders write eventTime, series and a reporting controller', () => {
  const event = anEvent({
    eventTime: '2026-01-01T00:58:00.000000Z',
    firstTimestamp: null,
    lastTimestamp: null,
    series: { count: 9, lastObservedTime: '2026-01-01T00:59:00.000000Z' },
    reportingComponent: 'knode',
    reportingInstance: 'one',
    involvedObject: { kind: 'Node' },
  })
  const { 'Last Seen': last, 'First Seen': first, Count, Source, Object: about } = cells(event)
  assert.deepEqual([last, first, Count, Source, about], ['60s', '2m', 9, 'knode, one', 'node'])
  assert.deepEqual([cells(anEvent())['Last Seen'], cells(anEvent())['Count']], ['<unknown>', 1])
})

test('an Event lives where its object lives; without a namespace, in default', () => {
  assert.deepEqual(validateEvent(anEvent()), [])
  const about = (namespace: string | undefined, home: string) =>
    validateEvent(
      anEvent({
        metadata: { name: 'e', namespace: home },
        involvedObject: namespace === undefined ? {} : { namespace },
      }),
    ).flatMap(({ paths }) => paths)
  assert.deepEqual(about(undefined, 'default'), [])
  assert.deepEqual(about(undefined, 'shop'), ['involvedObject.namespace'])
  assert.deepEqual(about('other', 'shop'), ['involvedObject.namespace'])
})
