import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../base/fake-clock.ts'
import { silentLogger } from '../../../base/log.ts'
import { seededRandom } from '../../../base/random.ts'
import { createKindRegistry } from '../../../engine/api-server/kind-registry.ts'
import { createOperations } from '../../../engine/api-server/object-operations.ts'
import { createResourceClient } from '../../../engine/api-server/resource-client.ts'
import { columns, defineKind } from '../../../engine/kind.ts'
import type { KindDefinition } from '../../../engine/kind.ts'
import { object, string } from '../../../model/kubernetes/schema.ts'
import { openResourceStore } from '../../../ports/resource-store/open.ts'
import { definitionOf, storeDefinitions } from './definitions.ts'
import { customResourceDefinition } from './kind.ts'
import type { CustomResourceDefinition } from './schema.ts'

const cup = defineKind({
  group: 'a.test',
  kind: 'Cup',
  plural: 'cups',
  shortNames: ['c'],
  categories: ['all'],
  storageVersion: 'v1',
  versions: [
    { name: 'v2', schema: { spec: object('Wanted.', { size: string('Size.') }) }, columns: [columns.age] },
    { name: 'v1', schema: {}, columns: [], deprecationWarning: 'old' },
  ],
  crd: { labels: { 'duck.knative.dev/source': 'true' } },
})

async function aWorld() {
  const registry = createKindRegistry([customResourceDefinition])
  const store = await openResourceStore({ driver: 'memory' })
  const environment = { clock: new FakeClock(), random: seededRandom(1), log: silentLogger }
  const operations = createOperations({ store, registry, config: { data: () => ({}) }, ...environment })
  const client = createResourceClient({ operations, registry })
  const stored = () => client.list<CustomResourceDefinition>('CustomResourceDefinition.apiextensions.k8s.io')
  return { stored, sync: (kinds: KindDefinition[], nowMs = 0) => storeDefinitions(client, kinds, nowMs), store }
}

test('a definition tells names, versions, columns and that the kind is there', () => {
  const { metadata, spec, status } = definitionOf(cup, 0)
  assert.deepEqual(metadata, { name: 'cups.a.test', labels: { 'duck.knative.dev/source': 'true' } })
  assert.deepEqual(spec.names, {
    plural: 'cups',
    singular: 'cup',
    kind: 'Cup',
    listKind: 'CupList',
    shortNames: ['c'],
    categories: ['all'],
  })
  assert.deepEqual(
    spec.versions.map(({ name, served, storage, deprecated }) => [name, served, storage, deprecated]),
    [
      ['v2', true, false, undefined],
      ['v1', true, true, true],
    ],
  )
  const [v2] = spec.versions
  assert.deepEqual(v2?.additionalPrinterColumns, [
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ])
  assert.deepEqual(v2?.subresources, { status: {} })
  assert.deepEqual(
    status?.conditions.map(({ type, status }) => `${type} ${status}`),
    ['NamesAccepted True', 'Established True'],
  )
  assert.deepEqual(status?.storedVersions, ['v1'])
})

test('definitions are stored once, follow the kinds, and go with them', async () => {
  const { stored, sync, store } = await aWorld()
  await sync([cup, customResourceDefinition])
  const [first, ...others] = await stored()
  assert.deepEqual(others, [], 'kinds of Kubernetes itself have none')
  assert.equal(first?.status?.conditions.length, 2)
  const revision = await store.revision()
  await sync([cup, customResourceDefinition], 60_000)
  assert.equal(await store.revision(), revision, 'an equal one is not written again')
  await sync([{ ...cup, shortNames: ['c', 'cu'], crd: { labels: { more: 'yes' } } }])
  const [second] = await stored()
  assert.deepEqual(second?.spec.names.shortNames, ['c', 'cu'])
  assert.deepEqual(second?.status?.acceptedNames.shortNames, ['c', 'cu'])
  assert.deepEqual([second?.metadata.labels, second?.metadata.uid], [{ more: 'yes' }, first?.metadata.uid])
  await sync([])
  assert.deepEqual(await stored(), [])
})
