// ServiceAccount v1. Source: kubernetes/api core/v1/types.go.
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { boolean, list, object, string } from '../../../model/kubernetes/schema.ts'

export interface ServiceAccount extends Resource {
  secrets?: { name?: string }[]
  imagePullSecrets?: { name?: string }[]
  automountServiceAccountToken?: boolean
}

const byName = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] } as const

export const serviceAccountSchema = {
  secrets: list(
    'Secrets that workloads of this account may use.',
    object('A reference.', {
      apiVersion: string('API version of the referent.'),
      kind: string('Kind of the referent.'),
      namespace: string('Namespace of the referent.'),
      name: string('Name of the referent.'),
      uid: string('UID of the referent.'),
      resourceVersion: string('State of the referent.'),
      fieldPath: string('Part of the referent.'),
    }),
    byName,
  ),
  imagePullSecrets: list(
    'Secrets of image registries, for workloads of this account.',
    object('A reference.', { name: string('Name of the Secret.') }),
    { 'x-kubernetes-list-type': 'atomic' },
  ),
  automountServiceAccountToken: boolean('Whether workloads get a token of this account.'),
}
