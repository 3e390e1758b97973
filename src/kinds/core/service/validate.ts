// Rules of a Service. Source: kubernetes/kubernetes pkg/apis/core/validation ValidateService.
import { isIP } from 'node:net'
import { controllerUser } from '../../../engine/api-server/resource-client.ts'
import type { AdmissionContext } from '../../../engine/kind.ts'
import { at, atIndex, fieldError, invalidValue, missingField } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import type { Service, ServicePort, ServiceSpec } from './schema.ts'

export const headless = 'None'

export function validateService({ spec }: Service, { old, user }: AdmissionContext<Service>): FieldError[] {
  const errors = [...portsErrors(spec), ...addressErrors(spec)]
  // Only the repair of addresses that were given twice moves a Service; see reconcile.ts.
  if (old !== undefined && user.username !== controllerUser.username) errors.push(...moveErrors(spec, old.spec))
  if (spec.type === 'ExternalName' && (spec.externalName ?? '') === '') errors.push(missingField('externalName'))
  else if (spec.type === 'ExternalName' && !isDnsName(spec.externalName!)) {
    errors.push(invalidValue(spec.externalName, 'externalName', 'must be a DNS name'))
  }
  return at('spec', errors)
}

function portsErrors({ ports = [], type, clusterIP }: ServiceSpec): FieldError[] {
  if (ports.length === 0 && type !== 'ExternalName' && clusterIP !== headless) return [missingField('ports')]
  const errors = ports.flatMap((port, index) => atIndex(index, portErrors(port, ports.length > 1)))
  for (const [index, port] of ports.entries()) {
    const before = ports.slice(0, index)
    if (port.name !== undefined && before.some(({ name }) => name === port.name)) {
      errors.push(fieldError(`Duplicate value: ${JSON.stringify(port.name)}`, [`[${index}].name`]))
    }
    if (before.some((other) => other.port === port.port && other.protocol === port.protocol)) {
      const { protocol, port: number } = port
      errors.push(fieldError(`Duplicate value: ${JSON.stringify({ protocol, port: number })}`, [`[${index}]`]))
    }
  }
  return at('ports', errors)
}

function portErrors({ name = '', port, targetPort }: ServicePort, hasSiblings: boolean): FieldError[] {
  const errors: FieldError[] = []
  if (name === '' && hasSiblings) errors.push(missingField('name'))
  if (name !== '' && !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) {
    errors.push(invalidValue(name, 'name', 'must be a lower case DNS label of at most 63 characters'))
  }
  const range = 'must be between 1 and 65535, inclusive'
  if (!isPort(port)) errors.push(badNumber(port ?? 0, 'port', range))
  if (typeof targetPort === 'number' && !isPort(targetPort)) errors.push(badNumber(targetPort, 'targetPort', range))
  if (typeof targetPort === 'string' && !isPortName(targetPort)) {
    const rule = 'must be a port name: at most 15 lower case letters, digits and single dashes, with a letter'
    errors.push(invalidValue(targetPort, 'targetPort', rule))
  }
  return errors
}

function addressErrors({ type, clusterIP, clusterIPs = [] }: ServiceSpec): FieldError[] {
  if (type === 'ExternalName') {
    return clusterIP === undefined
      ? []
      : [invalidValue(clusterIP, 'clusterIPs', 'may not be set for ExternalName services')]
  }
  const errors: FieldError[] = []
  if (clusterIP !== undefined && clusterIPs[0] !== clusterIP) {
    errors.push(invalidValue(clusterIPs.join(','), 'clusterIPs', 'first value must match `clusterIP`'))
  }
  for (const [index, ip] of clusterIPs.entries()) {
    if (ip === headless && clusterIPs.length === 1) continue
    if (isIP(ip) === 0) errors.push(invalidValue(ip, `clusterIPs[${index}]`, 'must be a valid IP address'))
  }
  if (clusterIP === headless && type !== 'ClusterIP') {
    errors.push(invalidValue(headless, 'clusterIPs[0]', `may not be set to 'None' for ${type} services`))
  }
  return errors
}

function moveErrors(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  const hasAddress = [spec, old].every(({ type }) => type !== 'ExternalName')
  if (!hasAddress || spec.clusterIP === old.clusterIP) return []
  return [invalidValue(spec.clusterIP, 'clusterIPs[0]', 'may not change once set')]
}

/** Kubernetes shows numbers without quotes. */
const badNumber = (value: number, path: string, rule: string): FieldError =>
  fieldError(`Invalid value: ${value}: ${rule}`, [path])
const isPort = (port: number | undefined): boolean => port !== undefined && port >= 1 && port <= 65_535
const isPortName = (name: string): boolean =>
  /^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/.test(name) && /[a-z]/.test(name) && !name.includes('--')
const isDnsName = (name: string): boolean =>
  name.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\.?$/i.test(name)
