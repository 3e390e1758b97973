import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startSmallWorld } from '../../../engine/control-loop/small-world.ts'
import type { SmallWorld } from '../../../engine/control-loop/small-world.ts'
import type { KindDefinition } from '../../../engine/kind.ts'
import type { ObjectMeta, Resource } from '../../../model/kubernetes/resource.ts'
import type { RevisionSpec } from '../../../model/serving/revision-template.ts'
import type { WorkloadSpec } from '../../../ports/workload-runtime/port.ts'
import type { Deployment } from '../../apps/deployment/schema.ts'
import { revision as revisionKindDefinition } from './kind.ts'
import { revisionKind } from './schema.ts'
import type { Revision } from './schema.ts'

const image = 'example.com/hello'

const bare = (group: string, kind: string, more: Partial<KindDefinition> = {}): KindDefinition => ({
  group,
  kind,
  plural: `${kind.toLowerCase()}s`,
  versions: [{ name: 'v1', schema: {}, columns: [] }],
  ...more,
})

interface DigestWorld extends SmallWorld {
  asked: string[]
  /** User names for the image that was asked for last. */
  users: string[] | undefined
  digests: Record<string, string | Error>
  objections: Record<string, string>
  revision(): Promise<Revision>
  troubles: (string | undefined)[]
}

async function aDigestWorld(config: Record<string, string> = {}): Promise<DigestWorld> {
  const asked: string[] = []
  const digests: DigestWorld['digests'] = {}
  const objections: DigestWorld['objections'] = {}
  const troubles: (string | undefined)[] = []
  const runtime = {
    objection: (spec: WorkloadSpec) => objections[spec.image],
    resolveDigest(spec: WorkloadSpec) {
      asked.push(spec.image)
      world.users = spec.imageCredentials?.map(({ username }) => username)
      const found = digests[spec.image]
      if (found instanceof Error) return Promise.reject(found)
      return found === 'never' ? new Promise(() => undefined) : Promise.resolve(found)
    },
  }
  const revisions = {
    open: () => ({ [Symbol.asyncDispose]: () => Promise.resolve() }),
    find: () => ({
      setTrouble: (message?: string) => void troubles.push(message),
      setRequestLog: () => undefined,
    }),
  }
  const kind: KindDefinition = {
    ...revisionKindDefinition,
    reconciler: (deps) =>
      revisionKindDefinition.reconciler!({ ...deps, runtime: runtime as never, revisions: revisions as never }),
  }
  const small = await startSmallWorld({
    kinds: [
      kind,
      bare('apps', 'Deployment'),
      bare('', 'Pod', { builtIn: true }),
      bare('', 'Secret', { builtIn: true }),
      bare('', 'ConfigMap', { builtIn: true }),
      bare('autoscaling.internal.knative.dev', 'PodAutoscaler', {
        versions: [{ name: 'v1alpha1', schema: {}, columns: [] }],
      }),
    ],
    stored: [
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'config-deployment', namespace: 'knative-serving' },
        data: config,
      } as Resource,
    ],
  })
  await small.settled()
  const revision = async (): Promise<Revision> =>
    (await small.client.get<Revision>(revisionKind, 'shop', 'hello-00001'))!
  const world: DigestWorld = Object.assign(small, { asked, users: undefined, digests, objections, revision, troubles })
  return world
}

const unresolved = (containers: RevisionSpec['containers'], metadata: Partial<ObjectMeta> = {}): Revision => {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Revision',
    metadata: { name: 'hello-00001', namespace: 'shop', ...metadata },
    spec: { containers: containers! },
  }
}

test('a tag is looked up once, and all instances run what it meant then', async () => {
  const object = unresolved([{ name: 'user-container', image }])
  await using world = await aDigestWorld()
  const digest = `${image}@sha256:${'a'.repeat(64)}`
  world.digests[image] = digest
  await world.client.create(object)
  await world.settled()
  assert.deepEqual((await world.revision()).status?.containerStatuses, [
    { name: 'user-container', imageDigest: digest },
  ])
  const deployment = await world.client.get<Deployment>('Deployment.apps', 'shop', 'hello-00001-deployment')
  assert.equal(deployment?.spec.template?.spec?.containers?.[0]?.image, digest)
  assert.deepEqual(world.asked, [image])
})

test('while a tag is being looked up nothing is started', async () => {
  const object = unresolved([{ name: 'user-container', image }])
  await using world = await aDigestWorld()
  world.digests[image] = 'never'
  await world.client.create(object)
  await world.settled()
  assert.equal(await world.condition('Revision', 'hello-00001', 'ResourcesAvailable'), 'Unknown ResolvingDigests')
  assert.equal(await world.client.get('Deployment.apps', 'shop', 'hello-00001-deployment'), undefined)
})

test('an image that is not to be had fails the Revision, is asked for again, and nobody waits meanwhile', async () => {
  const object = unresolved([{ name: 'user-container', image }])
  await using world = await aDigestWorld()
  world.digests[image] = new Error('404 Not Found')
  await world.client.create(object)
  await world.settled()
  const text = `Unable to fetch image "${image}": failed to resolve image to digest: 404 Not Found`
  assert.equal(await world.condition('Revision', 'hello-00001', 'ContainerHealthy'), `False ContainerMissing : ${text}`)
  assert.equal(world.troubles.at(-1), text)
  await world.advance(1_000)
  await world.advance(2_000)
  assert.equal(world.asked.length, 3)
  delete world.digests[image]
  await world.advance(4_000)
  assert.equal((await world.revision()).status?.containerStatuses?.[0]?.imageDigest, '')
  assert.equal(await world.condition('Revision', 'hello-00001', 'ContainerHealthy'), 'Unknown Deploying')
  assert.equal(world.troubles.at(-1), undefined)
})

test('a registry that does not answer in time counts as a failure', async () => {
  const object = unresolved([{ name: 'user-container', image }])
  await using world = await aDigestWorld({ 'digest-resolution-timeout': '2s' })
  world.digests[image] = 'never'
  await world.client.create(object)
  await world.advance(2_000)
  assert.equal(
    await world.condition('Revision', 'hello-00001', 'ContainerHealthy'),
    `False ContainerMissing : Unable to fetch image "${image}": no answer within 2s`,
  )
})

test('an image that no runtime can run is told at once', async () => {
  const object = unresolved([{ name: 'user-container', image }])
  await using world = await aDigestWorld()
  world.objections[image] = 'no container engine answers'
  await world.client.create(object)
  await world.settled()
  assert.equal(
    await world.condition('Revision', 'hello-00001', 'ContainerHealthy'),
    `False ContainerMissing : Unable to fetch image "${image}": no container engine answers`,
  )
})

test('no registry is asked for a digest, a skipped registry, or a program that runs without its image', async () => {
  const pinned = `${image}@sha256:${'b'.repeat(64)}`
  const object = unresolved(
    [
      { name: 'main', image, ports: [{ containerPort: 8080 }] },
      { name: 'pinned', image: pinned },
      { name: 'local', image: 'my.local:5000/x' },
      { name: 'helper', image: 'example.com/helper' },
    ],
    { annotations: { 'knode.dev/command': 'node main.ts', 'knode.dev/command.helper': 'node helper.ts' } },
  )
  await using world = await aDigestWorld({ 'registries-skipping-tag-resolving': 'other, my.local:5000' })
  await world.client.create(object)
  await world.settled()
  assert.deepEqual(world.asked, [])
  assert.deepEqual((await world.revision()).status?.containerStatuses, [
    { name: 'main', imageDigest: '' },
    { name: 'pinned', imageDigest: pinned },
    { name: 'local', imageDigest: '' },
    { name: 'helper', imageDigest: '' },
  ])
})

test('a private registry is asked with the Revision’s pull secrets, and again when they come', async () => {
  const object = unresolved([{ name: 'user-container', image }])
  object.spec.imagePullSecrets = [{ name: 'login' }]
  await using world = await aDigestWorld()
  world.digests[image] = new Error('401 Unauthorized')
  await world.client.create(object)
  await world.settled()
  assert.deepEqual(world.users, [])
  delete world.digests[image]
  const auths = { 'example.com': { username: 'anna', password: 'p' } }
  const data = { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') }
  await world.client.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'login', namespace: 'shop' },
    data,
  } as Resource)
  await world.settled()
  assert.deepEqual(world.users, ['anna'])
  assert.equal((await world.revision()).status?.containerStatuses?.length, 1)
})
