// What a container of a Revision may say. Source: knative/serving pkg/apis/serving/k8s_validation.go, fieldmask.go.
import { at, atIndex, disallowedField, fieldError, invalidValue, missingField } from '../kubernetes/field-error.ts'
import { missingOneOf, multipleOneOf, outOfBounds } from '../kubernetes/field-error.ts'
import type { FieldError } from '../kubernetes/field-error.ts'
import { parseQuantity, quantityRule } from '../kubernetes/quantity.ts'
import type { Container, ContainerPort, EnvFromSource, EnvVar } from './container-schema.ts'
import type { Volume } from './revision-template.ts'
import { isImageReference } from './image-reference.ts'
import { validateContainerSecurity } from './security.ts'
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
    ...at('resources', validateResources(container.resources ?? {})),
    ...at('securityContext', validateContainerSecurity(container, config.features)),
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

function validateResources({ claims, ...bounds }: NonNullable<Container['resources']>): FieldError[] {
  const quantities = (['limits', 'requests'] as const).flatMap((bound) =>
    Object.entries(bounds[bound] ?? {})
      .filter(([, quantity]) => parseQuantity(quantity) === undefined)
      .map(([name, quantity]) => invalidValue(quantity, `${bound}[${name}]`, quantityRule)),
  )
  return [...(isSet(claims) ? [disallowedField('claims')] : []), ...quantities]
}

const validateTerminationPolicy = (policy: string): FieldError[] =>
  ['', 'File', 'FallbackToLogsOnError'].includes(policy) ? [] : [invalidValue(policy, 'terminationMessagePolicy')]

/** Go cannot tell an empty value from an absent one. */
const isSet = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== false && !(Array.isArray(value) && value.length === 0)
