import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeClock } from '../../base/fake-clock.ts'
import type { OwnerReference, Resource } from '../../model/kubernetes/resource.ts'
import { openResourceStore } from '../../ports/resource-store/open.ts'
import { appliedAnnotation, applyChild } from './apply.ts'
import { FakeClient } from './fake-client.ts'

const owner: OwnerReference = { apiVersion: 'test.knode.dev/v1', kind: 'House', name: 'home', uid: 'uid-home' }

const lamp = (spec: object, metadata: object = {}): Resource => ({
  apiVersion: 'test.knode.dev/v1',
  kind: 'Lamp',
  metadata: { name: 'desk', namespace: 'shop', ownerReferences: [owner], ...metadata },
  spec,
})

async function aClient(): Promise<FakeClient> {
  return new FakeClient({ store: await openResourceStore({ driver: 'memory' }), clock: new FakeClock() })
}

const stored = async (client: FakeClient): Promise<Resource> =>
  (await client.get<Resource>('Lamp.test.knode.dev', 'shop', 'desk'))!

/** Somebody else changes the stored child. */
async function edit(
  client: FakeClient,
  change: (draft: Resource & { spec: Record<string, unknown> }) => void,
): Promise<void> {
  const draft = structuredClone(await stored(client)) as Resource & { spec: Record<string, unknown> }
  change(draft)
  await client.update(draft)
}

const withoutApplied = (annotations: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations).filter(([name]) => name !== appliedAnnotation))

describe('applying a child', () => {
  test('creates it with its owner, without the status that was given', async () => {
    const client = await aClient()
    const made = await applyChild({ ...lamp({ watts: 40 }), status: { on: true } }, client)
    assert.deepEqual(made.spec, { watts: 40 })
    assert.deepEqual(made.metadata.ownerReferences, [owner])
    assert.equal(made.status, undefined)
  })

  test('applying the same again writes nothing, in whatever order its keys come', async () => {
    const client = await aClient()
    const { resourceVersion } = (await applyChild(lamp({ watts: 40, shade: { colour: 'red', size: 1 } }), client))
      .metadata
    await edit(client, (draft) => void (draft.metadata.labels = { theirs: 'yes' }))
    const before = await stored(client)
    const after = await applyChild(lamp({ shade: { size: 1, colour: 'red' }, watts: 40 }), client)
    assert.equal(after.metadata.resourceVersion, before.metadata.resourceVersion)
    assert.notEqual(after.metadata.resourceVersion, resourceVersion)
  })

  test('leaves fields alone that others wrote, and defaults that the API filled in', async () => {
    const client = await aClient()
    await applyChild(lamp({ watts: 40, shade: { colour: 'red' } }), client)
    await edit(client, (draft) => {
      draft.spec['subscribers'] = ['theirs']
      draft.spec['shade'] = { colour: 'red', size: 'default' }
      draft.metadata.annotations = { ...draft.metadata.annotations, theirs: 'yes' }
      draft.metadata.finalizers = ['theirs.knode.dev']
    })
    const before = await stored(client)
    assert.equal(
      (await applyChild(lamp({ watts: 40, shade: { colour: 'red' } }), client)).metadata.resourceVersion,
      before.metadata.resourceVersion,
    )
    const after = await applyChild(lamp({ watts: 60, shade: { colour: 'red' } }), client)
    assert.deepEqual(after.spec, { watts: 60, shade: { colour: 'red' }, subscribers: ['theirs'] })
    assert.deepEqual(withoutApplied(after.metadata.annotations), { theirs: 'yes' })
    assert.deepEqual(after.metadata.finalizers, ['theirs.knode.dev'])
  })

  test('restores a given field that somebody changed, removed or made longer', async () => {
    const client = await aClient()
    const wanted = lamp({ watts: 40, steps: [1, 2] }, { labels: { ours: 'yes' }, annotations: { note: 'ours' } })
    await applyChild(wanted, client)
    await edit(client, (draft) => {
      draft.spec = { watts: 100, steps: [1, 2, 3] }
      draft.metadata.labels = {}
      draft.metadata.ownerReferences = []
    })
    const after = await applyChild(wanted, client)
    assert.deepEqual(after.spec, { watts: 40, steps: [1, 2] })
    assert.deepEqual(after.metadata.labels, { ours: 'yes' })
    assert.deepEqual(after.metadata.ownerReferences, [owner])
  })

  test('drops a field, label or annotation that the owner gave before and gives no more', async () => {
    const client = await aClient()
    const before = lamp(
      { watts: 40, reply: { uri: 'http://a' }, shade: { colour: 'red', size: 1 } },
      { labels: { a: '1', b: '2' }, annotations: { c: '3' } },
    )
    await applyChild(before, client)
    const after = await applyChild(lamp({ watts: 40, shade: { colour: 'red' } }, { labels: { b: '2' } }), client)
    assert.deepEqual(after.spec, { watts: 40, shade: { colour: 'red' } })
    assert.deepEqual(after.metadata.labels, { b: '2' })
    assert.deepEqual(withoutApplied(after.metadata.annotations), {})
  })

  test('data of a ConfigMap counts key by key, as fields of spec do', async () => {
    const client = await aClient()
    const map = (data: object): Resource => {
      const metadata = { name: 'settings', namespace: 'shop' }
      return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data } as unknown as Resource
    }
    await applyChild(map({ a: '1', b: '2' }), client)
    await client.patch('ConfigMap', 'shop', 'settings', { data: { theirs: '3' } })
    const after = (await applyChild(map({ b: '2' }), client)) as Resource & { data: object }
    assert.deepEqual(after.data, { b: '2', theirs: '3' })
  })

  test('takes over a child that was there before', async () => {
    const client = await aClient()
    await client.create(lamp({ watts: 10, theirs: true }, { ownerReferences: [] }))
    const after = await applyChild(lamp({ watts: 40 }), client)
    assert.deepEqual(after.spec, { watts: 40, theirs: true })
    assert.deepEqual(after.metadata.ownerReferences, [owner])
  })

  test('an annotation of ours that somebody broke is written anew', async () => {
    const client = await aClient()
    await applyChild(lamp({ watts: 40 }), client)
    await edit(client, (draft) => void (draft.metadata.annotations![appliedAnnotation] = '{'))
    const after = await applyChild(lamp({ watts: 40 }), client)
    assert.match(after.metadata.annotations![appliedAnnotation]!, /"spec":\["watts"\]/)
  })

  test('the note on the child is never taken from its owner', async () => {
    const client = await aClient()
    const after = await applyChild(
      lamp({ watts: 40 }, { annotations: { [appliedAnnotation]: 'copied', a: '1' } }),
      client,
    )
    assert.match(after.metadata.annotations![appliedAnnotation]!, /"annotations":\["a"\]/)
  })

  test('a child that is being deleted is left alone', async () => {
    const client = await aClient()
    await applyChild(lamp({ watts: 40 }, { finalizers: ['theirs.knode.dev'] }), client)
    await client.delete('Lamp.test.knode.dev', 'shop', 'desk')
    const after = await applyChild(lamp({ watts: 60 }), client)
    assert.deepEqual(after.spec, { watts: 40 })
  })

  test('who was overtaken hears of a conflict', async () => {
    const client = await aClient()
    await applyChild(lamp({ watts: 40 }), client)
    const overtaken = new Proxy(client, {
      get(target, property) {
        if (property !== 'get') return (Reflect.get(target, property) as () => unknown).bind(target)
        return async () => {
          const seen = await stored(client)
          await edit(client, (draft) => void (draft.spec['theirs'] = true))
          return seen
        }
      },
    })
    await assert.rejects(applyChild(lamp({ watts: 60 }), overtaken), { code: 409, reason: 'Conflict' })
  })

  test('a child that goes while it is updated is a lost race, too', async () => {
    const client = await aClient()
    await applyChild(lamp({ watts: 40 }), client)
    const update = client.update.bind(client)
    client.update = async (object) => {
      await client.delete('Lamp.test.knode.dev', 'shop', 'desk')
      return await update(object)
    }
    await assert.rejects(applyChild(lamp({ watts: 60 }), client), { code: 'CONFLICT' })
  })
})
