// DomainMapping serving.knative.dev/v1beta1. Source: knative/serving pkg/apis/serving/v1beta1/domainmapping_types.go.
import type { AddressStatus, KReference, KResourceStatus } from '../../../model/duck/types.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { addressable, kReference, object, statusOf, string } from '../../../model/kubernetes/schema.ts'

export const domainMappingKind = 'DomainMapping.serving.knative.dev'

export interface DomainMapping extends Resource {
  spec: { ref: KReference; tls?: { secretName: string } }
  status?: KResourceStatus & Pick<AddressStatus, 'address'> & { url?: string }
}

export const domainMappingSchema = {
  spec: object(
    'Where the domain leads.',
    {
      ref: { ...kReference('An Addressable with a host of its own in the cluster.'), required: ['kind', 'name'] },
      tls: object(
        'The certificate of the domain.',
        { secretName: string('Secret that holds it.') },
        { required: ['secretName'] },
      ),
    },
    { required: ['ref'] },
  ),
  status: statusOf({
    url: string('The address of the domain.'),
    address: addressable('Where the cluster reaches the domain.'),
  }),
}
