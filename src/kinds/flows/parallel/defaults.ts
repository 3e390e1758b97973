// What a Parallel gets that it did not ask for. Source: knative/eventing pkg/apis/flows/v1/parallel_defaults.go.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { setReferenceNamespace } from '../../../model/duck/reference-namespace.ts'
import { eventingSystemNamespace } from '../../../model/knative/feature-flags.ts'
import { setChannelTemplate } from '../../../model/knative/flow-channel.ts'
import type { Parallel } from './schema.ts'

export function setParallelDefaults(draft: Parallel, { config }: AdmissionContext<Parallel>): void {
  draft.spec ??= {}
  const { spec, metadata } = draft
  setChannelTemplate(spec, config.data(eventingSystemNamespace, 'default-ch-webhook'))
  for (const { filter, subscriber, reply, delivery } of spec.branches ?? []) {
    for (const target of [filter, subscriber, reply, delivery?.deadLetterSink]) {
      setReferenceNamespace(target, metadata.namespace)
    }
  }
  setReferenceNamespace(spec.reply, metadata.namespace)
}
