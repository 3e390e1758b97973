import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settle } from '../../../base/fake-clock.ts'
import { GoneError } from '../../../base/errors.ts'
import { aTrigger } from '../test-server.ts'
import { aFront } from './test-front.ts'
import type { Watching } from './test-front.ts'

const triggers = '/apis/eventing.knative.dev/v1/namespaces/shop/triggers'
const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }

const told = async (watching: Watching): Promise<string> => {
  const event = await watching.next()
  if (event === undefined) return 'the end'
  const { metadata } = event.object
  return `${event.type} ${metadata.name ?? metadata.resourceVersion}`
}

test('without a revision a watch starts with what there is, with one it tells changes only', async () => {
  await using front = await aFront()
  const { json } = await front.call('POST', triggers, aTrigger('a'))
  const fromNow = await front.watch(`${triggers}?watch=true`)
  const fromZero = await front.watch(`${triggers}?watch=1&resourceVersion=0`)
  const fromThen = await front.watch(`${triggers}?watch=true&resourceVersion=${json.metadata.resourceVersion}`)
  await front.call('POST', triggers, aTrigger('b'))
  assert.deepEqual([await told(fromNow), await told(fromNow)], ['ADDED a', 'ADDED b'])
  assert.deepEqual([await told(fromZero), await told(fromZero)], ['ADDED a', 'ADDED b'])
  assert.equal(await told(fromThen), 'ADDED b')
})

test('changes and deletions come with their revisions, a dry run comes not at all', async () => {
  await using front = await aFront()
  const watching = await front.watch(`${triggers}?watch=true`)
  const created = await front.call('POST', triggers, aTrigger('a'))
  await front.call('PUT', `${triggers}/a?dryRun=All`, {
    ...created.json,
    spec: { ...created.json.spec, filter: { x: 1 } },
  })
  await front.call('PUT', `${triggers}/a`, created.json)
  await front.call('DELETE', `${triggers}/a`)
  assert.equal((await watching.next())?.type, 'ADDED')
  const deleted = await watching.next()
  assert.equal(deleted?.type, 'DELETED')
  assert.ok(Number(deleted?.object.metadata.resourceVersion) > Number(created.json.metadata.resourceVersion))
})

test('an object that leaves the selection is DELETED as it last was, one that enters is ADDED', async () => {
  await using front = await aFront()
  const watching = await front.watch(`${triggers}?watch=true&labelSelector=tier%3Dfront`)
  const label = async (tier: string): Promise<string> => {
    const type = { 'content-type': 'application/merge-patch+json' }
    const { json } = await front.call('PATCH', `${triggers}/a`, { metadata: { labels: { tier } } }, type)
    return json.metadata.resourceVersion
  }
  await front.call('POST', triggers, aTrigger('a'))
  await label('front')
  assert.equal((await watching.next())?.type, 'ADDED')
  const left = await label('back')
  const event = await watching.next()
  assert.equal(event?.type, 'DELETED')
  assert.deepEqual([event?.object.metadata.labels, event?.object.metadata.resourceVersion], [{ tier: 'front' }, left])
  await front.call('DELETE', `${triggers}/a`)
  await front.call('POST', triggers, aTrigger('b', { metadata: { labels: { tier: 'front' } } }))
  assert.equal(await told(watching), 'ADDED b')
})

for (const query of ['watch', 'watch=', 'watch=yes', 'watch=TRUE']) {
  test(`?${query} watches, as any value but false and 0 does`, async () => {
    await using front = await aFront()
    await front.call('POST', triggers, aTrigger('a'))
    const watching = await front.watch(`${triggers}?${query}`)
    assert.equal(await told(watching), 'ADDED a')
    watching.abort()
  })
}

for (const query of ['watch=false', 'watch=0', 'watch=False']) {
  test(`?${query} lists`, async () => {
    await using front = await aFront()
    assert.equal((await front.call('GET', `${triggers}?${query}`)).json.kind, 'TriggerList')
  })
}

test('one object is watched by name', async () => {
  await using front = await aFront()
  const watching = await front.watch(`${triggers}?watch=true&fieldSelector=metadata.name%3Db`)
  await front.call('POST', triggers, aTrigger('a'))
  await front.call('POST', triggers, aTrigger('b'))
  assert.equal(await told(watching), 'ADDED b')
})

test('a watch across all namespaces and one of another version see the same objects', async () => {
  await using front = await aFront()
  const all = await front.watch('/apis/eventing.knative.dev/v1beta3/eventtypes?watch=true')
  const body = {
    apiVersion: 'eventing.knative.dev/v1beta2',
    kind: 'EventType',
    metadata: { name: 'e' },
    spec: { type: 't' },
  }
  await front.call('POST', '/apis/eventing.knative.dev/v1beta2/namespaces/shop/eventtypes', body)
  const event = await all.next()
  assert.deepEqual(event?.object.spec.attributes, [{ name: 'type', value: 't' }])
})

test('a quiet watch gets bookmarks that never run ahead of its events', async () => {
  await using front = await aFront()
  const { json } = await front.call('GET', triggers)
  const start = Number(json.metadata.resourceVersion)
  const watching = await front.watch(`${triggers}?watch=true&allowWatchBookmarks=true&resourceVersion=${start}`)
  await front.call('POST', '/api/v1/namespaces/shop/configmaps', { metadata: { name: 'elsewhere' } })
  await front.clock.advance(60_000)
  const first = await watching.next()
  assert.equal(first?.type, 'BOOKMARK')
  assert.deepEqual(first?.object, {
    kind: 'Trigger',
    apiVersion: 'eventing.knative.dev/v1',
    metadata: { resourceVersion: String(start), creationTimestamp: null },
  })
  await front.clock.advance(60_000)
  assert.equal(await told(watching), `BOOKMARK ${start + 1}`)
  const created = await front.call('POST', triggers, aTrigger('a'))
  assert.equal(await told(watching), 'ADDED a')
  await front.clock.advance(60_000)
  assert.equal(await told(watching), `BOOKMARK ${created.json.metadata.resourceVersion}`)
})

test('WatchList: the present objects, then the bookmark that says so, also when there are none', async () => {
  await using front = await aFront()
  const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
  const empty = await front.watch(`${triggers}?${query}`)
  const bookmark = await empty.next()
  assert.deepEqual(
    [bookmark?.type, bookmark?.object.metadata.annotations],
    ['BOOKMARK', { 'k8s.io/initial-events-end': 'true' }],
  )
  await front.call('POST', triggers, aTrigger('a'))
  assert.equal(await told(empty), 'ADDED a')
  const full = await front.watch(`${triggers}?${query}`)
  assert.equal(await told(full), 'ADDED a')
  assert.equal((await full.next())?.type, 'BOOKMARK')
})

test('options that contradict each other are named', async () => {
  await using front = await aFront()
  for (const [query, field] of [
    ['sendInitialEvents=true&allowWatchBookmarks=true', 'resourceVersionMatch'],
    ['sendInitialEvents=true&resourceVersionMatch=NotOlderThan', 'sendInitialEvents'],
    ['resourceVersionMatch=Exact', 'resourceVersionMatch'],
  ]) {
    const { code, json } = await front.call('GET', `${triggers}?watch=true&${query}`)
    assert.deepEqual([code, json.details.kind, json.details.causes[0].field], [422, 'ListOptions', field], query)
  }
})

test('a watch ends when its time is over', async () => {
  await using front = await aFront()
  const short = await front.watch(`${triggers}?watch=true&timeoutSeconds=5`)
  const long = await front.watch(`${triggers}?watch=true`)
  await front.clock.advance(5_000)
  assert.equal(await told(short), 'the end')
  await front.clock.advance(1_790_000)
  await front.call('POST', triggers, aTrigger('a'))
  assert.equal(await told(long), 'ADDED a')
  await front.clock.advance(1_810_000)
  assert.equal(await told(long), 'the end')
})

test('history that is gone is a 410 before the stream, or an ERROR within it', async () => {
  await using front = await aFront()
  const goneAfter = (wait: () => Promise<void>) => (): AsyncIterable<never> => ({
    [Symbol.asyncIterator]: () => ({
      async next() {
        await wait()
        throw new GoneError('history starts at 900')
      },
    }),
  })
  front.operations.watch = goneAfter(() => Promise.resolve())
  const early = await front.call('GET', `${triggers}?watch=true&resourceVersion=1`)
  assert.deepEqual([early.code, early.json.reason], [410, 'Expired'])
  assert.match(early.json.message, /^too old resource version: 1 /)
  front.operations.watch = goneAfter(() => settle(20))
  const late = await front.watch(`${triggers}?watch=true&resourceVersion=1`)
  const event = await late.next()
  assert.deepEqual([late.code, event?.type, event?.object.code, event?.object.kind], [200, 'ERROR', 410, 'Status'])
  assert.equal(await told(late), 'the end')
})

test('a revision of the future is from another life of the store: 410, list again', async () => {
  await using front = await aFront()
  const { code, json } = await front.call('GET', `${triggers}?watch=true&resourceVersion=99999`)
  assert.deepEqual([code, json.reason], [410, 'Expired'])
})

test('a watched table names its columns once', async () => {
  await using front = await aFront()
  const watching = await front.watch(`${triggers}?watch=true`, table)
  await front.call('POST', triggers, aTrigger('a'))
  await front.call('POST', triggers, aTrigger('b'))
  const [first, second] = [await watching.next(), await watching.next()]
  assert.deepEqual(
    first?.object.columnDefinitions.map(({ name }: any) => name),
    ['Name', 'Age'],
  )
  assert.deepEqual([second?.object.columnDefinitions, second?.object.rows[0].cells], [[], ['b', '0s']])
})

test('a client that goes away ends its watch', async () => {
  await using front = await aFront()
  const watching = await front.watch(`${triggers}?watch=true`)
  const pending = front.clock.pendingTimers
  assert.ok(pending > 0)
  watching.abort()
  while (front.clock.pendingTimers === pending) await settle()
  assert.equal(front.clock.pendingTimers, pending - 1)
})
