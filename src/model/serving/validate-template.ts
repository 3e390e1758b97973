// What a Revision's template may say. Source: knative/serving pkg/apis/serving/v1/revision_validation.go, k8s_validation.go.
import { isDeepStrictEqual } from 'node:util'
import { unknownOwnAnnotations } from '../knative/own-annotations.ts'
import { at, atIndex, disallowedField, fieldError, invalidKeyName, invalidValue } from '../kubernetes/field-error.ts'
import { missingField, outOfBounds } from '../kubernetes/field-error.ts'
import type { FieldError } from '../kubernetes/field-error.ts'
import { parseGoDuration } from '../kubernetes/go-duration.ts'
import { immutableField } from '../kubernetes/immutable.ts'
import { annotationKeys, findAnnotation } from './annotation-keys.ts'
import type { AnnotationKey, Annotations } from './annotation-keys.ts'
import type { Container } from './container-schema.ts'
import { dnsLabelObjection, dnsLabelPrefixObjection } from './dns-label.ts'
import { ownPodAnnotations } from '../kubernetes/pod/pod.ts'
import { gatedPodFields } from './revision-template.ts'
import type { RevisionSpec, RevisionTemplate } from './revision-template.ts'
import { featureFlag, revisionDefaults } from './serving-config.ts'
import type { ServingConfig } from './serving-config.ts'
import { validateAutoscaling } from './validate-autoscaling.ts'
import { mayHavePodSecurity, validatePodSecurity } from './security.ts'
import { validateContainer } from './validate-container.ts'
import type { ContainerRole } from './validate-container.ts'
import { validateQueueSidecar } from './validate-queue-sidecar.ts'
import { validateVolumes } from './validate-volumes.ts'

/** Name of the Service or Configuration the template belongs to. */
export interface TemplateParent {
  name: string
  generateName?: string
}

/** Paths begin below the template. */
export function validateTemplate(
  template: RevisionTemplate,
  parent: TemplateParent,
  config: ServingConfig,
): FieldError[] {
  const { annotations } = template.metadata ?? {}
  return [
    ...at('spec', validateRevisionSpec(template.spec ?? {}, config)),
    ...at('metadata.annotations', [
      ...validateAutoscaling(annotations, config.autoscaler),
      ...validateNetworking(annotations),
      ...wholeSeconds(annotations, annotationKeys.progressDeadline, 'progress-deadline'),
      ...validateQueueSidecar(annotations),
    ]),
    ...unknownOwnAnnotations(annotations, ownPodAnnotations),
    ...validateName(template.metadata ?? {}, parent),
  ]
}

/** A template that kept the name its user gave it must not change otherwise. Paths begin below the template. */
export function validateNameChange(template: RevisionTemplate, before: RevisionTemplate): FieldError[] {
  const name = template.metadata?.name ?? ''
  if (name === '' || name !== before.metadata?.name || isDeepStrictEqual(template, before)) return []
  const [change] = immutableField('v1.RevisionTemplateSpec', before, template, 'metadata.name')
  return [{ ...change!, message: 'Saw the following changes without a name change (-old +new)' }]
}

/** An annotation that must be a Go duration of whole seconds, not negative. */
export function wholeSeconds(annotations: Annotations, key: AnnotationKey, shortName: string): FieldError[] {
  const found = findAnnotation(annotations, key)
  if (found === undefined || found.value === '') return []
  const { name, value } = found
  const ms = parseGoDuration(value)
  if (ms === undefined) return [invalidValue(value, name)]
  if (ms % 1_000 !== 0) return [fieldError(`${shortName}=${value} is not at second precision`, [name])]
  return ms < 0 ? [fieldError(`${shortName}=${value} must be positive`, [name])] : []
}

const refusedPodFields = [
  'restartPolicy',
  'terminationGracePeriodSeconds',
  'activeDeadlineSeconds',
  'nodeName',
  'hostname',
  'subdomain',
  'priority',
  'readinessGates',
] as const

/** Paths begin below the spec. */
export function validateRevisionSpec(spec: RevisionSpec, config: ServingConfig): FieldError[] {
  const { containers = [], initContainers = [], volumes = [], timeoutSeconds = 0, containerConcurrency } = spec
  const { timeoutSecondsMax, containerConcurrencyMin, containerConcurrencyMax } = revisionDefaults(config.defaults)
  const refused = refusedFields(spec, config)
  const errors = [
    ...(refused.length === 0 ? [] : [disallowedField(...refused)]),
    ...at('securityContext', validatePodSecurity(spec, config.features)),
    ...at('volumes', validateVolumes(volumes, [...initContainers, ...containers], config)),
    ...validateContainers(spec, config),
  ]
  if (timeoutSeconds < 0 || timeoutSeconds > timeoutSecondsMax) {
    errors.push(outOfBounds(timeoutSeconds, 0, timeoutSecondsMax, 'timeoutSeconds'))
  }
  const tooFew = containerConcurrency !== undefined && containerConcurrency < containerConcurrencyMin
  if (tooFew || (containerConcurrency ?? 0) > containerConcurrencyMax) {
    const bounds = [containerConcurrencyMin, containerConcurrencyMax] as const
    errors.push(outOfBounds(containerConcurrency, ...bounds, 'containerConcurrency'))
  }
  const { serviceAccountName = '' } = spec
  if (serviceAccountName !== '' && !subdomain.test(serviceAccountName)) {
    errors.push(invalidValue(serviceAccountName, 'serviceAccountName', subdomainRule))
  }
  return errors
}

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and " +
  "end with an alphanumeric character (e.g. 'example.com', regex used for validation is " +
  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

function refusedFields(spec: RevisionSpec, config: ServingConfig): string[] {
  const gated = (Object.keys(gatedPodFields) as (keyof typeof gatedPodFields)[]).filter(
    // Init containers have a message of their own.
    (field) => field !== 'initContainers' && isSet(spec[field]) && isClosed(field, config),
  )
  return [
    ...refusedPodFields.filter((field) => isSet(spec[field])),
    ...(spec.automountServiceAccountToken === true ? ['automountServiceAccountToken'] : []),
    ...gated,
  ]
}

const isClosed = (field: keyof typeof gatedPodFields, { features }: ServingConfig): boolean =>
  field === 'securityContext'
    ? !mayHavePodSecurity(features)
    : featureFlag(features, gatedPodFields[field]) === 'disabled'

function validateContainers(spec: RevisionSpec, config: ServingConfig): FieldError[] {
  const { containers = [], initContainers = [], volumes = [] } = spec
  const ports = containers.flatMap(({ ports = [] }) => ports)
  const validate = (container: Container, role: ContainerRole): FieldError[] =>
    validateContainer(container, { role, volumes, portName: ports.at(-1)?.name || 'http', config })
  const errors = [...validateInitContainers(spec, config, (container) => validate(container, 'init'))]
  if (ports.length === 0 && containers.length > 1) errors.push(missingField('containers[*].ports'))
  if (ports.length > 1) {
    const details = 'Only a single port is allowed across all containers'
    errors.push(fieldError('more than one container port is set', ['containers[*].ports'], details))
  }
  if (containers.length === 0) return [...errors, missingField('containers')]
  if (containers.length > 1 && featureFlag(config.features, 'multi-container') !== 'enabled') {
    return [...errors, fieldError(`multi-container is off, but found ${containers.length} containers`, [''])]
  }
  const seen = new Set(initContainers.map(({ name }) => name))
  const each = containers.flatMap((container, index) => {
    const role = containers.length === 1 || (container.ports ?? []).length > 0 ? 'user' : 'sidecar'
    const again = seen.has(container.name) ? [duplicate(container)] : []
    seen.add(container.name)
    return atIndex(index, [...again, ...validate(container, role)])
  })
  return [...errors, ...at('containers', each)]
}

function validateInitContainers(
  { initContainers = [] }: RevisionSpec,
  config: ServingConfig,
  validate: (container: Container) => FieldError[],
): FieldError[] {
  if (initContainers.length === 0) return []
  if (featureFlag(config.features, gatedPodFields.initContainers) !== 'enabled') {
    const text = `pod spec support for init-containers is off, but found ${initContainers.length} init containers`
    return [fieldError(text, [''])]
  }
  return at(
    'initContainers',
    initContainers.flatMap((container, index) => atIndex(index, validate(container))),
  )
}

const duplicate = ({ name = '' }: Container): FieldError => fieldError(`duplicate container name "${name}"`, ['name'])

function validateName(
  { name = '', generateName = '' }: NonNullable<RevisionTemplate['metadata']>,
  parent: TemplateParent,
): FieldError[] {
  const prefixObjection = generateName === '' ? undefined : dnsLabelPrefixObjection(generateName)
  if (prefixObjection !== undefined) {
    return [invalidValue(`not a DNS 1035 label prefix: ${prefixObjection}`, 'metadata.generateName')]
  }
  if (name === '') return []
  const objection = dnsLabelObjection(name)
  if (objection !== undefined) return [invalidValue(`not a DNS 1035 label: ${objection}`, 'metadata.name')]
  if (parent.name === '' && (parent.generateName ?? '') !== '') return [disallowedField('metadata.name')]
  const prefix = `${parent.name}-`
  return name.startsWith(prefix) ? [] : [invalidValue(`"${name}" must have prefix "${prefix}"`, 'metadata.name')]
}

/** Annotations of networking that a template may carry. Source: knative/networking pkg/apis/networking/register.go. */
const networkingAnnotations = new Set([
  'networking.knative.dev/ingress.class',
  'networking.knative.dev/ingress-class',
  'networking.knative.dev/certificate.class',
  'networking.knative.dev/certificate-class',
  'networking.knative.dev/disableAutoTLS',
  'networking.knative.dev/disable-auto-tls',
  'networking.knative.dev/disable-external-domain-tls',
  'networking.knative.dev/httpOption',
  'networking.knative.dev/http-protocol',
])

const validateNetworking = (annotations: Annotations): FieldError[] =>
  Object.keys(annotations ?? {})
    .filter((key) => key.startsWith('networking.knative.dev') && !networkingAnnotations.has(key))
    .map((key) => invalidKeyName(key, ''))

/** Go cannot tell an empty value from an absent one. */
const isSet = (value: unknown): boolean =>
  value !== undefined &&
  value !== null &&
  value !== '' &&
  value !== false &&
  !(Array.isArray(value) && value.length === 0)
