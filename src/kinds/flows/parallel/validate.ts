// What a Parallel must not be. Source: knative/eventing pkg/apis/flows/v1/parallel_validation.go.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { deliveryFlags, validateDelivery } from '../../../model/duck/delivery.ts'
import { validateDestination } from '../../../model/duck/destination.ts'
import { eventingSystemNamespace, featuresConfigMap } from '../../../model/knative/feature-flags.ts'
import { validateChannelTemplate, validateOptionalDestination } from '../../../model/knative/flow-channel.ts'
import { at, missingField } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import type { Parallel } from './schema.ts'

export function validateParallel({ spec }: Parallel, { config }: AdmissionContext<Parallel>): FieldError[] {
  const flags = deliveryFlags(config.data(eventingSystemNamespace, featuresConfigMap))
  const { branches = [], channelTemplate, reply } = spec
  return at('spec', [
    ...(branches.length === 0 ? [missingField('branches')] : []),
    ...branches.flatMap((branch, index) =>
      at(`branches[${index}]`, [
        ...validateOptionalDestination('filter', branch.filter, flags),
        ...at('subscriber', validateDestination(branch.subscriber ?? {}, flags)),
        ...validateOptionalDestination('reply', branch.reply, flags),
        ...at('delivery', validateDelivery(branch.delivery, flags)),
      ]),
    ),
    ...validateChannelTemplate(channelTemplate),
    ...validateOptionalDestination('reply', reply, flags),
  ])
}
