import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { OwnerReference, Resource } from '../../model/kubernetes/resource.ts'
import type { KindDefinition } from '../kind.ts'
import { aKind, anObject, startSmallWorld } from './small-world.ts'
import type { SmallWorld, SmallWorldOptions } from './small-world.ts'

const namespaceKind: KindDefinition = {
  group: '',
  kind: 'Namespace',
  plural: 'namespaces',
  scope: 'Cluster',
  builtIn: true,
  versions: [{ name: 'v1', schema: {}, columns: [] }],
}
const kinds = [aKind('House'), aKind('Room'), aKind('Land', undefined, { scope: 'Cluster' }), namespaceKind]

async function aWorld(options: Partial<SmallWorldOptions> = {}): Promise<SmallWorld> {
  const world = await startSmallWorld({ kinds, ...options })
  await world.settled()
  return world
}

const uid = (kind: string, name: string): string => `uid-${kind}-${name}`
const ref = (kind: string, name: string, more: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion: 'test.knode.dev/v1',
  kind,
  name,
  uid: uid(kind, name),
  ...more,
})
const house = (name: string, metadata: object = {}): Resource =>
  anObject('House', name, { metadata: { uid: uid('House', name), ...metadata } })
const room = (name: string, owners: OwnerReference[], metadata: object = {}): Resource =>
  anObject('Room', name, { metadata: { uid: uid('Room', name), ownerReferences: owners, ...metadata } })

/** What is left, as `Kind name`, with the names of owners. */
async function left({ client }: SmallWorld): Promise<string[]> {
  const objects = [
    ...(await client.list<Resource>('House.test.knode.dev')),
    ...(await client.list<Resource>('Room.test.knode.dev')),
  ]
  return objects.map(({ kind, metadata }) => {
    const owners = metadata.ownerReferences?.map(({ name }) => name).join() ?? ''
    const going = metadata.deletionTimestamp === undefined ? '' : ' (going)'
    return `${kind} ${metadata.name}${owners === '' ? '' : ` of ${owners}`}${going}`
  })
}

const remove = async (
  world: SmallWorld,
  name: string,
  policy?: 'Background' | 'Foreground' | 'Orphan',
): Promise<void> => {
  const options = policy === undefined ? {} : { propagationPolicy: policy }
  await world.client.delete('House.test.knode.dev', 'shop', name, options)
  await world.settled()
}

describe('when an owner is deleted', () => {
  test('its dependents go, and theirs', async () => {
    await using world = await aWorld({
      stored: [
        house('a'),
        room('hall', [ref('House', 'a')]),
        room('closet', [ref('Room', 'hall')]),
        house('b'),
        room('attic', [ref('House', 'b')]),
      ],
    })
    await remove(world, 'a')
    assert.deepEqual(await left(world), ['House b', 'Room attic of b'])
  })

  test('a dependent with another living owner only loses the reference', async () => {
    await using world = await aWorld({
      stored: [house('a'), house('b'), room('hall', [ref('House', 'a'), ref('House', 'b')])],
    })
    await remove(world, 'a')
    assert.deepEqual(await left(world), ['House b', 'Room hall of b'])
    await remove(world, 'b')
    assert.deepEqual(await left(world), [])
  })

  test('a namesake that came after it is not the owner', async () => {
    await using world = await aWorld({ stored: [house('a'), room('hall', [ref('House', 'a')])] })
    await world.client.delete('House.test.knode.dev', 'shop', 'a')
    await world.client.create(house('a', { uid: 'another' }))
    await world.settled()
    assert.deepEqual(await left(world), ['House a'])
  })

  test('a dependent with a finalizer stays until that is gone', async () => {
    await using world = await aWorld({
      stored: [house('a'), room('hall', [ref('House', 'a')], { finalizers: ['theirs.knode.dev'] })],
    })
    await remove(world, 'a')
    assert.deepEqual(await left(world), ['Room hall of a (going)'])
    await world.client.patch('Room.test.knode.dev', 'shop', 'hall', { metadata: { finalizers: [] } })
    await world.settled()
    assert.deepEqual(await left(world), [])
  })

  test('a dependent that was created with a dead owner goes, too', async () => {
    await using world = await aWorld()
    await world.client.create(room('hall', [ref('House', 'never')]))
    await world.settled()
    assert.deepEqual(await left(world), [])
  })

  test('dependents that lost their owner while nobody looked go at the next start', async () => {
    const first = await aWorld({ stored: [house('a'), room('hall', [ref('House', 'a')]), room('free', [])] })
    await first[Symbol.asyncDispose]()
    await first.client.delete('House.test.knode.dev', 'shop', 'a')
    await using second = await aWorld({ store: first.store, clock: first.clock })
    assert.deepEqual(await left(second), ['Room free'])
  })

  test('an owner is looked for in the namespace of the dependent', async () => {
    await using world = await aWorld({
      stored: [house('a', { namespace: 'elsewhere' }), room('hall', [ref('House', 'a')])],
    })
    assert.deepEqual(await left(world), ['House a'])
  })

  test('an owner of cluster scope, or of a kind that is not known, keeps its dependents', async () => {
    const land = anObject('Land', 'plot', { metadata: { uid: uid('Land', 'plot'), namespace: undefined } })
    await using world = await aWorld({
      stored: [land, room('shed', [ref('Land', 'plot')]), room('cave', [ref('Mountain', 'high')])],
    })
    await world.client.create(room('late', [ref('Mountain', 'high')]))
    await world.settled()
    assert.deepEqual(await left(world), ['Room cave of high', 'Room late of high', 'Room shed of plot'])
  })

  test('a dependent that cannot be deleted now is tried again', async () => {
    let failures = 2
    await using world = await aWorld({
      stored: [house('a'), room('hall', [ref('House', 'a')])],
      clientOver(client) {
        const original = client.delete.bind(client)
        client.delete = (kind, namespace, name, options) =>
          kind === 'Room.test.knode.dev' && failures-- > 0
            ? Promise.reject(new Error('disk'))
            : original(kind, namespace, name, options)
        return client
      },
    })
    await remove(world, 'a')
    assert.deepEqual(await left(world), ['Room hall of a'])
    await world.advance(300)
    assert.deepEqual(await left(world), [])
    assert.match(world.warnings[0]!, /garbage collection failed.*"name":"hall"/)
  })
})

describe('deleting in the foreground', () => {
  const blocking = { blockOwnerDeletion: true }

  test('the owner goes after its dependents, and they after theirs', async () => {
    await using world = await aWorld({
      stored: [
        house('a'),
        room('hall', [ref('House', 'a', blocking)]),
        room('closet', [ref('Room', 'hall', blocking)], { finalizers: ['theirs.knode.dev'] }),
      ],
    })
    await remove(world, 'a', 'Foreground')
    assert.deepEqual(await left(world), ['House a (going)', 'Room closet of hall (going)', 'Room hall of a (going)'])
    await world.client.patch('Room.test.knode.dev', 'shop', 'closet', { metadata: { finalizers: [] } })
    await world.settled()
    assert.deepEqual(await left(world), [])
  })

  test('dependents that do not block are not waited for, but go as well', async () => {
    await using world = await aWorld({
      stored: [house('a'), room('hall', [ref('House', 'a')], { finalizers: ['theirs.knode.dev'] })],
    })
    await remove(world, 'a', 'Foreground')
    assert.deepEqual(await left(world), ['Room hall of a (going)'])
  })

  test('a dependent with another owner stays with it', async () => {
    await using world = await aWorld({
      stored: [house('a'), house('b'), room('hall', [ref('House', 'a', blocking), ref('House', 'b')])],
    })
    await remove(world, 'a', 'Foreground')
    assert.deepEqual(await left(world), ['House b', 'Room hall of b'])
  })
})

test('an orphaning deletion keeps the dependents and takes the reference off', async () => {
  await using world = await aWorld({
    stored: [
      house('a'),
      house('b'),
      room('hall', [ref('House', 'a')]),
      room('attic', [ref('House', 'a'), ref('House', 'b')]),
    ],
  })
  await remove(world, 'a', 'Orphan')
  assert.deepEqual(await left(world), ['House b', 'Room attic of b', 'Room hall'])
})

describe('deleting a namespace', () => {
  const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' }, spec: { finalizers: ['kubernetes'] } }

  test('takes all its content along, and then the namespace goes', async () => {
    await using world = await aWorld({ stored: [shop, house('a'), room('hall', []), house('b', { namespace: 'zoo' })] })
    await world.client.delete('Namespace', '', 'shop')
    await world.settled()
    assert.deepEqual(await left(world), ['House b'])
    assert.equal(await world.client.get('Namespace', '', 'shop'), undefined)
  })

  test('waits, Terminating, for objects that have finalizers', async () => {
    await using world = await aWorld({ stored: [shop, house('a', { finalizers: ['theirs.knode.dev'] })] })
    await world.client.delete('Namespace', '', 'shop')
    await world.settled()
    assert.deepEqual((await world.client.get<Resource>('Namespace', '', 'shop'))?.status, { phase: 'Terminating' })
    await world.client.patch('House.test.knode.dev', 'shop', 'a', { metadata: { finalizers: [] } })
    await world.settled()
    assert.equal(await world.client.get('Namespace', '', 'shop'), undefined)
  })

  test('goes on after a restart in between', async () => {
    const first = await aWorld({ stored: [shop, house('a')] })
    await first[Symbol.asyncDispose]()
    await first.client.delete('Namespace', '', 'shop')
    await using second = await aWorld({ store: first.store, clock: first.clock })
    assert.deepEqual(await left(second), [])
    assert.equal(await second.client.get('Namespace', '', 'shop'), undefined)
  })
})
