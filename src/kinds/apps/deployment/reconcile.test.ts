import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../base/fake-clock.ts'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import type { ReconcileOnceOptions } from '../../../engine/control-loop/reconcile-once.ts'
import type { Workers } from '../../../engine/reconciler.ts'
import { createPodTable } from '../../../engine/pod-table.ts'
import type { Pod } from '../../../model/kubernetes/pod/pod.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { StatusError } from '../../../model/kubernetes/status-error.ts'
import { setDefaults } from './defaults.ts'
import { deployment } from './kind.ts'
import { aPodOf, templateHash } from './pods.ts'
import type { Deployment, DeploymentSpec } from './schema.ts'

function aDeployment(spec: Partial<DeploymentSpec> = {}): Deployment {
  const made: Deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', uid: 'uid-of-web', generation: 3 },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' }, annotations: { 'knode.dev/command': 'run' } },
        spec: { containers: [{ name: 'c', image: 'i' }] },
      },
      ...spec,
    },
  }
  setDefaults(made)
  return made
}

function aPod(
  owner: Deployment,
  name: string,
  { isReady = true, hash = templateHash(owner.spec.template!) } = {},
): Pod {
  const made = aPodOf(owner, hash, { next: () => 0, uuid: () => '' })
  const lastTransitionTime = '2026-01-01T00:00:00Z'
  return {
    ...made,
    metadata: { ...made.metadata, name, uid: `uid-${name}` },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime }],
    },
  }
}

/** Workers that are kept, as the controller does. */
function someWorkers(): Pick<Workers, 'ensure'> {
  const known = new Set<string>()
  return {
    async ensure(name, spec, start) {
      if (!known.has(name)) await start(spec)
      known.add(name)
    },
  }
}

const run = (object: Deployment, options: Partial<ReconcileOnceOptions> = {}) =>
  reconcileOnce(object, { kind: deployment, startWorkers: true, ...options })
const podsOf = (objects: Resource[]): Pod[] => objects.filter(({ kind }) => kind === 'Pod') as Pod[]
const living = (objects: Resource[]): string[] =>
  podsOf(objects)
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name)

test('Pods are made of the template, owned, labelled with its hash, and kept until their requests are done', async () => {
  const { stored, status, thrown } = await run(aDeployment())
  assert.equal(thrown, undefined)
  const pods = podsOf(await stored())
  assert.equal(pods.length, 2)
  const { metadata, spec } = pods[0]!
  const hash = templateHash(aDeployment().spec.template!)
  assert.match(metadata.name, new RegExp(`^web-${hash}-[bcdfghjklmnpqrstvwxz2456789]{5}$`))
  assert.deepEqual(metadata.labels, { app: 'web', 'pod-template-hash': hash })
  assert.deepEqual(metadata.annotations, { 'knode.dev/command': 'run' })
  assert.deepEqual(metadata.finalizers, ['pods.knode.dev'])
  assert.deepEqual(metadata.ownerReferences?.[0], {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    name: 'web',
    uid: 'uid-of-web',
    controller: true,
    blockOwnerDeletion: true,
  })
  assert.equal(spec.containers?.[0]?.image, 'i')
  assert.deepEqual([status.replicas, status.updatedReplicas, status.readyReplicas], [2, 2, undefined])
  assert.equal(status.observedGeneration, 3)
  assert.equal(status.unavailableReplicas, 2)
})

test('the status counts what is ready, and Pods of other owners are none of its', async () => {
  const object = aDeployment()
  const stranger = {
    ...aPod(object, 'stranger'),
    metadata: { ...aPod(object, 'stranger').metadata, ownerReferences: [] },
  }
  const { status, stored } = await run(object, {
    stored: [aPod(object, 'a'), aPod(object, 'b', { isReady: false }), stranger],
  })
  assert.deepEqual(
    [status.replicas, status.readyReplicas, status.availableReplicas, status.unavailableReplicas],
    [2, 1, 1, 1],
  )
  assert.equal(podsOf(await stored()).length, 3)
})

test('with fewer wanted, the Pod that works on nothing goes', async () => {
  const object = aDeployment({ replicas: 1 })
  const clock = new FakeClock()
  const pods = createPodTable({ clock })
  for (const name of ['busy', 'idle']) {
    const { labels = {} } = aPod(object, name).metadata
    pods.register({
      namespace: 'shop',
      name,
      uid: `uid-${name}`,
      labels,
      host: 'h',
      isReady: true,
      ports: new Map(),
      portNames: new Map(),
    })
  }
  pods.select('shop', { app: 'web' })[0]!.acquire()
  const { stored, status } = await run(object, {
    stored: [aPod(object, 'busy'), aPod(object, 'idle')],
    deps: { pods, clock },
  })
  assert.deepEqual(living(await stored()), ['busy'])
  assert.deepEqual([status.replicas, status.terminatingReplicas], [1, 1])
})

test('a Pod that was ready for less than minReadySeconds is not available yet, and time will tell', async () => {
  const object = aDeployment({ replicas: 1, minReadySeconds: 30 })
  const { status, requeueAfterMs } = await run(object, { stored: [aPod(object, 'a')] })
  assert.deepEqual([status.readyReplicas, status.availableReplicas], [1, undefined])
  assert.equal(requeueAfterMs, 30_000)
})

test('Pods that have ended for good are replaced', async () => {
  const object = aDeployment({ replicas: 1 })
  const ended: Pod = { ...aPod(object, 'a'), status: { phase: 'Failed' } }
  const { stored } = await run(object, { stored: [ended] })
  assert.equal(podsOf(await stored()).length, 2)
})

test('Pods that the API refuses are told, and tried again', async () => {
  const reconciler = deployment.reconciler!({
    client: {
      create: () => Promise.reject(new StatusError(403, 'Forbidden', 'pods "web" is forbidden: exceeded quota')),
    },
    pods: createPodTable({ clock: new FakeClock() }),
    clock: new FakeClock(),
    random: { next: () => 0 },
  } as never)
  const object = aDeployment()
  const events: string[] = []
  const waits: number[] = []
  await reconciler.reconcile(object, {
    children: () => [],
    workers: someWorkers(),
    event: (type: string, reason: string, message: string) => void events.push(`${type} ${reason} ${message}`),
    requeueAfter: (ms: number) => void waits.push(ms),
  } as never)
  const failure = object.status?.conditions?.find(({ type }) => type === 'ReplicaFailure')
  assert.deepEqual([failure?.reason, failure?.message], ['FailedCreate', 'pods "web" is forbidden: exceeded quota'])
  assert.deepEqual(events, ['Warning FailedCreate Error creating: pods "web" is forbidden: exceeded quota'])
  assert.ok(waits.includes(5_000))
})

test('what was just made or removed counts, though the cache does not show it yet', async () => {
  const made = new Map<string, Pod>()
  const deleted: string[] = []
  const clock = new FakeClock()
  const client = {
    create(pod: Pod) {
      made.set(pod.metadata.name, pod)
      return Promise.resolve(pod)
    },
    get: (_: string, __: string, name: string) => Promise.resolve(made.get(name)),
    delete: (_: string, __: string, name: string) => Promise.resolve(void deleted.push(name)),
  }
  let next = 0
  const reconciler = deployment.reconciler!({
    client,
    clock,
    pods: createPodTable({ clock }),
    random: { next: () => (next = (next + 0.37) % 1) },
  } as never)
  let cached: Pod[] = []
  const workers = someWorkers()
  const reconcile = async (replicas: number): Promise<Deployment> => {
    const object = aDeployment({ replicas })
    const context = { children: () => cached, event: () => undefined, requeueAfter: () => undefined, workers }
    await reconciler.reconcile(object, context as never)
    return object
  }
  await reconcile(2)
  await reconcile(2)
  assert.equal(made.size, 2)
  cached = [...made.values()]
  await reconcile(1)
  await reconcile(1)
  assert.equal(deleted.length, 1)
  const [kept] = cached.filter(({ metadata }) => metadata.name !== deleted[0])
  made.delete(deleted[0]!)
  cached = [kept!]
  assert.equal((await reconcile(1)).status?.replicas, 1)
  assert.deepEqual([made.size, deleted.length], [1, 1])
})

test('a Deployment that makes more Pods does that first, and tells it a moment later', async () => {
  const object = { ...aDeployment({ replicas: 1 }), status: { observedGeneration: 2 } }
  const { stored, status, requeueAfterMs } = await run(object)
  assert.equal(podsOf(await stored()).length, 1)
  assert.deepEqual([status.observedGeneration, requeueAfterMs], [2, 20])
})

test('a Pod that could not be removed is still there, and removed the next time', async () => {
  const clock = new FakeClock()
  const cached = [aPod(aDeployment(), 'a'), aPod(aDeployment(), 'b')]
  const asked: string[] = []
  const client = {
    delete(_: string, __: string, name: string) {
      asked.push(name)
      return asked.length === 1 ? Promise.reject(new Error('the disk is full')) : Promise.resolve()
    },
  }
  const random = { next: () => 0 }
  const reconciler = deployment.reconciler!({ client, clock, pods: createPodTable({ clock }), random } as never)
  const workers = someWorkers()
  const context = { children: () => cached, event: () => undefined, requeueAfter: () => undefined, workers } as never
  await assert.rejects(reconciler.reconcile(aDeployment({ replicas: 1 }), context), /disk is full/)
  await reconciler.reconcile(aDeployment({ replicas: 1 }), context)
  assert.equal(asked.length, 2)
})
