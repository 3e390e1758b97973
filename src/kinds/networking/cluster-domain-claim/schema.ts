// ClusterDomainClaim networking.internal.knative.dev/v1alpha1. Source: knative/networking
// pkg/apis/networking/v1alpha1/domainclaim_types.go.
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { object, string } from '../../../model/kubernetes/schema.ts'

export const clusterDomainClaimKind = 'ClusterDomainClaim.networking.internal.knative.dev'

export interface ClusterDomainClaim extends Resource {
  spec: { namespace?: string }
}

export const clusterDomainClaimSchema = {
  spec: object(
    'Who may use the domain.',
    { namespace: string('Namespace whose DomainMappings may use the domain that the claim is named after.') },
    { required: ['namespace'] },
  ),
}
