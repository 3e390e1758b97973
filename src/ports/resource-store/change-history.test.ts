// How much history is kept.
import assert from 'node:assert/strict'
import test from 'node:test'
import { GoneError } from '../../base/errors.ts'
import { ChangeHistory } from './change-history.ts'
import type { MeasuredChange } from './change-history.ts'
import { LiveStore } from './live-store.ts'
import type { Change } from './port.ts'

const key = (name: string) => ({ resource: 'configmaps', namespace: 'default', name })

function aChange(revision: number, characters: number): MeasuredChange {
  const resource = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } }
  return { change: { type: 'added', key: key('c'), resource, revision: String(revision) }, characters }
}

async function revisionsAfter(history: ChangeHistory, from: number, count: number): Promise<string[]> {
  const stop = new AbortController()
  const seen: Change[] = []
  for await (const change of history.watch({}, String(from), stop.signal)) {
    if (seen.push(change) === count) stop.abort()
  }
  return seen.map(({ revision }) => revision)
}

test('history is bounded by number and by size, and the newest change is always kept', async () => {
  const history = new ChangeHistory(10, { changesMax: 4, charactersMax: 100 })
  history.push([aChange(11, 30), aChange(12, 30), aChange(13, 30)])
  assert.deepEqual(await revisionsAfter(history, 10, 3), ['11', '12', '13'])
  history.push([aChange(14, 30)])
  await assert.rejects(revisionsAfter(history, 10, 1), GoneError)
  assert.deepEqual(await revisionsAfter(history, 11, 3), ['12', '13', '14'])
  history.push([aChange(15, 1_000)])
  assert.deepEqual(await revisionsAfter(history, 14, 1), ['15'])
  await assert.rejects(revisionsAfter(history, 13, 1), GoneError)
  history.push([16, 17, 18, 19, 20].map((revision) => aChange(revision, 1)))
  assert.deepEqual(await revisionsAfter(history, 16, 4), ['17', '18', '19', '20'])
  await assert.rejects(revisionsAfter(history, 15, 1), GoneError)
})

test('parts that an object shares with its earlier state count once', async () => {
  await using store = new LiveStore({ history: { charactersMax: 10_000 } })
  const from = await store.revision()
  const spec = { text: 'x'.repeat(4_000) }
  for (let index = 0; index < 20; index++) {
    const metadata = { name: 'c', labels: { index: String(index) } }
    await store.put(key('c'), { apiVersion: 'v1', kind: 'ConfigMap', metadata, spec })
  }
  const watched = store.watch({}, { from, signal: new AbortController().signal })[Symbol.asyncIterator]()
  assert.equal((await watched.next()).value?.revision, '2')
  for (let index = 0; index < 5; index++) {
    const metadata = { name: 'c' }
    await store.put(key('c'), {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      spec: { text: `${index}`.repeat(4_000) },
    })
  }
  await assert.rejects(watched.next() as Promise<unknown>, GoneError)
})
