// What a Trigger gets that it did not ask for. Source: knative/eventing pkg/apis/eventing/v1/trigger_defaults.go.
import { setReferenceNamespace } from '../../../model/duck/reference-namespace.ts'
import { brokerLabel } from './schema.ts'
import type { Trigger } from './schema.ts'

export function setTriggerDefaults(draft: Trigger): void {
  const { metadata } = draft
  draft.spec ??= {}
  const { spec } = draft
  const broker = spec.brokerRef?.name ?? spec.broker
  if (broker !== undefined && broker !== '') metadata.labels = { ...metadata.labels, [brokerLabel]: broker }
  // Upstream stores the empty filter on every Trigger.
  spec.filter ??= {}
  setReferenceNamespace(spec.subscriber, metadata.namespace)
  setReferenceNamespace(spec.delivery?.deadLetterSink, metadata.namespace)
}
