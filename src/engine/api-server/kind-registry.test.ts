import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineKind } from '../kind.ts'
import type { KindDefinition } from '../kind.ts'
import { compareVersions, createKindRegistry } from './kind-registry.ts'

const aKind = (parts: Partial<KindDefinition> & Pick<KindDefinition, 'group' | 'kind' | 'plural'>): KindDefinition =>
  defineKind({ versions: [{ name: 'v1', schema: {}, columns: [] }], ...parts })

const configMap = aKind({ group: '', kind: 'ConfigMap', plural: 'configmaps', shortNames: ['cm'] })
const coreService = aKind({ group: '', kind: 'Service', plural: 'services', shortNames: ['svc'] })
const servingService = aKind({
  group: 'serving.knative.dev',
  kind: 'Service',
  plural: 'services',
  shortNames: ['kservice', 'ksvc'],
  categories: ['all', 'knative'],
})
const eventType = aKind({
  group: 'eventing.knative.dev',
  kind: 'EventType',
  plural: 'eventtypes',
  versions: ['v1beta3', 'v1beta2', 'v1beta1'].map((name) => ({ name, schema: {}, columns: [] })),
  storageVersion: 'v1beta2',
})
const broker = aKind({ group: 'eventing.knative.dev', kind: 'Broker', plural: 'brokers', categories: ['all'] })
const registry = createKindRegistry([servingService, eventType, broker, configMap, coreService])

test('a kind is found by its id, by group and kind, and by the parts of its URL', () => {
  assert.equal(registry.get('Broker.eventing.knative.dev'), broker)
  assert.equal(registry.get('ConfigMap'), configMap)
  assert.equal(registry.byKind('serving.knative.dev', 'Service'), servingService)
  assert.deepEqual(registry.byPlural('eventing.knative.dev', 'v1beta2', 'eventtypes'), {
    kind: eventType,
    version: 'v1beta2',
  })
  assert.equal(registry.byPlural('eventing.knative.dev', 'v1', 'eventtypes'), undefined)
  assert.equal(registry.byPlural('', 'v1', 's'), undefined)
})

test('people find a kind by plural, singular, short name, kind and group, and core wins ambiguous names', () => {
  for (const [name, kind] of [
    ['eventtype', eventType],
    ['EventTypes', eventType],
    ['cm', configMap],
    ['ksvc', servingService],
    ['service', coreService],
    ['services', coreService],
    ['services.serving.knative.dev', servingService],
    ['service.v1.serving.knative.dev', servingService],
    ['eventtypes.v1beta1.eventing.knative.dev', eventType],
    ['nonsense', undefined],
  ] as const) {
    assert.equal(registry.byName(name), kind, name)
  }
})

test('groups list core first and prefer stable versions', () => {
  assert.deepEqual(registry.groups(), [
    { group: '', versions: ['v1'] },
    { group: 'serving.knative.dev', versions: ['v1'] },
    { group: 'eventing.knative.dev', versions: ['v1', 'v1beta3', 'v1beta2', 'v1beta1'] },
  ])
})

test('versions sort as Kubernetes prefers them', () => {
  const wanted = ['v10', 'v2', 'v1', 'v11beta2', 'v10beta3', 'v3beta1', 'v12alpha1', 'v11alpha2', 'bar', 'foo1']
  assert.deepEqual([...wanted].reverse().sort(compareVersions), wanted)
})

test('categories name the kinds of `kubectl get all`', () => {
  assert.deepEqual(registry.inCategory('all'), [servingService, broker])
})

test('a kind can be added, replaced and removed while the server runs, and the generation tells', () => {
  const live = createKindRegistry([broker])
  const before = live.generation
  const cron = aKind({ group: 'stable.example.com', kind: 'CronTab', plural: 'crontabs', shortNames: ['ct'] })
  live.add(cron)
  assert.equal(live.byName('ct'), cron)
  assert.ok(live.generation > before)
  live.add({ ...cron, shortNames: ['cts'] })
  assert.equal(live.byName('ct'), undefined)
  assert.equal(live.all().length, 2)
  live.remove('CronTab.stable.example.com')
  assert.equal(live.byPlural('stable.example.com', 'v1', 'crontabs'), undefined)
  const after = live.generation
  live.remove('CronTab.stable.example.com')
  assert.equal(live.generation, after)
})
