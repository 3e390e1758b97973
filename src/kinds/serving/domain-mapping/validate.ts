// What a DomainMapping must not be. Source: knative/serving pkg/apis/serving/v1beta1/domainmapping_validation.go.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { validateKReference } from '../../../model/duck/destination.ts'
import { at, disallowedField, fieldError } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import { domainNameObjection } from '../../../model/kubernetes/domain-name.ts'
import type { ObjectMeta } from '../../../model/kubernetes/resource.ts'
import { clusterDomain } from '../../../model/serving/network-keys.ts'
import { validateUserChange } from '../../../model/serving/validate-metadata.ts'
import type { DomainMapping } from './schema.ts'

export function validateDomainMapping(mapping: DomainMapping, { old }: AdmissionContext<DomainMapping>): FieldError[] {
  const { metadata, spec } = mapping
  const parent = metadata.namespace === undefined ? {} : { parentNamespace: metadata.namespace }
  return [
    ...at('metadata', validateName(metadata)),
    ...at('spec.ref', validateKReference(spec.ref, parent)),
    ...(old === undefined ? [] : validateUserChange(mapping, old)),
  ]
}

function validateName({ name, generateName = '' }: ObjectMeta): FieldError[] {
  const errors = generateName === '' ? [] : [disallowedField('generateName')]
  const objection = domainNameObjection('name', name)
  if (objection !== undefined) errors.push(fieldError(`invalid name "${name}": ${objection}`, ['name']))
  if (name.endsWith(`.${clusterDomain}`)) {
    const rule = `must not be a subdomain of cluster local domain "${clusterDomain}"`
    errors.push(fieldError(`invalid name "${name}": ${rule}`, ['name']))
  }
  return errors
}
