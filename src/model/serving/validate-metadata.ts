// What the metadata of Serving's kinds may say. Source: knative/serving pkg/apis/serving/metadata_validation.go,
// knative/pkg apis/metadata_validation.go, apis/user_info.go.
import { isOneOf } from '../knative/own-annotations.ts'
import { at, fieldError, invalidKeyName, invalidValue, missingField } from '../kubernetes/field-error.ts'
import type { FieldError } from '../kubernetes/field-error.ts'
import type { ObjectMeta, Resource } from '../kubernetes/resource.ts'
import { semanticallyEqual } from '../kubernetes/semantic.ts'
import { autoscalingGroup } from './annotation-keys.ts'
import { dnsLabelObjection, dnsLabelPrefixObjection } from './dns-label.ts'
import { creatorAnnotation, lastModifierAnnotation } from './metadata-keys.ts'
import { ownPodAnnotations } from '../kubernetes/pod/pod.ts'

/** Names are DNS-1035 labels. Paths begin below `metadata`. */
export function validateObjectName({ name, generateName = '' }: ObjectMeta): FieldError[] {
  const prefixObjection = generateName === '' ? undefined : dnsLabelPrefixObjection(generateName)
  if (prefixObjection !== undefined) {
    return [fieldError(`not a DNS 1035 label prefix: ${prefixObjection}`, ['generateName'])]
  }
  const objection = name === '' ? undefined : dnsLabelObjection(name)
  return objection === undefined ? [] : [fieldError(`not a DNS 1035 label: ${objection}`, ['name'])]
}

/** Annotations that steer Revisions belong on the template. Paths begin below `metadata`. */
export function refuseTemplateAnnotations({ annotations = {} }: ObjectMeta): FieldError[] {
  const details = 'must be put under "spec.template.metadata.annotations" to work'
  return at(
    'annotations',
    Object.keys(annotations).flatMap((key) => {
      if (key.startsWith(autoscalingGroup)) return [invalidKeyName(key, '', `autoscaling annotations ${details}`)]
      return isOneOf(key, ownPodAnnotations) ? [invalidKeyName(key, '', details)] : []
    }),
  )
}

/** A label that names an object of `kind` needs an owner reference to it. Paths begin below `metadata`. */
export function validateOwnerLabel(
  { labels = {}, ownerReferences = [] }: ObjectMeta,
  label: string,
  kind: string,
): FieldError[] {
  const named = labels[label]
  if (named === undefined) return []
  const isOwned = ownerReferences.some((owner) => owner.kind === kind && owner.name === named)
  return isOwned ? [] : at('labels', [missingField(label)])
}

/** Who made an object never changes; who changed it last changes only with its spec. Paths begin at the object. */
export function validateUserChange(object: Resource, old: Resource): FieldError[] {
  const before = old.metadata.annotations ?? {}
  const after = object.metadata.annotations ?? {}
  const errors: FieldError[] = []
  if (before[creatorAnnotation] !== after[creatorAnnotation]) {
    errors.push(fieldError('annotation value is immutable', [creatorAnnotation]))
  }
  const hasNewModifier = before[lastModifierAnnotation] !== after[lastModifierAnnotation]
  if (hasNewModifier && semanticallyEqual(object.spec, old.spec)) {
    errors.push(invalidValue(after[lastModifierAnnotation] ?? '', lastModifierAnnotation))
  }
  return at('metadata.annotations', errors)
}
