// Rules of a Pod's spec. Source: kubernetes/kubernetes pkg/apis/core/validation ValidatePodSpec.
import { at, atIndex, fieldError, invalidValue, missingField } from '../field-error.ts'
import type { FieldError } from '../field-error.ts'
import type { Container, ContainerPort } from './container-schema.ts'
import type { PodSpec } from './pod-spec-schema.ts'
import type { Probe } from './probe-schema.ts'
import type { Volume } from './volume-schema.ts'

/** Complaints with paths below the spec. */
export function podSpecErrors(spec: PodSpec): FieldError[] {
  const { containers = [], initContainers = [], volumes = [] } = spec
  const names = new Set(volumes.map(({ name = '' }) => name))
  const known = [...initContainers, ...containers]
  return [
    ...(containers.length === 0 ? [missingField('containers')] : []),
    ...containerListErrors('initContainers', initContainers, { names, known }),
    ...containerListErrors('containers', containers, { names, known }),
    ...at(
      'volumes',
      volumes.flatMap((volume, index) => atIndex(index, volumeErrors(volume, volumes.slice(0, index)))),
    ),
    ...((spec.terminationGracePeriodSeconds ?? 0) < 0
      ? [notBelow(spec.terminationGracePeriodSeconds!, 0, 'terminationGracePeriodSeconds')]
      : []),
    ...((spec.activeDeadlineSeconds ?? 1) < 1
      ? [notBelow(spec.activeDeadlineSeconds!, 1, 'activeDeadlineSeconds')]
      : []),
  ]
}

interface Neighbours {
  /** Of volumes. */
  names: ReadonlySet<string>
  known: readonly Container[]
}

function containerListErrors(field: string, containers: Container[], neighbours: Neighbours): FieldError[] {
  const errors = containers.flatMap((container, index) => atIndex(index, containerErrors(container, neighbours)))
  return at(field, errors)
}

function containerErrors(container: Container, { names, known }: Neighbours): FieldError[] {
  const { name = '', image = '', ports = [], env = [], volumeMounts = [] } = container
  const errors: FieldError[] = []
  if (name === '') errors.push(missingField('name'))
  else if (!isLabel(name)) errors.push(invalidValue(name, 'name', labelRule))
  else if (known.find((other) => other.name === name) !== container) errors.push(duplicate(name, 'name'))
  if (image.trim() === '') errors.push(missingField('image'))
  const portErrors = ports.flatMap((port, index) => atIndex(index, portProblems(port, ports.slice(0, index))))
  errors.push(...at('ports', portErrors))
  for (const [index, variable] of env.entries()) {
    if ((variable.name ?? '') === '') errors.push(missingField(`env[${index}].name`))
    else if (variable.name!.includes('=')) errors.push(invalidValue(variable.name, `env[${index}].name`, 'has a ='))
    if (variable.valueFrom !== undefined && (variable.value ?? '') !== '') {
      const rule = 'may not be specified when `value` is not empty'
      errors.push(invalidValue('', `env[${index}].valueFrom`, rule))
    }
  }
  for (const [index, mount] of volumeMounts.entries()) {
    const path = `volumeMounts[${index}]`
    if ((mount.name ?? '') === '') errors.push(missingField(`${path}.name`))
    else if (!names.has(mount.name!)) errors.push(fieldError(`Not found: "${mount.name}"`, [`${path}.name`]))
    if ((mount.mountPath ?? '') === '') errors.push(missingField(`${path}.mountPath`))
    else if (volumeMounts.slice(0, index).some((other) => other.mountPath === mount.mountPath)) {
      errors.push(invalidValue(mount.mountPath, `${path}.mountPath`, 'must be unique'))
    }
    if (/^\/|(^|\/)\.\.(\/|$)/.test(mount.subPath ?? '')) {
      errors.push(invalidValue(mount.subPath, `${path}.subPath`, "must be a relative path and not contain '..'"))
    }
  }
  for (const field of ['readinessProbe', 'livenessProbe', 'startupProbe'] as const) {
    const probe = container[field]
    if (probe !== undefined) errors.push(...at(field, probeErrors(probe, field)))
  }
  return errors
}

function portProblems({ name = '', containerPort, protocol }: ContainerPort, before: ContainerPort[]): FieldError[] {
  const errors: FieldError[] = []
  if (containerPort === undefined || containerPort === 0) errors.push(missingField('containerPort'))
  else if (!isPort(containerPort)) errors.push(invalidNumber(containerPort, 'containerPort', portRule))
  if (name !== '' && !isPortName(name)) errors.push(invalidValue(name, 'name', 'must be a port name'))
  else if (name !== '' && before.some((other) => other.name === name && other.protocol === protocol)) {
    errors.push(duplicate(name, 'name'))
  }
  return errors
}

function probeErrors(probe: Probe, field: string): FieldError[] {
  const handlers = [probe.httpGet, probe.tcpSocket, probe.exec, probe.grpc].filter((each) => each !== undefined)
  const errors: FieldError[] = []
  if (handlers.length === 0) errors.push({ ...missingField(''), details: 'must specify a handler type' })
  if (handlers.length > 1) {
    errors.push(fieldError('Forbidden: may not specify more than 1 handler type', ['']))
  }
  for (const name of ['initialDelaySeconds', 'periodSeconds', 'timeoutSeconds', 'failureThreshold'] as const) {
    if ((probe[name] ?? 0) < 0) errors.push(notBelow(probe[name]!, 0, name))
  }
  if (field !== 'readinessProbe' && (probe.successThreshold ?? 1) !== 1) {
    errors.push(invalidNumber(probe.successThreshold!, 'successThreshold', 'must be 1'))
  }
  return errors
}

function volumeErrors(volume: Volume, before: Volume[]): FieldError[] {
  const { name = '', ...types } = volume
  const errors: FieldError[] = []
  if (name === '') errors.push(missingField('name'))
  else if (!isLabel(name)) errors.push(invalidValue(name, 'name', labelRule))
  else if (before.some((other) => other.name === name)) errors.push(duplicate(name, 'name'))
  if (Object.keys(types).length > 1) {
    errors.push(fieldError('Forbidden: may not specify more than 1 volume type', [Object.keys(types)[1]!]))
  }
  const sources = volume.projected?.sources ?? []
  const items = [volume, ...sources].flatMap(({ configMap, secret, downwardAPI }) =>
    [configMap?.items, secret?.items, downwardAPI?.items].flatMap((each) => each ?? []),
  )
  const tokens = sources.flatMap(({ serviceAccountToken }) => serviceAccountToken ?? [])
  for (const { path = '' } of [...items, ...tokens]) {
    if (/^\/|^\.\.|(^|\/)\.\.(\/|$)/.test(path)) {
      errors.push(invalidValue(path, 'items.path', "must be a relative path and not contain '..'"))
    }
  }
  return errors
}

const labelRule = 'must be a lower case DNS label of at most 63 characters'
const portRule = 'must be between 1 and 65535, inclusive'
const isLabel = (name: string): boolean => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)
const isPort = (port: number): boolean => port >= 1 && port <= 65_535
const isPortName = (name: string): boolean =>
  /^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/.test(name) && /[a-z]/.test(name) && !name.includes('--')
const duplicate = (value: string, path: string): FieldError =>
  fieldError(`Duplicate value: ${JSON.stringify(value)}`, [path])
/** Kubernetes shows numbers without quotes. */
const invalidNumber = (value: number, path: string, rule: string): FieldError =>
  fieldError(`Invalid value: ${value}: ${rule}`, [path])
const notBelow = (value: number, min: number, path: string): FieldError =>
  invalidNumber(value, path, `must be greater than or equal to ${min}`)
