// Defaults and rules of a PodAutoscaler. Source: knative/serving pkg/apis/autoscaling/v1alpha1/pa_defaults.go,
// pa_validation.go.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { at, missingField, outOfBounds } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import { annotationKeys, findAnnotation } from '../../../model/serving/annotation-keys.ts'
import { readAutoscalerConfig } from '../../../model/serving/autoscaler-config.ts'
import { hpaClass } from '../../../model/serving/scaler-class.ts'
import { validateProtocol, validateScaleTarget } from '../../../model/serving/scale-target.ts'
import { readServingConfig, revisionDefaults } from '../../../model/serving/serving-config.ts'
import { validateAutoscaling } from '../../../model/serving/validate-autoscaling.ts'
import type { PodAutoscaler } from './schema.ts'

export function setPodAutoscalerDefaults({ metadata }: PodAutoscaler, { config }: AdmissionContext): void {
  const annotations = (metadata.annotations ??= {})
  const byDefault = readAutoscalerConfig(readServingConfig(config).autoscaler).podAutoscalerClass
  const scalerClass = (annotations[annotationKeys.class[0]!] ??= byDefault)
  if (findAnnotation(annotations, annotationKeys.metric) !== undefined) return
  annotations[annotationKeys.metric[0]!] = scalerClass === hpaClass ? 'cpu' : 'concurrency'
}

export function validatePodAutoscaler({ metadata, spec }: PodAutoscaler, { config }: AdmissionContext): FieldError[] {
  const { autoscaler, defaults } = readServingConfig(config)
  const annotations = at('metadata.annotations', validateAutoscaling(metadata.annotations, autoscaler))
  if (spec === undefined || Object.keys(spec).length === 0) return [...annotations, missingField('spec')]
  const { containerConcurrencyMin: least, containerConcurrencyMax: most } = revisionDefaults(defaults)
  const { containerConcurrency: concurrency = 0, scaleTargetRef, protocolType } = spec
  const isWithin = concurrency >= least && concurrency <= most
  return [
    ...annotations,
    ...at('spec', [
      ...validateScaleTarget(scaleTargetRef, 'scaleTargetRef'),
      ...(isWithin ? [] : [outOfBounds(concurrency, least, most, 'containerConcurrency')]),
      ...validateProtocol(protocolType, 'protocolType'),
    ]),
  ]
}
