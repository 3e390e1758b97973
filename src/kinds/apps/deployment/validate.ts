// Rules of a Deployment. Source: kubernetes/kubernetes pkg/apis/apps/validation ValidateDeployment.
import { isDeepStrictEqual } from 'node:util'
import type { AdmissionContext } from '../../../engine/kind.ts'
import { at, fieldError, invalidValue, missingField } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import { matchesSelector } from '../../../model/kubernetes/label-selector.ts'
import { idleFieldWarnings } from '../../../model/kubernetes/pod/idle-fields.ts'
import { podSpecErrors } from '../../../model/kubernetes/pod/validate.ts'
import { parseShare } from './rollout-bounds.ts'
import type { Deployment, DeploymentSpec } from './schema.ts'

export function validateDeployment(
  { metadata, spec }: Deployment,
  { old }: AdmissionContext<Deployment>,
): FieldError[] {
  const errors = [...selectorErrors(spec), ...templateErrors(spec), ...strategyErrors(spec)]
  // Who made the Revision it belongs to was warned.
  const isOwned = (metadata.ownerReferences ?? []).length > 0
  if (!isOwned && !isDeepStrictEqual(spec.template, old?.spec.template)) {
    const { metadata: pods, spec: podSpec } = spec.template ?? {}
    errors.push(...at('template.spec', idleFieldWarnings(podSpec, pods?.annotations)))
  }
  for (const field of ['replicas', 'minReadySeconds', 'progressDeadlineSeconds', 'revisionHistoryLimit'] as const) {
    const value = spec[field] ?? 0
    if (value < 0) errors.push(number(value, field, 'must be greater than or equal to 0'))
  }
  if ((spec.progressDeadlineSeconds ?? Infinity) <= (spec.minReadySeconds ?? 0)) {
    const { progressDeadlineSeconds = 0 } = spec
    errors.push(number(progressDeadlineSeconds, 'progressDeadlineSeconds', 'must be greater than minReadySeconds'))
  }
  if (old !== undefined && !isDeepStrictEqual(old.spec.selector, spec.selector)) {
    errors.push(fieldError(`Invalid value: ${JSON.stringify(spec.selector)}: field is immutable`, ['selector']))
  }
  return at('spec', errors)
}

function selectorErrors({ selector, template }: DeploymentSpec): FieldError[] {
  if (selector === undefined) return [missingField('selector')]
  const { matchLabels = {}, matchExpressions = [] } = selector
  if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) {
    return [invalidValue('{}', 'selector', 'empty selector is invalid for deployment')]
  }
  for (const [index, { operator = '' }] of matchExpressions.entries()) {
    if (['In', 'NotIn', 'Exists', 'DoesNotExist'].includes(operator)) continue
    return [invalidValue(operator, `selector.matchExpressions[${index}].operator`, 'not a valid selector operator')]
  }
  const { labels = {} } = template?.metadata ?? {}
  if (matchesSelector(selector, labels)) return []
  const text = `Invalid value: ${JSON.stringify(labels)}: \`selector\` does not match template \`labels\``
  return [fieldError(text, ['template.metadata.labels'])]
}

function templateErrors({ template }: DeploymentSpec): FieldError[] {
  const spec = template?.spec ?? {}
  const errors = at('spec', podSpecErrors(spec))
  if (spec.restartPolicy !== undefined && spec.restartPolicy !== 'Always') {
    const text = `Unsupported value: ${JSON.stringify(spec.restartPolicy)}: supported values: "Always"`
    errors.push(fieldError(text, ['spec.restartPolicy']))
  }
  return at('template', errors)
}

function strategyErrors({ strategy = {} }: DeploymentSpec): FieldError[] {
  const { type, rollingUpdate } = strategy
  if (type === 'Recreate' && rollingUpdate !== undefined) {
    const text = "Forbidden: may not be specified when strategy `type` is 'Recreate'"
    return [fieldError(text, ['strategy.rollingUpdate'])]
  }
  const errors: FieldError[] = []
  for (const field of ['maxSurge', 'maxUnavailable'] as const) {
    const value = rollingUpdate?.[field]
    if (value === undefined || parseShare(value) !== undefined) continue
    const rule = 'must be a number of at least 0, or a percentage like 25%'
    errors.push(invalidValue(value, `strategy.rollingUpdate.${field}`, rule))
  }
  const isZero = (value: number | string | undefined): boolean => value !== undefined && parseShare(value)?.value === 0
  if (errors.length === 0 && isZero(rollingUpdate?.maxSurge) && isZero(rollingUpdate?.maxUnavailable)) {
    const rule = 'may not be 0 when `maxSurge` is 0'
    errors.push(invalidValue(rollingUpdate?.maxUnavailable, 'strategy.rollingUpdate.maxUnavailable', rule))
  }
  return errors
}

/** Kubernetes shows numbers without quotes. */
const number = (value: number, path: string, rule: string): FieldError =>
  fieldError(`Invalid value: ${value}: ${rule}`, [path])
