// Event v1: what happened to an object. Source: kubernetes/api core/v1/types.go.
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { integer, object, string } from '../../../model/kubernetes/schema.ts'

interface ObjectReference {
  apiVersion?: string
  kind?: string
  namespace?: string
  name?: string
  uid?: string
  resourceVersion?: string
  fieldPath?: string
}

export interface Event extends Resource {
  involvedObject: ObjectReference
  reason?: string
  message?: string
  type?: string
  source?: { component?: string; host?: string }
  firstTimestamp?: string | null
  lastTimestamp?: string | null
  /** RFC 3339 with microseconds. */
  eventTime?: string | null
  count?: number
  series?: { count?: number; lastObservedTime?: string }
  action?: string
  related?: ObjectReference
  reportingComponent?: string
  reportingInstance?: string
}

const time = (description: string) => string(description, { format: 'date-time', nullable: true })
const reference = (description: string) =>
  object(description, {
    apiVersion: string('API version of the object.'),
    kind: string('Kind of the object.'),
    namespace: string('Namespace of the object.'),
    name: string('Name of the object.'),
    uid: string('UID of the object.'),
    resourceVersion: string('State of the object.'),
    fieldPath: string('Part of the object, e.g. spec.containers{web}.'),
  })

export const eventSchema = {
  involvedObject: reference('The object that this is about.'),
  reason: string('One word that tells what happened.'),
  message: string('What happened, for people.'),
  type: string('Normal or Warning.'),
  source: object('Who saw it.', { component: string('Name of the program.'), host: string('Its machine.') }),
  firstTimestamp: time('When it was seen first.'),
  lastTimestamp: time('When it was seen last.'),
  eventTime: time('When it was seen first, with microseconds.'),
  count: integer('How often it was seen.', { format: 'int32' }),
  series: object('What is known about repetitions.', {
    count: integer('How often it was seen.', { format: 'int32' }),
    lastObservedTime: time('When it was seen last.'),
  }),
  action: string('What was done about it.'),
  related: reference('A second object that plays a part.'),
  reportingComponent: string('Name of the controller that tells this.'),
  reportingInstance: string('Which of its instances.'),
}
