// Questions about the caller that store nothing: who am I, may I, is this token good. One token may do everything.
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { apiVersionOf } from '../../../model/kubernetes/resource.ts'
import type { UserInfo } from '../../kind.ts'
import type { Guard } from './guard.ts'

export interface ReviewResource {
  group: string
  version: string
  plural: string
  kind: string
  namespaced: boolean
}

const authorization = { group: 'authorization.k8s.io', version: 'v1' }
const authentication = { group: 'authentication.k8s.io', version: 'v1' }

/** The virtual kinds, each of which only takes POST. */
export const reviewResources: readonly ReviewResource[] = [
  { ...authentication, plural: 'selfsubjectreviews', kind: 'SelfSubjectReview', namespaced: false },
  { ...authentication, plural: 'tokenreviews', kind: 'TokenReview', namespaced: false },
  { ...authorization, plural: 'localsubjectaccessreviews', kind: 'LocalSubjectAccessReview', namespaced: true },
  { ...authorization, plural: 'selfsubjectaccessreviews', kind: 'SelfSubjectAccessReview', namespaced: false },
  { ...authorization, plural: 'selfsubjectrulesreviews', kind: 'SelfSubjectRulesReview', namespaced: false },
  { ...authorization, plural: 'subjectaccessreviews', kind: 'SubjectAccessReview', namespaced: false },
]

/** Answers a review: the posted object with its status. */
export function answerReview(review: ReviewResource, body: unknown, user: UserInfo, guard: Guard): Resource {
  const given = (typeof body === 'object' && body !== null ? body : {}) as { metadata?: object; spec?: object }
  return {
    apiVersion: apiVersionOf(review.group, review.version),
    kind: review.kind,
    metadata: { ...given.metadata, creationTimestamp: null } as Resource['metadata'],
    ...(given.spec !== undefined && { spec: given.spec }),
    status: statusOf(review.kind, given.spec ?? {}, user, guard),
  }
}

function statusOf(kind: string, spec: { token?: unknown }, user: UserInfo, guard: Guard): object {
  switch (kind) {
    case 'SelfSubjectReview':
      return { userInfo: user }
    case 'TokenReview':
      return typeof spec.token === 'string' && guard.isToken(spec.token)
        ? { authenticated: true, user: guard.owner }
        : { authenticated: false, user: {}, error: 'the token is not known here' }
    case 'SelfSubjectRulesReview':
      return {
        resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
        nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        incomplete: false,
      }
    default:
      return { allowed: true, reason: 'the bearer of the token may do everything' }
  }
}
