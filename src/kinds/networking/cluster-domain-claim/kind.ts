// ClusterDomainClaim: gives the domain it is named after to the DomainMappings of one namespace.
import { defineKind } from '../../../engine/kind.ts'
import { clusterDomainClaimSchema } from './schema.ts'
import type { ClusterDomainClaim } from './schema.ts'

export const clusterDomainClaim = defineKind<ClusterDomainClaim>({
  group: 'networking.internal.knative.dev',
  kind: 'ClusterDomainClaim',
  description: 'Gives the domain it is named after to the DomainMappings of one namespace.',
  plural: 'clusterdomainclaims',
  shortNames: ['cdc'],
  categories: ['knative-internal', 'networking'],
  scope: 'Cluster',
  versions: [{ name: 'v1alpha1', schema: clusterDomainClaimSchema, columns: [] }],
  ownAnnotations: [],
})
