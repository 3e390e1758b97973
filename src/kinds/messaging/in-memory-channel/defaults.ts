// What an InMemoryChannel gets that it did not ask for. Source: knative/eventing in_memory_channel_defaults.go.
import { setReferenceNamespace } from '../../../model/duck/reference-namespace.ts'
import { subscribableAnnotation } from '../channel/schema.ts'
import type { InMemoryChannel } from './schema.ts'

const scopeAnnotation = 'eventing.knative.dev/scope'

export function setInMemoryChannelDefaults(draft: InMemoryChannel): void {
  const { metadata } = draft
  draft.spec ??= {}
  const { [subscribableAnnotation]: subscribable = 'v1', [scopeAnnotation]: scope = 'cluster' } =
    metadata.annotations ?? {}
  metadata.annotations = { ...metadata.annotations, [subscribableAnnotation]: subscribable, [scopeAnnotation]: scope }
  setReferenceNamespace(draft.spec.delivery?.deadLetterSink, metadata.namespace)
}
