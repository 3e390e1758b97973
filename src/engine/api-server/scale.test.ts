import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asJane } from './test-server.ts'
import { aFront } from './http/test-front.ts'

const path = '/apis/apps/v1/namespaces/shop/deployments/web'
const json = { 'content-type': 'application/json' }
const merge = { 'content-type': 'application/merge-patch+json' }

async function aDeployment() {
  const front = await aFront()
  const body = {
    metadata: { name: 'web' },
    spec: { replicas: 1, template: { spec: { containers: [{ name: 'c', image: 'i' }] } } },
  }
  await front.call('POST', '/apis/apps/v1/namespaces/shop/deployments', body, json)
  return front
}

test('the scale of an object is told in the words of autoscaling/v1', async () => {
  await using front = await aDeployment()
  const { metadata } = (await front.call('GET', path)).json
  const answer = await front.call('GET', `${path}/scale`)
  assert.deepEqual(
    [answer.code, answer.json],
    [
      200,
      {
        kind: 'Scale',
        apiVersion: 'autoscaling/v1',
        metadata: {
          name: 'web',
          namespace: 'shop',
          uid: metadata.uid,
          resourceVersion: metadata.resourceVersion,
          creationTimestamp: metadata.creationTimestamp,
        },
        spec: { replicas: 1 },
        status: { replicas: 7, selector: 'app=web' },
      },
    ],
  )
})

test('a put or a patch of the scale sets the replicas and nothing else', async () => {
  await using front = await aDeployment()
  const scale = (await front.call('GET', `${path}/scale`)).json
  const put = await front.call('PUT', `${path}/scale`, { ...scale, spec: { replicas: 3 } }, json)
  assert.deepEqual([put.code, put.json.kind, put.json.spec.replicas], [200, 'Scale', 3])
  const patched = await front.call('PATCH', `${path}/scale`, { spec: { replicas: 4 } }, merge)
  assert.equal(patched.json.spec.replicas, 4)
  const operations = [{ op: 'replace', path: '/spec/replicas', value: 5 }]
  const types = { 'content-type': 'application/json-patch+json' }
  assert.equal((await front.call('PATCH', `${path}/scale`, operations, types)).json.spec.replicas, 5)
  const { spec } = (await front.call('GET', path)).json
  assert.deepEqual([spec.replicas, spec.template.spec.containers[0].image], [5, 'i'])
  const none = await front.call('PATCH', `${path}/scale`, { spec: { replicas: 0 } }, merge)
  assert.deepEqual(none.json.spec, {})
  assert.equal((await front.call('GET', path)).json.spec.replicas, 0)
})

test('a scale of another time is a conflict, one that makes no sense is refused', async () => {
  await using front = await aDeployment()
  const scale = (await front.call('GET', `${path}/scale`)).json
  await front.call('PATCH', `${path}/scale`, { spec: { replicas: 2 } }, merge)
  const late = await front.call('PUT', `${path}/scale`, { ...scale, spec: { replicas: 9 } }, json)
  assert.deepEqual([late.code, late.json.reason], [409, 'Conflict'])
  const negative = await front.call('PATCH', `${path}/scale`, { spec: { replicas: -1 } }, merge)
  assert.equal(negative.code, 422)
  assert.match(negative.json.message, /spec\.replicas: Invalid value: -1: must be greater than or equal to 0/)
  assert.equal((await front.call('GET', path.replace('web', 'gone') + '/scale')).code, 404)
})

test('kinds without replicas have no scale, and discovery tells who has one', async () => {
  await using front = await aDeployment()
  const { operations, target } = front
  await operations.create(target('ConfigMap'), 'shop', { metadata: { name: 'c' } }, asJane)
  assert.equal((await front.call('GET', '/api/v1/namespaces/shop/configmaps/c/scale')).code, 404)
  const { resources } = (await front.call('GET', '/apis/apps/v1')).json
  assert.deepEqual(
    resources.find(({ name }: { name: string }) => name === 'deployments/scale'),
    {
      name: 'deployments/scale',
      singularName: '',
      namespaced: true,
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      verbs: ['get', 'patch', 'update'],
    },
  )
})
