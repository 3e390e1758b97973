// Event: what happened to an object, for people. The control loop records them, and forgets them after an hour.
import { defineKind } from '../../../engine/kind.ts'
import { eventColumns } from './columns.ts'
import { eventSchema } from './schema.ts'
import type { Event } from './schema.ts'
import { validateEvent } from './validate.ts'

const referenceFields = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath']

export const event = defineKind<Event>({
  group: '',
  kind: 'Event',
  description: 'Tells what happened to an object. Events are forgotten after an hour.',
  plural: 'events',
  shortNames: ['ev'],
  builtIn: true,
  // Recorders derive names from the objects they are about, whatever those look like.
  nameFormat: 'path-segment',
  selectableFields: {
    ...Object.fromEntries(referenceFields.map((field) => [`involvedObject.${field}`, `involvedObject.${field}`])),
    reason: 'reason',
    reportingComponent: 'reportingComponent',
    source: 'source.component',
    type: 'type',
  },
  versions: [{ name: 'v1', schema: eventSchema, columns: eventColumns }],
  validate: validateEvent,
})
