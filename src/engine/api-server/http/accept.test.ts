import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseDiscovery, chooseForm } from './accept.ts'

test('the form of an answer is the first clause that we can give; protobuf alone gets JSON', () => {
  for (const [accept, wanted] of [
    [undefined, 'object v1 json'],
    ['*/*', 'object v1 json'],
    ['application/vnd.kubernetes.protobuf', 'object v1 json'],
    ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 'table v1 json'],
    ['application/json;as=Table;v=v1beta1;g=meta.k8s.io', 'table v1beta1 json'],
    ['application/json;as=Table;v=v2;g=meta.k8s.io,application/json', 'object v1 json'],
    ['application/json;as=Chart;v=v1;g=meta.k8s.io', 'object v1 json'],
    ['application/json; as=PartialObjectMetadata; g=meta.k8s.io; v=v1', 'partial v1 json'],
    ['application/json;q=0.1,application/yaml', 'object v1 yaml'],
  ] as const) {
    const { shape, version, syntax } = chooseForm(accept)
    assert.equal(`${shape} ${version} ${syntax}`, wanted, accept)
  }
})

test('plain JSON before an aggregated form asks for the old discovery', () => {
  const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  assert.equal(chooseDiscovery(`${aggregated},application/json`), 'v2')
  assert.equal(chooseDiscovery(`application/json,${aggregated}`), 'legacy')
  assert.equal(chooseDiscovery('*/*'), 'legacy')
  assert.equal(chooseDiscovery(undefined), 'legacy')
})
