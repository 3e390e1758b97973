import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineKind } from '../../kind.ts'
import { aFront } from './test-front.ts'

const acceptOf = (...versions: string[]): Record<string, string> => ({
  accept: [
    ...versions.map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`),
    'application/json',
  ].join(','),
})

test('aggregated discovery answers in the version asked first, and says so in its Content-Type', async () => {
  await using front = await aFront()
  for (const [versions, chosen] of [
    [['v2', 'v2beta1'], 'v2'],
    [['v2beta1'], 'v2beta1'],
    [['v3', 'v2beta1'], 'v2beta1'],
  ] as const) {
    for (const path of ['/api', '/apis']) {
      const { json, headers } = await front.call('GET', path, undefined, acceptOf(...versions))
      assert.equal(
        headers['content-type'],
        `application/json;g=apidiscovery.k8s.io;v=${chosen};as=APIGroupDiscoveryList`,
      )
      assert.equal(json.apiVersion, `apidiscovery.k8s.io/${chosen}`)
    }
  }
})

test('an aggregated kind tells its names, verbs, scope and subresources', async () => {
  await using front = await aFront()
  const { json } = await front.call('GET', '/apis', undefined, acceptOf('v2'))
  const group = json.items.find(({ metadata }: any) => metadata.name === 'eventing.knative.dev')
  assert.deepEqual(
    group.versions.map(({ version, freshness }: any) => `${version} ${freshness}`),
    ['v1 Current', 'v1beta3 Current', 'v1beta2 Current'],
  )
  const responseKind = { group: 'eventing.knative.dev', version: 'v1', kind: 'Trigger' }
  assert.deepEqual(group.versions[0].resources, [
    {
      resource: 'triggers',
      responseKind,
      scope: 'Namespaced',
      singularResource: 'trigger',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      subresources: [{ subresource: 'status', responseKind, verbs: ['get', 'patch', 'update'] }],
    },
  ])
  const core = (await front.call('GET', '/api', undefined, acceptOf('v2'))).json.items
  assert.deepEqual([core.length, core[0].metadata, core[0].versions[0].version], [1, { creationTimestamp: null }, 'v1'])
})

test('legacy discovery lists groups, versions and resources', async () => {
  await using front = await aFront()
  const get = async (path: string) => (await front.call('GET', path, undefined, { accept: 'application/json' })).json
  assert.deepEqual((await get('/api')).versions, ['v1'])
  const groups = (await get('/apis')).groups
  assert.deepEqual(
    groups.map(({ name }: any) => name),
    ['apps', 'eventing.knative.dev', 'stable.example.com', 'authentication.k8s.io', 'authorization.k8s.io'],
  )
  assert.deepEqual(groups[1].preferredVersion, { groupVersion: 'eventing.knative.dev/v1', version: 'v1' })
  assert.equal((await get('/apis/eventing.knative.dev')).kind, 'APIGroup')
  const core = await get('/api/v1')
  assert.deepEqual(
    core.resources.map(({ name, namespaced }: any) => `${name} ${namespaced}`),
    ['namespaces false', 'namespaces/status false', 'namespaces/finalize false', 'configmaps true', 'events true'],
  )
  assert.equal(core.groupVersion, 'v1')
  const reviews = await get('/apis/authorization.k8s.io/v1')
  assert.ok(reviews.resources.every(({ verbs }: any) => verbs.join() === 'create'))
})

test('a kind that comes or goes while the server runs shows at once in discovery and OpenAPI', async () => {
  await using front = await aFront()
  const hash = async (): Promise<string | undefined> =>
    (await front.call('GET', '/openapi/v3')).json.paths['apis/late.test/v1']?.serverRelativeURL
  const verbs = ['get', 'list', 'watch'] as const
  const late = defineKind({
    group: 'late.test',
    kind: 'Latecomer',
    plural: 'latecomers',
    shortNames: ['late'],
    scope: 'Cluster',
    verbs,
    versions: [{ name: 'v1', schema: {}, columns: [] }],
  })
  assert.equal(await hash(), undefined)
  front.registry.add(late)
  const first = await hash()
  const { resources } = (await front.call('GET', '/apis/late.test/v1')).json
  assert.deepEqual(
    resources.map(({ name, verbs }: any) => [name, verbs]),
    [
      ['latecomers', verbs],
      ['latecomers/status', ['get']],
    ],
  )
  assert.equal((await front.call('GET', '/apis/late.test/v1/latecomers')).code, 200)
  assert.equal((await front.call('POST', '/apis/late.test/v1/latecomers', {})).code, 405)
  front.registry.add({ ...late, description: 'Comes late.' })
  assert.notEqual(await hash(), first)
  front.registry.remove('Latecomer.late.test')
  assert.equal((await front.call('GET', '/apis/late.test/v1')).code, 404)
})

test('OpenAPI has for each kind a PATCH with its GVK and the parameters kubectl looks for', async () => {
  await using front = await aFront()
  const { paths } = (await front.call('GET', '/openapi/v3')).json
  const url = paths['apis/eventing.knative.dev/v1'].serverRelativeURL
  assert.match(url, /^\/openapi\/v3\/apis\/eventing\.knative\.dev\/v1\?hash=[0-9A-F]{32}$/)
  const document = (await front.call('GET', url)).json
  const item = '/apis/eventing.knative.dev/v1/namespaces/{namespace}/triggers/{name}'
  const { patch } = document.paths[item]
  const gvk = { group: 'eventing.knative.dev', version: 'v1', kind: 'Trigger' }
  assert.deepEqual(patch['x-kubernetes-group-version-kind'], gvk)
  const named = patch.parameters.map(({ name }: any) => name)
  assert.ok(['fieldValidation', 'dryRun', 'fieldManager', 'force'].every((name) => named.includes(name)))
  assert.ok(`${item}/status` in document.paths)
  const schema = document.components.schemas['dev.knative.eventing.v1.Trigger']
  assert.deepEqual(schema['x-kubernetes-group-version-kind'], [gvk])
  assert.equal(schema.properties.spec.properties.broker.description, 'Broker.')
  assert.deepEqual(
    [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].filter(
      ([, name = '']) => !(name in document.components.schemas),
    ),
    [],
    'every reference leads somewhere',
  )
  assert.equal((await front.call('GET', '/openapi/v3/apis/no.such/v1')).code, 404)
})

test('/openapi/v2 is the shortest document that decodes', async () => {
  await using front = await aFront()
  const { headers, text } = await front.call('GET', '/openapi/v2')
  assert.equal(headers['content-length'], '23')
  assert.match(text, /2\.0.*Kubernetes.*v1$/s)
  assert.doesNotMatch(headers['content-type'] ?? '', /@/)
})
