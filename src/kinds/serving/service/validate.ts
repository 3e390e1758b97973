// What a Service must not be. Source: knative/serving pkg/apis/serving/v1/service_validation.go, metadata_validation.go.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { at, fieldError, invalidKeyName, invalidValue } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import type { ObjectMeta } from '../../../model/kubernetes/resource.ts'
import { semanticallyEqual } from '../../../model/kubernetes/semantic.ts'
import { annotationKeys, autoscalingGroup } from '../../../model/serving/annotation-keys.ts'
import { dnsLabelObjection, dnsLabelPrefixObjection } from '../../../model/serving/dns-label.ts'
import { validateTraffic } from '../../../model/serving/traffic.ts'
import { validateNameChange, validateTemplate, wholeSeconds } from '../../../model/serving/validate-template.ts'
import { servingConfig } from './defaults.ts'
import type { Service } from './schema.ts'

const creator = 'serving.knative.dev/creator'
const lastModifier = 'serving.knative.dev/lastModifier'

export function validateService(service: Service, { old, config }: AdmissionContext<Service>): FieldError[] {
  const { metadata, spec } = service
  return [
    ...at('metadata', [
      ...validateName(metadata),
      ...at('annotations', validateAnnotations(metadata.annotations ?? {})),
    ]),
    ...at('spec', [
      ...at('template', validateTemplate(spec.template ?? {}, metadata, servingConfig(config))),
      ...validateTraffic(spec.traffic ?? [], true),
    ]),
    ...(old === undefined ? [] : validateUpdate(service, old)),
  ]
}

function validateName({ name, generateName = '' }: ObjectMeta): FieldError[] {
  const prefixObjection = generateName === '' ? undefined : dnsLabelPrefixObjection(generateName)
  if (prefixObjection !== undefined) {
    return [fieldError(`not a DNS 1035 label prefix: ${prefixObjection}`, ['generateName'])]
  }
  const objection = name === '' ? undefined : dnsLabelObjection(name)
  return objection === undefined ? [] : [fieldError(`not a DNS 1035 label: ${objection}`, ['name'])]
}

function validateAnnotations(annotations: Record<string, string>): FieldError[] {
  const details = 'autoscaling annotations must be put under "spec.template.metadata.annotations" to work'
  return [
    ...Object.keys(annotations)
      .filter((key) => key.startsWith(autoscalingGroup))
      .map((key) => invalidKeyName(key, '', details)),
    ...wholeSeconds(annotations, annotationKeys.rolloutDuration, 'rollout-duration'),
  ]
}

function validateUpdate(service: Service, old: Service): FieldError[] {
  const before = old.metadata.annotations ?? {}
  const after = service.metadata.annotations ?? {}
  const errors: FieldError[] = []
  if (before[creator] !== after[creator]) errors.push(fieldError('annotation value is immutable', [creator]))
  if (before[lastModifier] !== after[lastModifier] && semanticallyEqual(service.spec, old.spec)) {
    errors.push(invalidValue(after[lastModifier] ?? '', lastModifier))
  }
  return [
    ...at('metadata.annotations', errors),
    ...at('spec.template', validateNameChange(service.spec.template ?? {}, old.spec.template ?? {})),
  ]
}
