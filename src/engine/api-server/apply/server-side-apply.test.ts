import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '../../../model/kubernetes/status-error.ts'
import type { ManagedFieldsEntry, Resource } from '../../../model/kubernetes/resource.ts'
import { aCronTab, aServer, aTrigger, asJane, cronTabId, deploymentId, triggerId } from '../test-server.ts'
import type { TestServer } from '../test-server.ts'

interface ApplyOptions {
  as?: string
  force?: boolean
  id?: string
}

async function apply(
  server: TestServer,
  body: object,
  { as = 'alice', force = false, id = cronTabId }: ApplyOptions = {},
) {
  const { name } = (body as Resource).metadata
  const options = { ...asJane, fieldManager: as, force }
  return server.operations.patch(server.target(id), 'shop', name, { type: 'apply', body }, options)
}

async function update(server: TestServer, as: string, name: string, patch: object, id = cronTabId) {
  const options = { ...asJane, fieldManager: as }
  return (await server.operations.patch(server.target(id), 'shop', name, { type: 'merge', body: patch }, options))
    .object
}

const spec = (object: Resource): Record<string, unknown> => object.spec as Record<string, unknown>

const ownersOf = ({ metadata }: Resource): Record<string, unknown> =>
  Object.fromEntries((metadata.managedFields ?? []).map((entry) => [ownerName(entry), entry.fieldsV1]))

const ownerName = ({ manager, operation, subresource }: ManagedFieldsEntry): string =>
  `${manager} ${operation}${subresource === undefined ? '' : ` ${subresource}`}`

test('applying to nothing creates the object and owns what was given, not what was defaulted', async () => {
  const server = await aServer()
  const { object, created } = await apply(
    server,
    aCronTab('c', { limits: { cpu: '1' }, jobs: [{ name: 'j' }], tags: ['t'] }),
  )
  assert.equal(created, true)
  assert.equal(spec(object)['replicas'], 1)
  assert.deepEqual(object.metadata.managedFields, [
    {
      manager: 'alice',
      operation: 'Apply',
      apiVersion: 'stable.example.com/v1',
      time: '2026-01-01T00:00:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:spec': {
          'f:jobs': { 'k:{"name":"j"}': { '.': {}, 'f:name': {} } },
          'f:limits': { 'f:cpu': {} },
          'f:schedule': {},
          'f:tags': { 'v:"t"': {} },
        },
      },
    },
  ])
})

test('applying the same again changes nothing, not even the revision', async () => {
  const server = await aServer()
  const body = aCronTab('c', { jobs: [{ name: 'j', image: 'i' }], steps: ['a', 'b'], tags: ['x', 'y'] })
  const first = await apply(server, body)
  await server.clock.advance(60_000)
  const second = await apply(server, body)
  assert.equal(second.created, false)
  assert.deepEqual(second.object, first.object)
})

test('a field that the manager gives up is removed, one that somebody else owns too stays', async () => {
  const server = await aServer()
  await apply(server, aCronTab('c', { limits: { cpu: '1', memory: '2' }, extra: { a: { b: 1 } } }))
  await apply(server, { ...aCronTab('c'), spec: { limits: { memory: '2' } } }, { as: 'bob' })
  const { object } = await apply(server, aCronTab('c'))
  assert.deepEqual(spec(object), { schedule: '* * * * *', replicas: 1, limits: { memory: '2' } })
  assert.deepEqual(ownersOf(object), {
    'alice Apply': { 'f:spec': { 'f:schedule': {} } },
    'bob Apply': { 'f:spec': { 'f:limits': { 'f:memory': {} } } },
  })
})

test('items and fields given up go, what another manager added beside them stays', async () => {
  const server = await aServer()
  await apply(server, aCronTab('c', { jobs: [{ name: 'j', image: 'i' }, { name: 'k' }], limits: { cpu: '1' } }))
  await update(server, 'hand', 'c', { spec: { limits: { disk: '3' } } })
  const { object } = await apply(server, aCronTab('c', { jobs: [{ name: 'j' }] }))
  assert.deepEqual(spec(object), { schedule: '* * * * *', replicas: 1, limits: { disk: '3' }, jobs: [{ name: 'j' }] })
})

test('another value for a field of somebody else is a conflict that names manager and path', async () => {
  const server = await aServer()
  await apply(server, aTrigger('t', { spec: { broker: 'a' } }), { as: 'kubectl', id: triggerId })
  await update(server, 'kubectl-edit', 't', { spec: { subscriber: { uri: 'http://b' } } }, triggerId)
  await assert.rejects(
    apply(server, aTrigger('t', { spec: { broker: 'a' } }), { id: triggerId }),
    (thrown: unknown) => {
      assert.ok(thrown instanceof StatusError)
      assert.deepEqual(thrown.toStatus(), {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message:
          'Apply failed with 1 conflict: conflict with "kubectl-edit" using eventing.knative.dev/v1: .spec.subscriber.uri',
        reason: 'Conflict',
        details: {
          causes: [
            {
              reason: 'FieldManagerConflict',
              message: 'conflict with "kubectl-edit" using eventing.knative.dev/v1',
              field: '.spec.subscriber.uri',
            },
          ],
        },
        code: 409,
      })
      return true
    },
  )
})

test('several conflicts are listed by manager, list items by their keys', async () => {
  const server = await aServer()
  await apply(server, aCronTab('c', { jobs: [{ name: 'j', image: '1' }] }), { as: 'm' })
  await apply(server, { ...aCronTab('c'), spec: { steps: ['a'] } }, { as: 'n' })
  await assert.rejects(
    apply(server, aCronTab('c', { schedule: 'x', jobs: [{ name: 'j', image: '2' }], steps: ['b'] })),
    {
      message: [
        'Apply failed with 3 conflicts: conflicts with "m":',
        '- .spec.jobs[name="j"].image',
        '- .spec.schedule',
        'conflicts with "n":',
        '- .spec.steps',
      ].join('\n'),
    },
  )
})

test('the same value is shared, and force takes a field over', async () => {
  const server = await aServer()
  await apply(server, aCronTab('c', { schedule: 'a' }), { as: 'm' })
  const shared = await apply(server, aCronTab('c', { schedule: 'a' }))
  assert.deepEqual(Object.keys(ownersOf(shared.object)), ['alice Apply', 'm Apply'])
  const { object } = await apply(server, aCronTab('c', { schedule: 'b' }), { force: true })
  assert.equal(spec(object)['schedule'], 'b')
  assert.deepEqual(ownersOf(object), { 'alice Apply': { 'f:spec': { 'f:schedule': {} } } })
})

test('keyed lists and sets merge with the items of others, atomic lists are replaced whole', async () => {
  const server = await aServer()
  await apply(server, aCronTab('c', { jobs: [{ name: 'a' }, { name: 'b' }], tags: ['x'], steps: ['1', '2'] }), {
    as: 'm',
  })
  const body = { jobs: [{ name: 'c' }, { name: 'a', image: 'i' }], tags: ['y'], steps: ['3'] }
  const { object } = await apply(server, aCronTab('c', body), { force: true })
  const { jobs, tags, steps } = spec(object)
  assert.deepEqual(jobs, [{ name: 'c' }, { name: 'a', image: 'i' }, { name: 'b' }])
  assert.deepEqual([...(tags as string[])].sort(), ['x', 'y'])
  assert.deepEqual(steps, ['3'])
})

test('built-in kinds merge by the keys of their Go types', async () => {
  const server = await aServer()
  const deployment = (containers: object[]) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd' },
    spec: { template: { spec: { containers } } },
  })
  await apply(server, deployment([{ name: 'a', ports: [{ containerPort: 80 }], args: ['x'] }]), { id: deploymentId })
  const { object } = await apply(server, deployment([{ name: 'b' }]), { as: 'bob', id: deploymentId })
  assert.deepEqual(spec(object)['template'], {
    spec: { containers: [{ name: 'b' }, { name: 'a', ports: [{ containerPort: 80, protocol: 'TCP' }], args: ['x'] }] },
  })
  assert.deepEqual(ownersOf(object)['alice Apply'], {
    'f:spec': {
      'f:template': {
        'f:spec': {
          'f:containers': {
            'k:{"name":"a"}': {
              '.': {},
              'f:args': {},
              'f:name': {},
              'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
            },
          },
        },
      },
    },
  })
})

test('labels, annotations and finalizers are applied one by one', async () => {
  const server = await aServer()
  const withMeta = (metadata: object) => ({ ...aCronTab('c'), metadata: { name: 'c', ...metadata } })
  await apply(server, withMeta({ labels: { a: '1' }, finalizers: ['example.com/a'] }))
  const both = await apply(server, withMeta({ labels: { b: '2' }, finalizers: ['example.com/b'] }), { as: 'bob' })
  assert.deepEqual(both.object.metadata.labels, { a: '1', b: '2' })
  assert.deepEqual(both.object.metadata.finalizers, ['example.com/b', 'example.com/a'])
  const { object } = await apply(server, aCronTab('c'))
  assert.deepEqual(object.metadata.labels, { b: '2' })
  assert.deepEqual(object.metadata.finalizers, ['example.com/b'])
})

test('the status is applied through its own door only', async () => {
  const server = await aServer()
  const { object } = await apply(server, { ...aCronTab('c'), status: { replicas: 9 } })
  assert.equal(object.status, undefined)
  assert.deepEqual(ownersOf(object), { 'alice Apply': { 'f:spec': { 'f:schedule': {} } } })
  const options = { ...asJane, fieldManager: 'bob', subresource: 'status' } as const
  const patch = { type: 'apply', body: { ...aCronTab('c', { schedule: 'ignored' }), status: { replicas: 2 } } } as const
  const written = await server.operations.patch(server.target(cronTabId), 'shop', 'c', patch, options)
  assert.deepEqual([written.object.status, spec(written.object)['schedule']], [{ replicas: 2 }, '* * * * *'])
  assert.deepEqual(ownersOf(written.object)['bob Apply status'], { 'f:status': { 'f:replicas': {} } })
  assert.equal(written.object.metadata.generation, 1)
})

const refusals: [what: string, body: object, options: object, code: number, message: string][] = [
  [
    'without a field manager',
    aCronTab('c'),
    { fieldManager: '' },
    422,
    'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
  ],
  [
    'with managed fields in the body',
    { ...aCronTab('c'), metadata: { name: 'c', managedFields: [] } },
    {},
    400,
    'metadata.managedFields must be nil',
  ],
  [
    'with unknown fields, strictly',
    aCronTab('c', { foo: 1 }),
    { fieldValidation: 'Strict' },
    400,
    'CronTab in version "v1" cannot be handled as a CronTab: strict decoding error: unknown field "spec.foo"',
  ],
  ['under another name', aCronTab('d'), {}, 400, 'the name of the object (d) does not match the name on the URL (c)'],
]

for (const [what, body, options, code, message] of refusals) {
  test(`an apply ${what} is refused with ${code}`, async () => {
    const { operations, target } = await aServer()
    const all = { ...asJane, fieldManager: 'alice', ...options }
    await assert.rejects(operations.patch(target(cronTabId), 'shop', 'c', { type: 'apply', body }, all), {
      code,
      message,
    })
  })
}

test('force belongs to apply alone', async () => {
  const { operations, target } = await aServer()
  await operations.create(target(cronTabId), 'shop', aCronTab('c'), asJane)
  const patch = { type: 'merge', body: {} } as const
  await assert.rejects(operations.patch(target(cronTabId), 'shop', 'c', patch, { ...asJane, force: true }), {
    code: 422,
    message: 'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
  })
})

test('what was there before anybody managed it counts as somebody’s', async () => {
  const server = await aServer()
  await server.operations.create(server.target(cronTabId), 'shop', aCronTab('c', { schedule: 'a' }), asJane)
  await update(server, 'hand', 'c', { metadata: { managedFields: [{}] } })
  await assert.rejects(apply(server, aCronTab('c', { schedule: 'b' })), {
    message:
      'Apply failed with 1 conflict: conflict with "before-first-apply" using stable.example.com/v1: .spec.schedule',
  })
})

test('kubectl may apply over what its own client-side apply set, but not over what others changed since', async () => {
  const server = await aServer()
  const lastApplied = JSON.stringify(aCronTab('c', { schedule: 'a', steps: ['x'] }))
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': lastApplied }
  const body = { ...aCronTab('c', { schedule: 'a', steps: ['x'] }), metadata: { name: 'c', annotations } }
  const options = { ...asJane, fieldManager: 'kubectl-client-side-apply' }
  await server.operations.create(server.target(cronTabId), 'shop', body, options)
  await assert.rejects(apply(server, aCronTab('c', { schedule: 'b' }), { as: 'somebody' }), { code: 409 })
  const { object } = await apply(server, aCronTab('c', { schedule: 'b' }), { as: 'kubectl' })
  assert.equal(spec(object)['schedule'], 'b')
  await update(server, 'hand', 'c', { spec: { steps: ['changed'] } })
  await assert.rejects(apply(server, aCronTab('c', { schedule: 'b', steps: ['z'] }), { as: 'kubectl' }), { code: 409 })
})

test('two first applies at the same time end as one object with both managers', async () => {
  const server = await aServer()
  const results = await Promise.all([
    apply(server, aCronTab('c', { limits: { a: '1' } })),
    apply(server, aCronTab('c', { limits: { b: '2' } }), { as: 'bob' }),
  ])
  assert.equal(results.filter(({ created }) => created).length, 1)
  const object = await server.operations.get(server.target(cronTabId), 'shop', 'c')
  assert.deepEqual(spec(object)['limits'], { a: '1', b: '2' })
})
