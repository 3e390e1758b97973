// What a Sequence gets that it did not ask for. Source: knative/eventing pkg/apis/flows/v1/sequence_defaults.go.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { setReferenceNamespace } from '../../../model/duck/reference-namespace.ts'
import { eventingSystemNamespace } from '../../../model/knative/feature-flags.ts'
import { setChannelTemplate } from '../../../model/knative/flow-channel.ts'
import type { Sequence } from './schema.ts'

export function setSequenceDefaults(draft: Sequence, { config }: AdmissionContext<Sequence>): void {
  draft.spec ??= {}
  const { spec, metadata } = draft
  setChannelTemplate(spec, config.data(eventingSystemNamespace, 'default-ch-webhook'))
  for (const step of spec.steps ?? []) setReferenceNamespace(step, metadata.namespace)
  setReferenceNamespace(spec.reply, metadata.namespace)
}
