// What a Subscription gets that it did not ask for. Source: knative/eventing subscription_defaults.go.
import { setReferenceNamespace } from '../../../model/duck/reference-namespace.ts'
import type { Subscription } from './schema.ts'

export function setSubscriptionDefaults(draft: Subscription): void {
  draft.spec ??= {}
  const { namespace } = draft.metadata
  setReferenceNamespace(draft.spec.subscriber, namespace)
  setReferenceNamespace(draft.spec.reply, namespace)
  setReferenceNamespace(draft.spec.delivery?.deadLetterSink, namespace)
}
