// Deleting collections: what the store is asked, and what becomes of objects that are special.
import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { test } from 'node:test'
import { aTrigger } from '../test-server.ts'
import { aFront } from './test-front.ts'
import type { TestFront } from './test-front.ts'

const triggers = '/apis/eventing.knative.dev/v1/namespaces/shop/triggers'

/** How many deletions were under way in the store when the most were. */
function deletionsAtOnce({ store }: TestFront): () => number {
  let underWay = 0
  let most = 0
  const remove = store.delete.bind(store)
  store.delete = async (...asked) => {
    most = Math.max(most, ++underWay)
    await setImmediate()
    return remove(...asked).finally(() => underWay--)
  }
  return () => most
}

const namesIn = ({ json }: { json: any }): string[] => json.items.map((item: any) => item.metadata.name)

test('objects of a collection go together, so that a durable store commits them at once', async () => {
  await using front = await aFront()
  const names = Array.from({ length: 40 }, (_, at) => `t${String(at).padStart(2, '0')}`)
  for (const name of names) await front.call('POST', triggers, aTrigger(name))
  await using watching = await front
    .watch(`${triggers}?watch=1&resourceVersion=${await front.store.revision()}`)
    .then((watch) => ({ ...watch, [Symbol.asyncDispose]: async () => watch.abort() }))
  const most = deletionsAtOnce(front)
  const { code, json } = await front.call('DELETE', triggers)
  assert.equal(code, 200)
  assert.deepEqual(namesIn({ json }), names)
  assert.equal(most(), names.length)
  const revisions: number[] = []
  for (const name of names) {
    const event = await watching.next()
    assert.deepEqual([event?.type, event?.object.metadata.name], ['DELETED', name])
    revisions.push(Number(event?.object.metadata.resourceVersion))
  }
  assert.equal(new Set(revisions).size, names.length, 'each deletion has a revision of its own')
  assert.deepEqual(namesIn(await front.call('GET', triggers)), [])
})

test('finalizers, policies and dry runs count for each object of a collection', async () => {
  await using front = await aFront()
  const create = async (name: string, metadata = {}) => front.call('POST', triggers, aTrigger(name, { metadata }))
  await create('held', { finalizers: ['a.test/b'] })
  await create('free')
  await front.call('DELETE', `${triggers}?dryRun=All`)
  assert.deepEqual(namesIn(await front.call('GET', triggers)), ['free', 'held'])
  const foreground = await front.call('DELETE', triggers, { propagationPolicy: 'Foreground' })
  assert.deepEqual(
    foreground.json.items.map((item: any) => item.metadata.finalizers),
    [['foregroundDeletion'], ['a.test/b', 'foregroundDeletion']],
  )
  assert.deepEqual(namesIn(await front.call('DELETE', triggers, { propagationPolicy: 'Background' })), ['free', 'held'])
  assert.deepEqual(namesIn(await front.call('GET', triggers)), ['held'])
})

test('who was faster is no failure, a refusal is, and nothing goes on behind the answer', async () => {
  await using front = await aFront()
  for (const name of ['a', 'b', 'c']) await front.call('POST', triggers, aTrigger(name))
  const uid = (await front.call('GET', `${triggers}/b`)).json.metadata.uid
  const most = deletionsAtOnce(front)
  const refused = await front.call('DELETE', triggers, { preconditions: { uid } })
  assert.equal(refused.code, 409)
  assert.match(refused.json.message, /on Trigger\.eventing\.knative\.dev "a": the UID in the precondition/)
  assert.equal(most(), 1)
  assert.deepEqual(namesIn(await front.call('GET', triggers)), ['a', 'c'])
  const both = await Promise.all([front.call('DELETE', triggers), front.call('DELETE', triggers)])
  assert.deepEqual(
    both.map(({ code }) => code),
    [200, 200],
  )
  assert.deepEqual(both.flatMap(namesIn).sort(), ['a', 'c'])
})
