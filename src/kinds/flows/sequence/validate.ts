// What a Sequence must not be. Source: knative/eventing pkg/apis/flows/v1/sequence_validation.go.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { deliveryFlags, validateDelivery } from '../../../model/duck/delivery.ts'
import { validateDestination } from '../../../model/duck/destination.ts'
import { eventingSystemNamespace, featuresConfigMap } from '../../../model/knative/feature-flags.ts'
import { validateChannelTemplate, validateOptionalDestination } from '../../../model/knative/flow-channel.ts'
import { at, missingField } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import type { Sequence } from './schema.ts'

export function validateSequence({ spec }: Sequence, { config }: AdmissionContext<Sequence>): FieldError[] {
  const flags = deliveryFlags(config.data(eventingSystemNamespace, featuresConfigMap))
  const { steps = [], channelTemplate, reply } = spec
  return at('spec', [
    ...(steps.length === 0 ? [missingField('steps')] : []),
    ...steps.flatMap((step, index) =>
      at(`steps[${index}]`, [
        ...validateDestination(step, flags),
        ...at('delivery', validateDelivery(step.delivery, flags)),
      ]),
    ),
    ...validateChannelTemplate(channelTemplate),
    ...validateOptionalDestination('reply', reply, flags),
  ])
}
