// What a container of a Revision may say. Source: knative/serving pkg/apis/serving/k8s_validation.go, fieldmask.go.
import { at, atIndex, disallowedField, fieldError, invalidValue, missingField } from '../kubernetes/field-error.ts'
import { missingOneOf, multipleOneOf, outOfBounds } from '../kubernetes/field-error.ts'
import type { FieldError } from '../kubernetes/field-error.ts'
import type { Container, ContainerPort, EnvFromSource, EnvVar } from './container-schema.ts'
import type { Volume } from './revision-template.ts'
import { featureFlag } from './serving-config.ts'
import type { ServingConfig } from './serving-config.ts'
import { validateProbe, validateReadinessProbe } from './validate-probe.ts'
import { validateVolumeMounts } from './validate-volumes.ts'

/** `user` takes requests, `sidecar` runs beside it, `init` before both. */
export type ContainerRole = 'user' | 'sidecar' | 'init'

export interface ContainerSurroundings {
  role: ContainerRole
  volumes: readonly Volume[]
  /** The name of the port requests go to. */
  portName: string
  config: ServingConfig
}

const reservedVariables = new Set(['PORT', 'K_SERVICE', 'K_CONFIGURATION', 'K_REVISION'])
/** Ports of Knative's own parts of a Pod. */
const reservedPorts = new Set([8008, 8012, 8013, 8022, 9090, 9091])
const portNames = new Set(['', 'h2c', 'http1'])
const refusedFields = ['lifecycle', 'stdin', 'stdinOnce', 'tty', 'volumeDevices'] as const
const probeFields = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const
const idMax = 2_147_483_647

/** Paths begin below the container. */
export function validateContainer(container: Container, surroundings: ContainerSurroundings): FieldError[] {
  if (Object.keys(container).length === 0) return [missingField('')]
  const { role, volumes, config } = surroundings
  const refused = refusedFields.filter((field) => isSet(container[field]))
  return [
    ...validateProbes(container, surroundings),
    ...(refused.length === 0 ? [] : [disallowedField(...refused)]),
    ...(container.name === 'queue-proxy'
      ? [fieldError(`"${container.name}" is a reserved container name`, ['name'])]
      : []),
    ...at(
      'env',
      (container.env ?? []).flatMap((each, index) => atIndex(index, validateEnvVar(each, role, config))),
    ),
    ...validateEnvFrom(container.envFrom ?? []),
    ...validateImage(container.image ?? ''),
    ...at('ports', validatePorts(container.ports ?? [], role)),
    ...at('resources', isSet(container.resources?.claims) ? [disallowedField('claims')] : []),
    ...at(
      'securityContext',
      validateSecurityContext(container.securityContext as Record<string, unknown> | undefined, config),
    ),
    ...validateTerminationPolicy(container.terminationMessagePolicy ?? ''),
    ...at('volumeMounts', validateVolumeMounts(container.volumeMounts ?? [], volumes, config)),
  ]
}

function validateProbes(container: Container, { role, portName, config }: ContainerSurroundings): FieldError[] {
  const present = probeFields.filter((field) => container[field] !== undefined)
  if (role === 'init') return present.map((field) => fieldError('field not allowed in an init container', [field]))
  if (role === 'sidecar' && featureFlag(config.features, 'multi-container-probing') !== 'enabled') {
    return present.map((field) => disallowedField(...Object.keys(container[field]!).map((name) => `${field}.${name}`)))
  }
  const named = role === 'user' ? portName : undefined
  return present.flatMap((field) => {
    const validate = field === 'readinessProbe' ? validateReadinessProbe : validateProbe
    return at(field, validate(container[field]!, named))
  })
}

function validateEnvVar({ name = '', valueFrom }: EnvVar, role: ContainerRole, config: ServingConfig): FieldError[] {
  const isReserved = reservedVariables.has(name) && !(role !== 'user' && name === 'PORT')
  const hidden = featureFlag(config.features, 'kubernetes.podspec-fieldref') === 'disabled'
  const gated = (['fieldRef', 'resourceFieldRef'] as const).filter(
    (field) => hidden && valueFrom?.[field] !== undefined,
  )
  return [
    ...(name === '' ? [missingField('name')] : []),
    ...(isReserved ? [fieldError(`"${name}" is a reserved environment variable`, ['name'])] : []),
    ...(gated.length === 0 ? [] : at('valueFrom', [disallowedField(...gated)])),
  ]
}

/** As upstream, these paths name the two fields, not the entry. */
function validateEnvFrom(sources: readonly EnvFromSource[]): FieldError[] {
  return sources.flatMap(({ configMapRef, secretRef }) => {
    if (configMapRef !== undefined && secretRef !== undefined) {
      return at('envFrom', [multipleOneOf('configMapRef', 'secretRef')])
    }
    if (configMapRef !== undefined || secretRef !== undefined) return []
    return at('envFrom', [missingOneOf('configMapRef', 'secretRef')])
  })
}

function validateImage(image: string): FieldError[] {
  if (image === '') return [missingField('image')]
  if (isImageReference(image)) return []
  const details = `image: "${image}", error: could not parse reference: ${image}`
  return [fieldError('Failed to parse image reference', ['image'], details)]
}

/** Source: google/go-containerregistry pkg/name, weak validation. */
function isImageReference(image: string): boolean {
  const digest = /^(.*)@sha256:[0-9a-f]{64}$/s.exec(image)
  const tagged =
    digest === null ? /^(.*):([\w.-]{1,128})$/s.exec(image) : /^(.*?)(?::([\w.-]{1,128}))?$/s.exec(digest[1]!)
  const path = tagged !== null && !tagged[1]!.includes('//') && !(tagged[2] ?? '').includes('/') ? tagged[1]! : image
  const slash = path.indexOf('/')
  const first = path.slice(0, Math.max(slash, 0))
  const hasRegistry = slash > 0 && (/[.:]/.test(first) || first === 'localhost')
  if (hasRegistry && !/^[a-zA-Z0-9.-]+(?::\d+)?$/.test(first)) return false
  return /^[a-z0-9_./-]{2,255}$/.test(hasRegistry ? path.slice(slash + 1) : path)
}

function validatePorts([port]: readonly ContainerPort[], role: ContainerRole): FieldError[] {
  if (port === undefined) return []
  const { containerPort = 0, name = '', protocol = '', hostIP = '', hostPort = 0 } = port
  const refused = [...(hostIP === '' ? [] : ['hostIP']), ...(hostPort === 0 ? [] : ['hostPort'])]
  const errors = refused.length === 0 ? [] : [disallowedField(...refused)]
  if (reservedPorts.has(containerPort)) {
    const details = `${containerPort} is a reserved port, please use a different value`
    errors.push(invalidValue(`${containerPort} is a reserved port`, 'containerPort', details))
  }
  if (containerPort < 0 || containerPort > 65_535) errors.push(outOfBounds(containerPort, 0, 65_535, 'containerPort'))
  if (role === 'init') return errors
  if (protocol !== '' && protocol !== 'TCP') errors.push(invalidValue(protocol, 'protocol'))
  if (!portNames.has(name)) {
    const details = "Name must be empty, or one of: 'h2c', 'http1'"
    errors.push(fieldError(`Port name ${name} is not allowed`, [''], details))
  }
  return errors
}

const allowedSecurity = new Set([
  'capabilities',
  'readOnlyRootFilesystem',
  'runAsUser',
  'runAsGroup',
  'runAsNonRoot',
  'allowPrivilegeEscalation',
  'seccompProfile',
])

function validateSecurityContext(security: Record<string, unknown> = {}, config: ServingConfig): FieldError[] {
  const refused = Object.keys(security).filter(
    (field) => !allowedSecurity.has(field) && !(field === 'privileged' && security[field] === false),
  )
  const errors = refused.length === 0 ? [] : [disallowedField(...refused)]
  const { add } = (security['capabilities'] ?? {}) as { add?: unknown }
  if (add !== undefined && featureFlag(config.features, 'kubernetes.containerspec-addcapabilities') !== 'enabled') {
    errors.push(disallowedField('capabilities.add'))
  }
  for (const field of ['runAsUser', 'runAsGroup']) {
    const id = security[field]
    if (typeof id === 'number' && (id < 0 || id > idMax)) errors.push(outOfBounds(id, 0, idMax, field))
  }
  return errors
}

const validateTerminationPolicy = (policy: string): FieldError[] =>
  ['', 'File', 'FallbackToLogsOnError'].includes(policy) ? [] : [invalidValue(policy, 'terminationMessagePolicy')]

/** Go cannot tell an empty value from an absent one. */
const isSet = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== false && !(Array.isArray(value) && value.length === 0)
