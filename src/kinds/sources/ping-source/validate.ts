// Defaults and rules of a PingSource. Source: knative/eventing pkg/apis/sources/v1/ping_defaults.go, ping_validation.go.
import { messageOf } from '../../../base/errors.ts'
import type { AdmissionContext } from '../../../engine/kind.ts'
import { deliveryFlags } from '../../../model/duck/delivery.ts'
import { validateDestination } from '../../../model/duck/destination.ts'
import { setReferenceNamespace } from '../../../model/duck/reference-namespace.ts'
import { eventingSystemNamespace, featuresConfigMap } from '../../../model/knative/feature-flags.ts'
import { at, invalidKeyName, invalidValue, missingField, multipleOneOf } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import { scheduleProblem, timezoneProblem } from './schedule.ts'
import type { PingSource, PingSourceSpec } from './schema.ts'

export function setPingSourceDefaults(draft: PingSource): void {
  draft.spec ??= {}
  if (draft.spec.schedule === undefined || draft.spec.schedule === '') draft.spec.schedule = '* * * * *'
  setReferenceNamespace(draft.spec.sink, draft.metadata.namespace)
}

export function validatePingSource({ spec }: PingSource, { config }: AdmissionContext<PingSource>): FieldError[] {
  const flags = deliveryFlags(config.data(eventingSystemNamespace, featuresConfigMap))
  const limits = config.data(eventingSystemNamespace, 'config-ping-defaults')
  const badSchedule = scheduleProblem(spec.schedule ?? '')
  const badZone = spec.timezone === undefined || spec.timezone === '' ? undefined : timezoneProblem(spec.timezone)
  return at('spec', [
    ...(badSchedule === undefined ? [] : [invalidValue(badSchedule, 'schedule')]),
    ...(badZone === undefined ? [] : [invalidValue(badZone, 'timezone')]),
    ...validateSink(spec, flags),
    ...validateOverrides(spec),
    ...validateData(spec, Number(limits['data-max-size'] ?? limits['dataMaxSize'] ?? '-1')),
  ])
}

function validateSink({ sink }: PingSourceSpec, flags: ReturnType<typeof deliveryFlags>): FieldError[] {
  if (sink === undefined || Object.keys(sink).length === 0) return [missingField('sink')]
  return at('sink', validateDestination(sink, flags))
}

const validateOverrides = ({ ceOverrides }: PingSourceSpec): FieldError[] =>
  Object.keys(ceOverrides?.extensions ?? {})
    .filter((key) => !/^[A-Za-z0-9]+$/.test(key))
    .map((key) => invalidKeyName(key, 'ceOverrides.extensions', 'keys are expected to be alphanumeric'))

/** `bytesMax` is -1 for no limit; base64 is measured as it is written. */
function validateData({ data, dataBase64, contentType }: PingSourceSpec, bytesMax: number): FieldError[] {
  const text = data ?? ''
  const encoded = dataBase64 ?? ''
  if (text !== '' && encoded !== '') return [multipleOneOf('data', 'dataBase64')]
  const [field, written] = encoded === '' ? (['data', text] as const) : (['dataBase64', encoded] as const)
  if (written === '') return []
  const bytes = Buffer.byteLength(written)
  if (bytesMax >= 0 && bytes > bytesMax) {
    return [invalidValue(`the data length of ${bytes} bytes exceeds limit set at ${bytesMax}.`, field)]
  }
  if (field === 'dataBase64' && !isBase64(written)) return [invalidValue('illegal base64 data', field)]
  if (contentType !== 'application/json') return []
  const problem = objectProblem(field === 'data' ? written : Buffer.from(written, 'base64').toString('utf8'))
  return problem === undefined ? [] : [invalidValue(problem, field)]
}

const isBase64 = (text: string): boolean => /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0

/** Upstream unmarshals into a map: arrays and scalars fail. */
function objectProblem(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const kind = Array.isArray(value) ? 'array' : typeof value
    if (kind === 'object') return undefined
    return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`
  } catch (thrown) {
    return messageOf(thrown)
  }
}
