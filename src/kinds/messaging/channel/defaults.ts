// What a Channel gets that it did not ask for. Source: knative/eventing pkg/apis/messaging/v1/channel_defaults.go.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { setReferenceNamespace } from '../../../model/duck/reference-namespace.ts'
import { defaultChannelTemplate } from '../../../model/knative/channel-template.ts'
import { eventingSystemNamespace } from '../../../model/knative/feature-flags.ts'
import { subscribableAnnotation } from './schema.ts'
import type { Channel } from './schema.ts'

export function setChannelDefaults(draft: Channel, { config }: AdmissionContext<Channel>): void {
  const { metadata } = draft
  draft.spec ??= {}
  if (metadata.annotations?.[subscribableAnnotation] === undefined) {
    metadata.annotations = { ...metadata.annotations, [subscribableAnnotation]: 'v1' }
  }
  // With a template of its own upstream stops here: the dead letter sink gets no namespace.
  if (draft.spec.channelTemplate !== undefined) return
  const data = config.data(eventingSystemNamespace, 'default-ch-webhook')
  const template = defaultChannelTemplate(data, metadata.namespace ?? '')
  if (template !== undefined) draft.spec.channelTemplate = structuredClone(template)
  setReferenceNamespace(draft.spec.delivery?.deadLetterSink, metadata.namespace)
}
