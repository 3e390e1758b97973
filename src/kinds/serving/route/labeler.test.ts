import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aRoute, startRoutingWorld } from '../../../../test/harness/routing-world.ts'
import type { RoutingWorld } from '../../../../test/harness/routing-world.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'

const latest = { configurationName: 'hello', latestRevision: true, percent: 100 }
const pinned = (revisionName: string, percent = 100) => ({ revisionName, latestRevision: false, percent })

/** `active a,b since 00:00:00` */
async function state(world: RoutingWorld, name: string): Promise<string> {
  const { labels, annotations } = (await world.read<Resource>('Revision', name)).metadata
  const routes = annotations?.['serving.knative.dev/routes'] ?? 'nobody'
  const since = annotations?.['serving.knative.dev/routingStateModified']?.slice(11, 19) ?? 'never'
  return `${labels?.['serving.knative.dev/routingState'] ?? 'none'} ${routes} since ${since}`
}

test('Revisions and Configurations know the Routes that lead to them, and since when', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.client.create(aRoute('zebra', [latest]))
  await world.settled()
  await world.advance(60_000)
  await world.client.create(aRoute('ant', [pinned('hello-00001')]))
  await world.settled()
  assert.equal(await state(world, 'hello-00001'), 'active ant,zebra since 00:00:00')
  const { annotations, labels } = (await world.read<Resource>('Configuration', 'hello')).metadata
  assert.deepEqual([annotations, labels], [{ 'serving.knative.dev/routes': 'ant,zebra' }, undefined])

  await world.client.delete('Route.serving.knative.dev', 'shop', 'zebra')
  await world.settled()
  assert.equal(await state(world, 'hello-00001'), 'active ant since 00:00:00')
})

test('a Revision that traffic left is in reserve once the Route is Ready with the next one', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.client.create(aRoute('hello', [latest]))
  await world.settled()
  await world.advance(60_000)
  await world.roll('hello', 'hello-00002', 'Unknown')
  assert.equal(await state(world, 'hello-00002'), 'active hello since 00:01:00', 'before it is ready')
  assert.equal(await state(world, 'hello-00001'), 'active hello since 00:00:00')

  await world.advance(60_000)
  const revision = await world.read<Resource>('Revision', 'hello-00002')
  const conditions = [{ type: 'Ready', status: 'True' }]
  await world.client.updateStatus({ ...revision, status: { ...revision.status, conditions } })
  const configuration = await world.read<Resource>('Configuration', 'hello')
  const status = { ...configuration.status, latestReadyRevisionName: 'hello-00002' }
  await world.client.updateStatus({ ...configuration, status })
  await world.settled()
  assert.equal(await state(world, 'hello-00002'), 'active hello since 00:01:00')
  assert.equal(await state(world, 'hello-00001'), 'reserve nobody since 00:02:00')
})

test('what serves while a target is missing stays active', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.client.create(aRoute('hello', [pinned('hello-00001')]))
  await world.settled()
  const patch = { spec: { traffic: [pinned('hello-00009')] } }
  await world.client.patch('Route.serving.knative.dev', 'shop', 'hello', patch)
  await world.settled()
  assert.equal(await state(world, 'hello-00001'), 'active hello since 00:00:00')
})

test('while a rollout is under way all Revisions with a share are active', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  const annotations = { 'serving.knative.dev/rollout-duration': '20s' }
  await world.client.create(aRoute('hello', [latest], { annotations }))
  await world.settled()
  await world.roll('hello', 'hello-00002')
  await world.advance(10_000)
  assert.match(await state(world, 'hello-00001'), /^active hello/)
  assert.match(await state(world, 'hello-00002'), /^active hello/)
  await world.advance(20_000)
  assert.match(await state(world, 'hello-00001'), /^reserve nobody/)
})

test('what the gateway still leads to, because another has a new host, stays active', async () => {
  await using world = await startRoutingWorld()
  await world.roll('other', 'other-00001')
  await world.client.create(aRoute('other', [{ ...latest, configurationName: 'other' }]))
  await world.roll('hello', 'hello-00001')
  await world.client.create(aRoute('hello', [latest]))
  await world.settled()
  await world.client.patch('Route.serving.knative.dev', 'shop', 'hello', {
    metadata: { annotations: { host: 'other' } },
  })
  const template = '{{if .Annotations.host}}{{.Annotations.host}}{{else}}{{.Name}}{{end}}.{{.Namespace}}.{{.Domain}}'
  await world.configure('config-network', { 'domain-template': template })
  await world.roll('hello', 'hello-00002')
  assert.match(await world.says('Route', 'hello'), /^False DomainConflict/)
  assert.equal(world.ask('hello.shop').by, 'hello-00001')
  assert.match(await state(world, 'hello-00001'), /^active hello/)
})
