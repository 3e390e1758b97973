import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { aCronTab, aServer, asJane, cronTabId } from '../test-server.ts'
import type { TestServer } from '../test-server.ts'

async function create(server: TestServer, spec: object, as: string): Promise<Resource> {
  const options = { ...asJane, fieldManager: as }
  return (await server.operations.create(server.target(cronTabId), 'shop', aCronTab('c', spec), options)).object
}

async function patch(server: TestServer, body: object, as: string, subresource?: 'status'): Promise<Resource> {
  const options = { ...asJane, fieldManager: as, ...(subresource === undefined ? {} : { subresource }) }
  return (await server.operations.patch(server.target(cronTabId), 'shop', 'c', { type: 'merge', body }, options)).object
}

const owners = ({ metadata }: Resource) =>
  (metadata.managedFields ?? []).map(({ manager, operation, subresource, fieldsV1 }) => ({
    who: [manager, operation, ...(subresource === undefined ? [] : [subresource])].join(' '),
    fieldsV1,
  }))

test('whoever creates an object owns all that was given', async () => {
  const server = await aServer()
  const object = await create(server, { steps: ['a'], limits: { cpu: '1' } }, 'kubectl-create')
  assert.deepEqual(owners(object), [
    {
      who: 'kubectl-create Update',
      fieldsV1: {
        'f:spec': { '.': {}, 'f:limits': { '.': {}, 'f:cpu': {} }, 'f:schedule': {}, 'f:steps': {} },
      },
    },
  ])
})

test('a writer takes what it changes or adds, and what it removes is nobody’s', async () => {
  const server = await aServer()
  await create(server, { steps: ['a'], limits: { cpu: '1', disk: '2' } }, 'one')
  const object = await patch(server, { spec: { schedule: 'x', limits: { cpu: null, gpu: '3' } } }, 'two')
  assert.deepEqual(owners(object), [
    { who: 'one Update', fieldsV1: { 'f:spec': { '.': {}, 'f:limits': { '.': {}, 'f:disk': {} }, 'f:steps': {} } } },
    { who: 'two Update', fieldsV1: { 'f:spec': { 'f:limits': { 'f:gpu': {} }, 'f:schedule': {} } } },
  ])
})

test('a write that changes nothing leaves no trace', async () => {
  const server = await aServer()
  const before = await create(server, {}, 'one')
  await server.clock.advance(60_000)
  assert.deepEqual(await patch(server, { spec: { schedule: '* * * * *' } }, 'two'), before)
})

test('writes to the status have their own entry, and times say when a set last changed', async () => {
  const server = await aServer()
  await create(server, {}, 'one')
  await server.clock.advance(60_000)
  const object = await patch(server, { status: { replicas: 1 } }, 'controller', 'status')
  assert.deepEqual(
    (object.metadata.managedFields ?? []).map(({ manager, subresource, time }) => [manager, subresource, time]),
    [
      ['one', undefined, '2026-01-01T00:00:00Z'],
      ['controller', 'status', '2026-01-01T00:01:00Z'],
    ],
  )
})

test('a value that becomes another type is taken with everything below', async () => {
  const server = await aServer()
  await create(server, { extra: { a: { b: 1, c: 2 } } }, 'one')
  const object = await patch(server, { spec: { extra: { a: 'text' } } }, 'two')
  assert.deepEqual(owners(object), [
    { who: 'one Update', fieldsV1: { 'f:spec': { '.': {}, 'f:extra': {}, 'f:schedule': {} } } },
    { who: 'two Update', fieldsV1: { 'f:spec': { 'f:extra': { 'f:a': {} } } } },
  ])
})

test('a changed list in the body replaces the entries, a bad one does not, an empty one clears them for good', async () => {
  const server = await aServer()
  await create(server, {}, 'one')
  const entry = {
    manager: 'moved',
    operation: 'Apply',
    apiVersion: 'stable.example.com/v1',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:spec': { 'f:schedule': {} } },
  }
  const moved = await patch(server, { metadata: { managedFields: [entry] } }, 'kubectl')
  assert.deepEqual(owners(moved), [{ who: 'moved Apply', fieldsV1: entry.fieldsV1 }])
  const bad = await patch(server, { metadata: { managedFields: [{ ...entry, operation: 'Guess' }] } }, 'kubectl')
  assert.deepEqual(owners(bad), owners(moved))
  const cleared = await patch(server, { metadata: { managedFields: [{}] } }, 'kubectl')
  assert.equal(cleared.metadata.managedFields, undefined)
  const later = await patch(server, { spec: { schedule: 'x' } }, 'two')
  assert.equal(later.metadata.managedFields, undefined)
})

test('an update without managedFields keeps them', async () => {
  const server = await aServer()
  const { metadata } = await create(server, {}, 'one')
  const { resourceVersion } = metadata
  const body = { ...aCronTab('c', { schedule: 'x' }), metadata: { name: 'c', resourceVersion } }
  const options = { ...asJane, fieldManager: 'two' }
  const { object } = await server.operations.update(server.target(cronTabId), 'shop', 'c', body, options)
  assert.deepEqual(
    owners(object).map(({ who }) => who),
    ['one Update', 'two Update'],
  )
})

test('at most ten updaters are told apart; the oldest become one', async () => {
  const server = await aServer()
  await create(server, {}, 'm00')
  for (let index = 1; index <= 12; index++) {
    await server.clock.advance(1000)
    await patch(server, { spec: { limits: { [`k${index}`]: 'x' } } }, `m${String(index).padStart(2, '0')}`)
  }
  const object = await server.operations.get(server.target(cronTabId), 'shop', 'c')
  const names = (object.metadata.managedFields ?? []).map(({ manager }) => manager)
  assert.equal(names.length, 10)
  assert.deepEqual(names.slice(0, 2), ['ancient-changes', 'm04'])
})
