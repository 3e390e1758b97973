// Namespace v1. Source: kubernetes/api core/v1/types.go.
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { list, object, string } from '../../../model/kubernetes/schema.ts'

export interface Namespace extends Resource {
  spec?: { finalizers?: string[] }
  status?: { phase?: 'Active' | 'Terminating' }
}

export const namespaceSchema = {
  spec: object('How the Namespace ends.', {
    finalizers: list('Who must clean up before the Namespace goes.', string('Name of a cleaner.')),
  }),
  status: object('What was seen last.', {
    phase: string('Active, or Terminating while its content is being deleted.'),
    conditions: list(
      'What holds the deletion up.',
      object('One observation.', {
        type: string('Name of the condition.'),
        status: string('True, False or Unknown.'),
        lastTransitionTime: string('When it last changed.', { format: 'date-time' }),
        reason: string('One word that tells why.'),
        message: string('Details for people.'),
      }),
    ),
  }),
}
