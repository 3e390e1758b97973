import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyObject } from '../../../model/kubernetes/schema.ts'
import { defineKind } from '../../kind.ts'
import { strategicMerge } from './strategic-merge.ts'
import { structureOf } from './structure.ts'

const deployment = defineKind({
  group: 'apps',
  kind: 'Deployment',
  plural: 'deployments',
  builtIn: true,
  versions: [{ name: 'v1', schema: { spec: anyObject('Spec.'), data: anyObject('Data.') }, columns: [] }],
})
const structure = structureOf(deployment, 'v1')

const examples: [what: string, live: object, patch: object, result: object][] = [
  [
    'objects merge and null removes',
    { data: { a: '1', b: '2' } },
    { data: { b: null, c: '3' } },
    { data: { a: '1', c: '3' } },
  ],
  [
    'containers merge by name, new ones go last',
    { spec: { containers: [{ name: 'a', image: '1', args: ['x'] }] } },
    { spec: { containers: [{ name: 'b' }, { name: 'a', image: '2' }] } },
    { spec: { containers: [{ name: 'a', image: '2', args: ['x'] }, { name: 'b' }] } },
  ],
  [
    'env merges by name inside a container',
    {
      spec: {
        containers: [
          {
            name: 'a',
            env: [
              { name: 'X', value: '1' },
              { name: 'Y', value: '2' },
            ],
          },
        ],
      },
    },
    { spec: { containers: [{ name: 'a', env: [{ name: 'Y', value: '3' }] }] } },
    {
      spec: {
        containers: [
          {
            name: 'a',
            env: [
              { name: 'X', value: '1' },
              { name: 'Y', value: '3' },
            ],
          },
        ],
      },
    },
  ],
  [
    'ports of a container merge by containerPort, of a Service by port',
    {
      spec: {
        containers: [{ name: 'a', ports: [{ containerPort: 80, name: 'x' }] }],
        ports: [{ port: 80, nodePort: 1 }],
      },
    },
    {
      spec: {
        containers: [{ name: 'a', ports: [{ containerPort: 80, name: 'y' }] }],
        ports: [{ port: 80, nodePort: 2 }],
      },
    },
    {
      spec: {
        containers: [{ name: 'a', ports: [{ containerPort: 80, name: 'y' }] }],
        ports: [{ port: 80, nodePort: 2 }],
      },
    },
  ],
  [
    'lists without a key are replaced',
    { spec: { containers: [{ name: 'a', args: ['x', 'y'] }] } },
    { spec: { containers: [{ name: 'a', args: ['z'] }] } },
    { spec: { containers: [{ name: 'a', args: ['z'] }] } },
  ],
  [
    '$patch: delete removes an item',
    { spec: { volumes: [{ name: 'a' }, { name: 'b' }] } },
    { spec: { volumes: [{ name: 'a', $patch: 'delete' }] } },
    { spec: { volumes: [{ name: 'b' }] } },
  ],
  [
    '$patch: replace in a list replaces the list',
    { spec: { volumes: [{ name: 'a' }, { name: 'b' }] } },
    { spec: { volumes: [{ name: 'c' }, { $patch: 'replace' }] } },
    { spec: { volumes: [{ name: 'c' }] } },
  ],
  [
    '$patch: replace replaces an object',
    { spec: { strategy: { type: 'Rolling', rolling: { max: 1 } } } },
    { spec: { strategy: { $patch: 'replace', type: 'Recreate' } } },
    { spec: { strategy: { type: 'Recreate' } } },
  ],
  [
    '$patch: delete empties an object',
    { spec: { a: { b: 1 } } },
    { spec: { a: { $patch: 'delete' } } },
    { spec: { a: {} } },
  ],
  [
    '$retainKeys keeps only the named fields',
    { spec: { strategy: { type: 'Rolling', rolling: { max: 1 } } } },
    { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
    { spec: { strategy: { type: 'Recreate' } } },
  ],
  [
    'finalizers are a set',
    { metadata: { finalizers: ['a', 'b'] } },
    { metadata: { finalizers: ['b', 'c'] } },
    { metadata: { finalizers: ['a', 'b', 'c'] } },
  ],
  [
    '$deleteFromPrimitiveList takes values out of a set',
    { metadata: { finalizers: ['a', 'b'] } },
    { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'], finalizers: ['c'] } },
    { metadata: { finalizers: ['b', 'c'] } },
  ],
  [
    'owner references merge by uid',
    { metadata: { ownerReferences: [{ uid: '1', name: 'a' }] } },
    {
      metadata: {
        ownerReferences: [
          { uid: '1', $patch: 'delete' },
          { uid: '2', name: 'b' },
        ],
      },
    },
    { metadata: { ownerReferences: [{ uid: '2', name: 'b' }] } },
  ],
  [
    '$setElementOrder orders items, those of the server keep their place',
    { spec: { containers: [{ name: 'a' }, { name: 'server' }, { name: 'b' }] } },
    {
      spec: {
        '$setElementOrder/containers': [{ name: 'new' }, { name: 'a' }, { name: 'b' }],
        containers: [
          { name: 'new', image: 'n' },
          { name: 'b', image: '2' },
        ],
      },
    },
    {
      spec: { containers: [{ name: 'new', image: 'n' }, { name: 'a' }, { name: 'server' }, { name: 'b', image: '2' }] },
    },
  ],
  [
    'directives do not stay in new objects',
    {},
    { spec: { template: { $patch: 'merge', $retainKeys: ['a'], a: 1 } } },
    { spec: { template: { a: 1 } } },
  ],
]

for (const [what, live, patch, result] of examples) {
  test(`strategic merge: ${what}`, () => {
    const before = JSON.stringify(live)
    assert.deepEqual(strategicMerge(live, patch, structure), result)
    assert.equal(JSON.stringify(live), before)
  })
}

test('strategic merge refuses a directive it does not know', () => {
  assert.throws(() => strategicMerge({}, { spec: { $patch: 'explode' } }, structure), {
    message: 'unknown patch directive: explode',
  })
})
