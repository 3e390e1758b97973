// Rules of an Event. Source: kubernetes/kubernetes pkg/apis/core/validation/events.go, legacy validation.
import { invalidValue } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import type { Event } from './schema.ts'

/** Namespace of Events about objects that have none. */
const clusterEvents = 'default'

export function validateEvent({ metadata, involvedObject }: Event): FieldError[] {
  const about = involvedObject.namespace ?? ''
  const home = metadata.namespace
  if (about === home || (about === '' && home === clusterEvents)) return []
  return [invalidValue(about, 'involvedObject.namespace', 'does not match event.namespace')]
}
