import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../base/fake-clock.ts'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import type { ReconcileOnceOptions, ReconcileRun } from '../../../engine/control-loop/reconcile-once.ts'
import { StatusError } from '../../../model/kubernetes/status-error.ts'
import type { Condition } from '../../../model/duck/types.ts'
import type { ObjectMeta, Resource } from '../../../model/kubernetes/resource.ts'
import type { RevisionTemplate } from '../../../model/serving/revision-template.ts'
import { setRevisionDefaults } from '../../../model/serving/template-defaults.ts'
import type { Revision } from '../revision/schema.ts'
import { configuration } from './kind.ts'
import { makeRevision } from './make-revision.ts'
import type { Configuration, ConfigurationStatus } from './schema.ts'

const template: RevisionTemplate = { spec: { containers: [{ image: 'example.com/hello' }] } }
const shipped = { defaults: {}, features: {}, autoscaler: {} }

function aConfiguration(
  metadata: Partial<ObjectMeta> = {},
  status?: ConfigurationStatus,
  ofTemplate: RevisionTemplate = template,
): Configuration {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Configuration',
    metadata: { name: 'hello', namespace: 'shop', uid: 'uid-of-hello', generation: 1, ...metadata },
    spec: { template: ofTemplate },
    ...(status === undefined ? {} : { status }),
  }
}

/** The Revision as the API stores it. */
function aRevision(of: Configuration, ready?: Omit<Condition, 'type'>, metadata: Partial<ObjectMeta> = {}): Revision {
  const made = makeRevision(of, 0)
  setRevisionDefaults(made.spec, { config: shipped, operation: 'create' })
  return {
    ...made,
    metadata: { ...made.metadata, uid: `uid-of-${made.metadata.name}`, generation: 1, ...metadata },
    status: { observedGeneration: 1, ...(ready === undefined ? {} : { conditions: [{ type: 'Ready', ...ready }] }) },
  }
}

const run = (
  object: Configuration,
  stored: Resource[] = [],
  options: Partial<ReconcileOnceOptions> = {},
): Promise<ReconcileRun<Configuration>> => reconcileOnce(object, { kind: configuration, stored, ...options })

const revisionsOf = async (outcome: ReconcileRun<Configuration>): Promise<Revision[]> =>
  (await outcome.stored()).filter(({ kind }) => kind === 'Revision') as Revision[]
const told = ({ events }: ReconcileRun<Configuration>): string[] =>
  events.map(({ type, reason, message }) => `${type} ${reason}: ${message}`)

test('a new Configuration makes a Revision of its template', async () => {
  const metadata = {
    labels: { 'serving.knative.dev/service': 'hello', 'serving.knative.dev/serviceUID': 'u', team: 'a' },
    annotations: { 'serving.knative.dev/creator': 'anna', 'serving.knative.dev/lastModifier': 'bert', mine: 'yes' },
    generation: 12,
  }
  const labelled = { ...template, metadata: { labels: { tier: 'web' }, annotations: { note: 'x' } } }
  const outcome = await run(aConfiguration(metadata, undefined, labelled))
  const [revision] = await revisionsOf(outcome)
  assert.equal(revision!.metadata.name, 'hello-00012')
  assert.deepEqual(revision!.metadata.labels, {
    tier: 'web',
    'serving.knative.dev/configuration': 'hello',
    'serving.knative.dev/configurationGeneration': '12',
    'serving.knative.dev/configurationUID': 'uid-of-hello',
    'serving.knative.dev/service': 'hello',
    'serving.knative.dev/serviceUID': 'u',
    'serving.knative.dev/routingState': 'pending',
  })
  assert.deepEqual(revision!.metadata.annotations, {
    note: 'x',
    'serving.knative.dev/creator': 'bert',
    'serving.knative.dev/routingStateModified': '2026-01-01T00:00:00Z',
  })
  assert.deepEqual(revision!.spec, template.spec)
  assert.partialDeepStrictEqual(revision!.metadata.ownerReferences, [{ kind: 'Configuration', controller: true }])
  assert.deepEqual(told(outcome), ['Normal Created: Created Revision "hello-00012"'])
  assert.equal(outcome.status.latestCreatedRevisionName, 'hello-00012')
  assert.deepEqual(outcome.condition('Ready'), { status: 'Unknown' })
})

test('a Revision that a Route will lead to is active from the start', async () => {
  const outcome = await run(aConfiguration({ annotations: { 'serving.knative.dev/routes': 'a,b' } }))
  const [{ metadata }] = (await revisionsOf(outcome)) as [Revision]
  assert.equal(metadata.labels?.['serving.knative.dev/routingState'], 'active')
  assert.equal(metadata.annotations?.['serving.knative.dev/routes'], 'a,b')
})

test('metadata of a Configuration make no Revision, and are not copied to the one there is', async () => {
  const before = aConfiguration()
  const after = aConfiguration({ labels: { team: 'b' }, annotations: { mine: 'yes' } })
  const outcome = await run(after, [aRevision(before, { status: 'True' })])
  const revisions = await revisionsOf(outcome)
  assert.equal(revisions.length, 1)
  assert.equal(revisions[0]?.metadata.labels?.['team'], undefined)
  assert.equal(revisions[0]?.metadata.annotations?.['mine'], undefined)
})

test('a long name is shortened so that the Revision’s fits', async () => {
  const outcome = await run(aConfiguration({ name: 'n'.repeat(63) }))
  const [{ metadata }] = (await revisionsOf(outcome)) as [Revision]
  assert.equal(metadata.name.length, 63)
  assert.match(metadata.name, /-00001$/)
})

test('a Configuration is Ready when its latest Revision is, and tells so once', async () => {
  const object = aConfiguration()
  const outcome = await run(object, [aRevision(object, { status: 'True' })])
  assert.equal(outcome.condition('Ready')?.status, 'True')
  assert.equal(outcome.status.latestReadyRevisionName, 'hello-00001')
  assert.deepEqual(told(outcome), [
    'Normal ConfigurationReady: Configuration becomes ready',
    'Normal LatestReadyUpdate: LatestReadyRevisionName updated to "hello-00001"',
  ])
  const again = await run({ ...object, status: outcome.status }, [aRevision(object, { status: 'True' })])
  assert.deepEqual(told(again), [])
})

test('a newer Revision that fails leaves the one before it latest ready', async () => {
  const first = aConfiguration()
  const ready = { latestCreatedRevisionName: 'hello-00001', latestReadyRevisionName: 'hello-00001' }
  const second = aConfiguration({ generation: 2 }, ready)
  const failure = { status: 'False', reason: 'ExitCode5', message: 'Container failed with: no' } as const
  const stored = [aRevision(first, { status: 'True' }), aRevision(second, failure)]
  const outcome = await run(second, stored)
  assert.partialDeepStrictEqual(outcome.status, {
    latestCreatedRevisionName: 'hello-00002',
    latestReadyRevisionName: 'hello-00001',
  })
  assert.deepEqual(outcome.condition('Ready'), {
    status: 'False',
    reason: 'RevisionFailed',
    message: 'Revision "hello-00002" failed with message: Container failed with: no.',
  })
  assert.deepEqual(told(outcome), ['Warning LatestCreatedFailed: Latest created revision "hello-00002" has failed'])
  const again = await run({ ...second, status: outcome.status }, stored)
  assert.deepEqual(told(again), [])
})

test('a Revision that was ready and fails is told as such', async () => {
  const object = aConfiguration({}, { latestReadyRevisionName: 'hello-00001' })
  const outcome = await run(object, [aRevision(object, { status: 'False', message: 'gone' })])
  assert.deepEqual(told(outcome), ['Warning LatestReadyFailed: Latest ready revision "hello-00001" has failed'])
  assert.equal(outcome.condition('Ready')?.status, 'False')
})

test('the latest ready Revision moves only forward, to the newest that is ready', async () => {
  const generations = [1, 2, 3, 4].map((generation) => aConfiguration({ generation }))
  const [one, two, three, four] = generations as [Configuration, Configuration, Configuration, Configuration]
  const stored = [
    aRevision(one, { status: 'True' }),
    aRevision(two, { status: 'Unknown' }),
    aRevision(three, { status: 'True' }),
    aRevision(four, { status: 'Unknown' }),
  ]
  const forward = await run({ ...four, status: { latestReadyRevisionName: 'hello-00002' } }, stored)
  assert.equal(forward.status.latestReadyRevisionName, 'hello-00003')
  // Older ones that become ready later do not count.
  const never = await run({ ...four, status: { latestReadyRevisionName: 'hello-00004' } }, stored)
  assert.equal(never.status.latestReadyRevisionName, 'hello-00004')
})

test('a Revision that has not seen its own change does not count as ready', async () => {
  const object = aConfiguration()
  const outcome = await run(object, [aRevision(object, { status: 'True' }, { generation: 2 })])
  assert.equal(outcome.status.latestReadyRevisionName, undefined)
})

test('a deleted Revision is made again', async () => {
  const ready = { latestCreatedRevisionName: 'hello-00001', latestReadyRevisionName: 'hello-00001' }
  const outcome = await run(aConfiguration({}, ready))
  assert.deepEqual(
    (await revisionsOf(outcome)).map(({ metadata }) => metadata.name),
    ['hello-00001'],
  )
})

test('going back to a name that was given before uses its Revision again', async () => {
  const named = (name: string, image: string): RevisionTemplate => ({
    metadata: { name },
    spec: { containers: [{ image }] },
  })
  const first = aConfiguration({}, undefined, named('hello-v1', 'example.com/one'))
  const second = aConfiguration({ generation: 2 }, undefined, named('hello-v2', 'example.com/two'))
  const back = aConfiguration(
    { generation: 3 },
    { latestCreatedRevisionName: 'hello-v2', latestReadyRevisionName: 'hello-v2' },
    first.spec.template,
  )
  const outcome = await run(back, [aRevision(first, { status: 'True' }), aRevision(second, { status: 'True' })])
  assert.equal((await revisionsOf(outcome)).length, 2)
  assert.partialDeepStrictEqual(outcome.status, {
    latestCreatedRevisionName: 'hello-v1',
    latestReadyRevisionName: 'hello-v1',
  })
  assert.equal(outcome.condition('Ready')?.status, 'True')
})

test('a name that another Revision has fails the Configuration', async () => {
  const named = { ...template, metadata: { name: 'hello-v1' } }
  const object = aConfiguration({ generation: 2 }, undefined, named)
  const message = 'Revision creation failed with message: revisions.serving.knative.dev "hello-v1" already exists.'
  const foreign = aRevision(object, undefined, { ownerReferences: [] })
  const other = aRevision(
    aConfiguration({}, undefined, { ...named, spec: { containers: [{ image: 'example.com/other' }] } }),
  )
  for (const taken of [foreign, other]) {
    const outcome = await run(object, [taken])
    assert.deepEqual(outcome.condition('Ready'), { status: 'False', reason: 'RevisionFailed', message })
    assert.equal(outcome.status.latestCreatedRevisionName, undefined)
  }
})

test('a Revision that the API refuses fails the Configuration, and is tried again', async () => {
  const refusal = new StatusError(400, 'BadRequest', 'no')
  const object = aConfiguration()
  const client = { create: (child: Resource) => (child.kind === 'Revision' ? Promise.reject(refusal) : child) }
  const outcome = await run(object, [], { deps: { client: client as never } })
  assert.equal(outcome.thrown, refusal)
  assert.deepEqual(outcome.condition('Ready'), {
    status: 'False',
    reason: 'RevisionFailed',
    message: 'Revision creation failed with message: no.',
  })
  assert.deepEqual(told(outcome), ['Warning CreationFailed: Failed to create Revision: no'])
})

test('what was made a moment ago, and the cache does not show yet, is not made twice', async () => {
  const object = aConfiguration()
  const made = aRevision(object)
  const client = {
    create: (child: Resource) =>
      child.kind === 'Revision' ? Promise.reject(new StatusError(409, 'AlreadyExists', 'there')) : child,
    get: () => Promise.resolve(made),
  }
  const outcome = await run(object, [], { deps: { client: client as never } })
  assert.equal(outcome.thrown, undefined)
  assert.equal(outcome.status.latestCreatedRevisionName, 'hello-00001')
  assert.deepEqual(told(outcome), [])
})

test('Revisions that nobody needs any more are deleted as config-gc says, and looked at again in time', async () => {
  const clock = new FakeClock()
  const hoursAgo = (hours: number): string => new Date(clock.now() - hours * 3_600_000).toISOString()
  const generations = [1, 2, 3].map((generation) => aConfiguration({ generation }))
  const reserve = (of: Configuration, hours: number): Revision => {
    const revision = aRevision(of, { status: 'True' }, { creationTimestamp: hoursAgo(hours) })
    revision.metadata.labels!['serving.knative.dev/routingState'] = 'reserve'
    revision.metadata.annotations!['serving.knative.dev/routingStateModified'] = hoursAgo(hours)
    return revision
  }
  const configMap = (data: Record<string, string>): Resource & { data: object } => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'config-gc', namespace: 'knative-serving' },
    data,
  })
  const stored = [reserve(generations[0]!, 50), reserve(generations[1]!, 40), aRevision(generations[2]!)]
  const object = { ...generations[2]!, status: { latestReadyRevisionName: 'hello-00003' } }
  const kept = await run(object, [...stored, configMap({})], { deps: { clock } })
  assert.deepEqual(kept.removed, [])
  assert.equal(kept.requeueAfterMs, undefined)
  const rules = configMap({ 'min-non-active-revisions': '0' })
  const collected = await run(object, [...stored, rules], { deps: { clock } })
  assert.deepEqual(collected.removed, ['Revision.serving.knative.dev shop/hello-00001'])
  assert.equal(collected.requeueAfterMs, 8 * 3_600_000)
})
