import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import { setIngressDefaults } from './defaults.ts'
import type { Ingress, IngressSpec } from './schema.ts'
import { validateIngress } from './validate.ts'

const split = { serviceNamespace: 'shop', serviceName: 'hello', servicePort: 80 }

const anIngress = (spec: IngressSpec): Ingress => ({
  apiVersion: 'networking.internal.knative.dev/v1alpha1',
  kind: 'Ingress',
  metadata: { name: 'hello', namespace: 'shop' },
  spec,
})

const withSplits = (splits: object[]): IngressSpec => ({
  rules: [{ hosts: ['h'], http: { paths: [{ splits: splits as (typeof split)[] }] } }],
})

test('an only backend takes all, and rules are for everybody', () => {
  const ingress = anIngress({ rules: [{ hosts: ['h'], http: { paths: [{ splits: [{ ...split }] }] } }] })
  setIngressDefaults(ingress)
  const [rule] = ingress.spec.rules!
  assert.equal(rule?.visibility, 'ExternalIP')
  assert.equal(rule.http?.paths[0]?.splits[0]?.percent, 100)
  const two = anIngress(withSplits([{ ...split, percent: 100 }, { ...split }]))
  setIngressDefaults(two)
  assert.equal(two.spec.rules![0]?.http?.paths[0]?.splits[1]?.percent, undefined)
})

test('each way an Ingress can be wrong is told in upstream’s words', () => {
  const path = 'spec.rules[0].http.paths[0]'
  const rows: [IngressSpec, string][] = [
    [withSplits([split]), ''],
    [{}, 'missing field(s): spec'],
    [{ httpOption: 'Enabled' }, 'missing field(s): spec.rules'],
    [{ rules: [{}] }, 'missing field(s): spec.rules[0]'],
    [{ rules: [{ hosts: ['h'] }] }, 'missing field(s): spec.rules[0].http'],
    [{ rules: [{ hosts: ['h'], http: { paths: [] } }] }, 'missing field(s): spec.rules[0].http.paths'],
    [{ rules: [{ hosts: ['h'], http: { paths: [{ path: '/a', splits: [] }] } }] }, `missing field(s): ${path}.splits`],
    [withSplits([{}]), `missing field(s): ${path}.splits[0]`],
    [withSplits([{ ...split, percent: 101 }]), `invalid value: 101: ${path}.splits[0].percent`],
    [
      withSplits([
        { ...split, percent: 30 },
        { ...split, percent: 60 },
      ]),
      `traffic split percentage must total to 100, but was 90: ${path}.splits`,
    ],
    [withSplits([{ ...split, serviceName: '' }]), `missing field(s): ${path}.splits[0].serviceName`],
    [
      withSplits([{ ...split, serviceNamespace: 'other' }]),
      `service namespace must match ingress namespace: ${path}.splits[0].serviceNamespace`,
    ],
    [
      withSplits([{ ...split, serviceNamespace: '', servicePort: 0 }]),
      `missing field(s): ${path}.splits[0].serviceNamespace, ${path}.splits[0].servicePort`,
    ],
    [{ ...withSplits([split]), tls: [{}] }, 'missing field(s): spec.tls[0]'],
    [
      { ...withSplits([split]), tls: [{ hosts: ['h'], secretName: 's' }] },
      'missing field(s): spec.tls[0].secretNamespace',
    ],
    [{ ...withSplits([split]), httpOption: 'Maybe' as 'Enabled' }, 'invalid value: Maybe: spec.httpOption'],
  ]
  for (const [spec, expected] of rows) assert.equal(fieldErrorText(validateIngress(anIngress(spec))), expected)
})
