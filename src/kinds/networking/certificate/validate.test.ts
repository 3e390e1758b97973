import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import type { Certificate } from './schema.ts'
import { validateCertificate } from './validate.ts'

const complaint = (spec: Certificate['spec']): string =>
  fieldErrorText(
    validateCertificate({
      apiVersion: 'networking.internal.knative.dev/v1alpha1',
      kind: 'Certificate',
      metadata: { name: 'c', namespace: 'shop' },
      spec,
    }),
  )

test('a Certificate needs names and a Secret, and its domain is above one of the names', () => {
  const good = { dnsNames: ['*.shop.example.com', 'example.com'], secretName: 's' }
  const rule = 'domain must be a suffix of, or match exactly, at least one entry in dnsNames'
  const rows: [Certificate['spec'], string][] = [
    [good, ''],
    [{ ...good, domain: 'shop.example.com' }, ''],
    [{ ...good, domain: 'example.com' }, ''],
    [{ dnsNames: [] }, 'missing field(s): spec.dnsNames, spec.secretName'],
    [{ ...good, dnsNames: ['a', ''] }, 'invalid value: : spec.dnsNames[1]'],
    [{ ...good, domain: 'ample.com' }, `invalid value: domain: spec.${rule}`],
  ]
  for (const [spec, expected] of rows) assert.equal(complaint(spec), expected)
})
