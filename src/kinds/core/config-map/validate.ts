// Rules of a ConfigMap. Source: kubernetes/kubernetes pkg/apis/core/validation ValidateConfigMap.
import { isDeepStrictEqual } from 'node:util'
import type { AdmissionContext } from '../../../engine/kind.ts'
import { dataBytesMax, isBase64, keyErrors } from '../../../model/kubernetes/config-data.ts'
import { disallowedField, fieldError, invalidValue } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import { StatusError } from '../../../model/kubernetes/status-error.ts'
import { defaultsObjection } from '../../../model/knative/broker-defaults.ts'
import { configWarnings } from '../../../model/knative/config-keys/warnings.ts'
import { eventingSystemNamespace, servingSystemNamespace } from '../../../model/knative/feature-flags.ts'
import {
  eventingConfigObjection,
  eventingConfigWebhook,
  servingConfigObjection,
  servingConfigWebhook,
} from '../../../model/serving/config-check/check.ts'
import type { ConfigMap } from './schema.ts'

/** @throws {StatusError} 400 in the name of Serving's or Eventing's webhook, for a ConfigMap of theirs that makes no sense */
export function validateConfigMap(configMap: ConfigMap, { old }: AdmissionContext<ConfigMap>): FieldError[] {
  const { metadata, data = {}, binaryData = {} } = configMap
  askWebhooks(configMap)
  const errors: FieldError[] = []
  for (const key of Object.keys(data)) {
    errors.push(...keyErrors(key, 'data'))
    if (Object.hasOwn(binaryData, key)) {
      errors.push(invalidValue(key, `data[${key}]`, 'duplicate of key present in binaryData'))
    }
  }
  let bytes = Object.values(data).reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  for (const [key, value] of Object.entries(binaryData)) {
    errors.push(...keyErrors(key, 'binaryData'))
    if (!isBase64(value)) errors.push(invalidValue(value, `binaryData[${key}]`, 'must be base64'))
    bytes += Buffer.byteLength(value, 'base64')
  }
  if (bytes > dataBytesMax) errors.push(fieldError(`Too long: may not be more than ${dataBytesMax} bytes`, ['data']))
  if (old?.immutable === true) errors.push(...immutableErrors(configMap, old))
  return [...errors, ...defaultsErrors(metadata, data), ...configWarnings(metadata, data, old?.data)]
}

/** Keys of Eventing's ConfigMaps that hold YAML, which is read whenever a Broker or a channel is admitted or made. */
const defaultsKeys = new Map([
  ['config-br-defaults', ['default-br-config']],
  ['config-br-default-channel', ['channel-template-spec', 'channelTemplateSpec']],
  ['default-ch-webhook', ['default-ch-config']],
])

/** What cannot be read would refuse every Broker or channel from then on. */
function defaultsErrors({ namespace, name }: ConfigMap['metadata'], data: Record<string, string>): FieldError[] {
  const keys = namespace === eventingSystemNamespace ? (defaultsKeys.get(name) ?? []) : []
  return keys.flatMap((key) => {
    const objection = defaultsObjection(data[key] ?? '')
    return objection === undefined ? [] : [fieldError(`Invalid value: not YAML: ${objection}`, [`data[${key}]`])]
  })
}

/** On a cluster it is asked before Kubernetes' own rules. */
function askWebhooks({ metadata: { namespace, name, annotations }, data = {} }: ConfigMap): void {
  if (namespace === servingSystemNamespace) {
    deny(servingConfigWebhook, servingConfigObjection(name, data, annotations))
  } else if (namespace === eventingSystemNamespace) deny(eventingConfigWebhook, eventingConfigObjection(name, data))
}

function deny(webhook: string, objection: string | undefined): void {
  if (objection === undefined) return
  const text = `admission webhook "${webhook}" denied the request: validation failed: ${objection}`
  throw new StatusError(400, 'BadRequest', text)
}

function immutableErrors(configMap: ConfigMap, old: ConfigMap): FieldError[] {
  const frozen = 'field is immutable when `immutable` is set'
  const changed = (field: 'data' | 'binaryData'): boolean =>
    !isDeepStrictEqual(configMap[field] ?? {}, old[field] ?? {})
  return [
    ...(configMap.immutable === true ? [] : [{ ...disallowedField('immutable'), details: frozen }]),
    ...(['data', 'binaryData'] as const)
      .filter(changed)
      .map((field) => ({ ...disallowedField(field), details: frozen })),
  ]
}
