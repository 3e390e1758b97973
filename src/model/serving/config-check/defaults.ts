// What ConfigMap `config-defaults` may say. Source: knative/serving pkg/apis/config/defaults.go.
import { fieldErrorText, outOfBounds } from '../../kubernetes/field-error.ts'
import { executeTemplate } from '../../kubernetes/go-template.ts'
import type { ConfigData } from '../serving-config.ts'
import { ConfigValues } from './values.ts'

const int32Max = 2_147_483_647
const quantities = ['cpu', 'memory', 'ephemeral-storage'].flatMap((name) => [
  `revision-${name}-request`,
  `revision-${name}-limit`,
])

/** @throws {Error} in upstream's words */
export function checkDefaultsConfig(data: ConfigData): void {
  const values = new ConfigValues(data)
  values.bool('allow-container-concurrency-zero', true)
  for (const key of quantities) values.quantity(key)
  const timeout = values.int64('revision-timeout-seconds', 300)
  checkTimeouts(values, timeout)
  const limit = values.int64('container-concurrency-max-limit', 1_000)
  if (limit < 1) throw bounds(limit, 1, int32Max, 'container-concurrency-max-limit')
  const concurrency = values.int64('container-concurrency', 0)
  if (concurrency < 0 || concurrency > limit) throw bounds(concurrency, 0, limit, 'container-concurrency')
  for (const key of ['container-name-template', 'init-container-name-template']) {
    executeTemplate('container-template', values.text(key), { Name: '', Namespace: '', Labels: {}, Annotations: {} })
  }
}

function checkTimeouts(values: ConfigValues, timeout: number): void {
  const max = values.int64('max-revision-timeout-seconds', 600)
  const idle = values.int64('revision-idle-timeout-seconds', 0)
  const responseStart = values.int64('revision-response-start-timeout-seconds', timeout)
  const tooLong = (key: string, value: number, otherKey: string, other: number): Error =>
    new Error(`${key} (${value}) cannot be greater than ${otherKey} (${other})`)
  const total = 'revision-timeout-seconds'
  if (timeout > max) throw tooLong(total, timeout, 'max-revision-timeout-seconds', max)
  if (responseStart > 0 && responseStart > timeout) {
    throw tooLong('revision-response-start-timeout-seconds', responseStart, total, timeout)
  }
  if (idle > 0 && idle > timeout) throw tooLong('revision-idle-timeout-seconds', idle, total, timeout)
}

const bounds = (value: number, low: number, high: number, key: string): Error =>
  new Error(fieldErrorText([outOfBounds(value, low, high, key)]))
