// What a Certificate must not be. Source: knative/networking pkg/apis/networking/v1alpha1/certificate_validation.go.
import { at, fieldError, invalidValue, missingField } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import type { Certificate } from './schema.ts'

export function validateCertificate({ spec }: Certificate): FieldError[] {
  const { dnsNames = [], domain = '', secretName = '' } = spec
  const errors = dnsNames.flatMap((name, index) => (name === '' ? [invalidValue(name, `dnsNames[${index}]`)] : []))
  if (dnsNames.length === 0) errors.push(missingField('dnsNames'))
  if (secretName === '') errors.push(missingField('secretName'))
  const isBelow = dnsNames.some((name) => name === domain || name.endsWith(`.${domain}`))
  if (domain !== '' && dnsNames.length > 0 && !isBelow) {
    const rule = 'domain must be a suffix of, or match exactly, at least one entry in dnsNames'
    errors.push(fieldError('invalid value: domain', [rule]))
  }
  return at('spec', errors)
}
