// Security options of a Revision's containers: what they may say, what they get, and what is better said.
// Source: knative/serving pkg/apis/serving/k8s_validation.go, fieldmask.go, pkg/apis/serving/v1/revision_defaults.go.
import { isDeepStrictEqual } from 'node:util'
import { at, atIndex, disallowedField, fieldError, invalidValue, outOfBounds } from '../kubernetes/field-error.ts'
import type { FieldError } from '../kubernetes/field-error.ts'
import type { Container } from './container-schema.ts'
import type { RevisionSpec } from './revision-template.ts'
import { featureFlag } from './serving-config.ts'
import type { ConfigData } from './serving-config.ts'

interface SecurityContext {
  runAsNonRoot?: boolean
  allowPrivilegeEscalation?: boolean
  seccompProfile?: { type?: string }
  capabilities?: { add?: string[]; drop?: string[] }
  [other: string]: unknown
}

/** Value of the flag `secure-pod-defaults`, which knows a word of its own. */
type SecureDefaults = 'enabled' | 'allowrootbounded' | 'disabled'

function secureDefaults(features: ConfigData): SecureDefaults {
  const value = features['secure-pod-defaults']?.trim().toLowerCase()
  return value === 'enabled' || value === 'allowrootbounded' ? value : 'disabled'
}

const securityOf = (of: Container | RevisionSpec): SecurityContext => (of.securityContext ?? {}) as SecurityContext

const idMax = 2_147_483_647
/** Allows to listen on a port below 1024. */
const bindCapability = 'NET_BIND_SERVICE'
const unprivilegedPortMin = 1_024

/** Fills in the options of the `restricted` profile, where the flag says so and the user says nothing. */
export function setSecurityDefaults(container: Container, spec: RevisionSpec, features: ConfigData): void {
  const mode = secureDefaults(features)
  if (mode === 'disabled') return
  const pod = securityOf(spec)
  const security: SecurityContext = { ...securityOf(container) }
  security.allowPrivilegeEscalation ??= false
  if ((pod.seccompProfile?.type ?? '') === '' && (security.seccompProfile?.type ?? '') === '') {
    security.seccompProfile = { ...security.seccompProfile, type: 'RuntimeDefault' }
  }
  if (security.capabilities === undefined) {
    const needsLowPort = (container.ports ?? []).some(({ containerPort = 0 }) => containerPort < unprivilegedPortMin)
    security.capabilities = { drop: ['ALL'], ...(needsLowPort ? { add: [bindCapability] } : {}) }
  }
  if (mode === 'enabled' && pod.runAsNonRoot === undefined) security.runAsNonRoot ??= true
  container.securityContext = security
}

const containerFields = new Set([
  'capabilities',
  'readOnlyRootFilesystem',
  'runAsUser',
  'runAsGroup',
  'runAsNonRoot',
  'allowPrivilegeEscalation',
  'seccompProfile',
])

/** Paths begin below the container's `securityContext`. */
export function validateContainerSecurity(container: Container, features: ConfigData): FieldError[] {
  const security = securityOf(container)
  const refused = Object.keys(security).filter(
    (field) => !containerFields.has(field) && !(field === 'privileged' && security[field] === false),
  )
  const { add } = security.capabilities ?? {}
  const mayAdd =
    featureFlag(features, 'kubernetes.containerspec-addcapabilities') === 'enabled' ||
    (secureDefaults(features) !== 'disabled' && isDeepStrictEqual(add, [bindCapability]))
  return [
    ...(refused.length === 0 ? [] : [disallowedField(...refused)]),
    ...(add === undefined || mayAdd ? [] : [disallowedField('capabilities.add')]),
    ...validateIds(security, ['runAsUser', 'runAsGroup']),
  ]
}

const podFields = new Set([
  'runAsUser',
  'runAsGroup',
  'runAsNonRoot',
  'fsGroup',
  'supplementalGroups',
  'seccompProfile',
])

/** Whether a Revision may have a `securityContext` at all. */
export const mayHavePodSecurity = (features: ConfigData): boolean =>
  featureFlag(features, 'kubernetes.podspec-securitycontext') !== 'disabled' || secureDefaults(features) !== 'disabled'

/** Paths begin below the Revision's `securityContext`. */
export function validatePodSecurity(spec: RevisionSpec, features: ConfigData): FieldError[] {
  const security = securityOf(spec)
  const isOpen = featureFlag(features, 'kubernetes.podspec-securitycontext') !== 'disabled'
  // With secure defaults one may opt out of this one.
  const mayOptOut =
    secureDefaults(features) !== 'disabled' &&
    isDeepStrictEqual(Object.keys(security.seccompProfile ?? {}), ['type']) &&
    ['RuntimeDefault', 'Unconfined'].includes(security.seccompProfile?.type ?? '')
  const isAllowed = (field: string): boolean =>
    (isOpen && podFields.has(field)) || (field === 'seccompProfile' && mayOptOut)
  const refused = Object.keys(security).filter((field) => !isAllowed(field))
  const groups = Array.isArray(security['supplementalGroups']) ? (security['supplementalGroups'] as number[]) : []
  return [
    ...(refused.length === 0 ? [] : [disallowedField(...refused)]),
    ...validateIds(security, ['runAsUser', 'runAsGroup', 'fsGroup']),
    ...at(
      'supplementalGroups',
      groups.flatMap((id, index) => atIndex(index, isId(id) ? [] : [outOfBounds(id, 0, idMax, '')])),
    ),
  ]
}

const isId = (id: number): boolean => id >= 0 && id <= idMax

const validateIds = (security: SecurityContext, fields: readonly string[]): FieldError[] =>
  fields.flatMap((field) => {
    const id = security[field]
    return typeof id === 'number' && !isId(id) ? [outOfBounds(id, 0, idMax, field)] : []
  })

/** Warnings, which refuse nothing. Paths begin below the spec. */
export function insecureDefaults(spec: RevisionSpec, features: ConfigData): FieldError[] {
  if (secureDefaults(features) !== 'disabled') return []
  const { containers = [], initContainers = [] } = spec
  const of = (field: string, list: readonly Container[]): FieldError[] =>
    at(
      field,
      list.flatMap((container, index) =>
        atIndex(index, at('securityContext', warningsOf(securityOf(container), securityOf(spec)))),
      ),
    )
  const warnings = [...of('containers', containers), ...of('initContainers', initContainers)]
  // All paths of one message stand on one line.
  const messages = Map.groupBy(warnings, ({ message }) => message)
  return [...messages.values()].map((same) => ({
    ...same[0]!,
    paths: same.flatMap(({ paths }) => paths),
    level: 'warning',
  }))
}

function warningsOf(own: SecurityContext, pod: SecurityContext): FieldError[] {
  const text = 'Kubernetes default value is insecure, Knative may default this to secure in a future release'
  const warn = (path: string): FieldError => fieldError(text, [path])
  const { capabilities, seccompProfile } = own
  const hasType = ((seccompProfile?.type ?? '') || (pod.seccompProfile?.type ?? '')) !== ''
  const hasProfile = (seccompProfile ?? pod.seccompProfile) !== undefined
  return [
    ...((pod.runAsNonRoot ?? own.runAsNonRoot) === undefined ? [warn('runAsNonRoot')] : []),
    ...(own.allowPrivilegeEscalation === undefined ? [warn('allowPrivilegeEscalation')] : []),
    ...(hasType ? [] : [warn(hasProfile ? 'seccompProfile.type' : 'seccompProfile')]),
    ...(capabilities === undefined ? [warn('capabilities')] : []),
    ...(capabilities !== undefined && capabilities.drop === undefined ? [warn('capabilities.drop')] : []),
    ...(capabilities?.drop?.[0] === 'all'
      ? [invalidValue('all', 'capabilities.drop', "Must be spelled as 'ALL'")]
      : []),
  ]
}
