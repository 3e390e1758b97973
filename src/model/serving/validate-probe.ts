// What a probe may say. Source: knative/serving pkg/apis/serving/k8s_validation.go, validateProbe.
import { fieldError, invalidValue, missingOneOf, multipleOneOf, outOfBounds } from '../kubernetes/field-error.ts'
import type { FieldError } from '../kubernetes/field-error.ts'
import type { Probe } from './container-schema.ts'

const int32Max = 2_147_483_647

/** `portName` is that of the container's port, or absent where the probe must name its own port by number. */
export function validateProbe(probe: Probe, portName: string | undefined): FieldError[] {
  const handlers = [
    ...(probe.httpGet === undefined ? [] : ['httpGet']),
    ...(probe.tcpSocket === undefined ? [] : ['tcpSocket']),
    ...(probe.exec === undefined ? [] : ['exec']),
    ...(probe.grpc === undefined ? [] : ['gRPC']),
  ]
  return [
    ...(['httpGet', 'tcpSocket'] as const).flatMap((handler) =>
      probe[handler] === undefined ? [] : validatePort(probe[handler].port, `${handler}.port`, portName),
    ),
    ...(handlers.length === 0 ? [missingOneOf('httpGet', 'tcpSocket', 'exec', 'grpc')] : []),
    ...(handlers.length > 1 ? [multipleOneOf(...handlers)] : []),
  ]
}

/** Period 0 is Knative's own quick probe. */
export function validateReadinessProbe(probe: Probe, portName: string | undefined): FieldError[] {
  const { periodSeconds = 0, initialDelaySeconds = 0, successThreshold = 0 } = probe
  const { failureThreshold = 0, timeoutSeconds = 0 } = probe
  const errors = validateProbe(probe, portName)
  const atLeast = (least: number, value: number, field: string): void => {
    if (value < least) errors.push(outOfBounds(value, least, int32Max, field))
  }
  atLeast(0, periodSeconds, 'periodSeconds')
  atLeast(0, initialDelaySeconds, 'initialDelaySeconds')
  atLeast(1, successThreshold, 'successThreshold')
  if (periodSeconds !== 0) {
    atLeast(1, timeoutSeconds, 'timeoutSeconds')
    atLeast(1, failureThreshold, 'failureThreshold')
    return errors
  }
  for (const [field, value] of Object.entries({ failureThreshold, timeoutSeconds })) {
    if (value !== 0) errors.push(fieldError(`${field} is disallowed when periodSeconds is zero`, [field]))
  }
  return errors
}

function validatePort(port: number | string = '', path: string, portName: string | undefined): FieldError[] {
  if (portName === undefined) {
    return port === '' || port === 0 ? [invalidValue(port, path, 'Probe port must be specified')] : []
  }
  const isOther = typeof port === 'string' && port !== '' && port !== portName
  return isOther ? [invalidValue(port, path, 'Probe port must match container port')] : []
}
