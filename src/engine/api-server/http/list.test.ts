import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aTrigger } from '../test-server.ts'
import { aFront } from './test-front.ts'
import type { TestFront } from './test-front.ts'

const triggers = '/apis/eventing.knative.dev/v1/namespaces/shop/triggers'

async function withTriggers(...names: string[]): Promise<TestFront> {
  const front = await aFront()
  for (const name of names) {
    const metadata = { labels: { odd: String(names.indexOf(name) % 2 === 1) } }
    await front.call('POST', triggers, aTrigger(name, { metadata }))
  }
  return front
}
const namesIn = (json: any): string[] => json.items.map((item: any) => item.metadata.name)

test('a list names its kind and the state it shows', async () => {
  await using front = await withTriggers('b', 'a')
  const { json } = await front.call('GET', triggers)
  assert.deepEqual([json.kind, json.apiVersion], ['TriggerList', 'eventing.knative.dev/v1'])
  assert.deepEqual(namesIn(json), ['a', 'b'])
  const { resourceVersion } = (await front.call('GET', `${triggers}/a`)).json.metadata
  assert.deepEqual(json.metadata, { resourceVersion })
  assert.deepEqual(namesIn((await front.call('GET', '/apis/eventing.knative.dev/v1/triggers')).json), ['a', 'b'])
  assert.deepEqual(namesIn((await front.call('GET', triggers.replace('shop', 'other'))).json), [])
})

test('chunks show one state, whatever happens in between', async () => {
  await using front = await withTriggers('a', 'b', 'c', 'd', 'e')
  const first = (await front.call('GET', `${triggers}?limit=2`)).json
  assert.deepEqual([namesIn(first), first.metadata.remainingItemCount], [['a', 'b'], 3])
  await front.call('DELETE', `${triggers}/c`)
  const next = (token: string) => front.call('GET', `${triggers}?limit=2&continue=${encodeURIComponent(token)}`)
  const second = (await next(first.metadata.continue)).json
  assert.deepEqual([namesIn(second), second.metadata.remainingItemCount], [['c', 'd'], 1])
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion)
  const again = (await next(first.metadata.continue)).json
  assert.deepEqual(again.items, second.items, 'a page can be asked for again')
  const third = (await next(second.metadata.continue)).json
  assert.deepEqual(
    [namesIn(third), third.metadata.continue, third.metadata.remainingItemCount],
    [['e'], undefined, undefined],
  )
})

test('with a selector the number that is left is not told', async () => {
  await using front = await withTriggers('a', 'b', 'c', 'd', 'e')
  const { json } = await front.call('GET', `${triggers}?limit=1&labelSelector=odd%3Dfalse`)
  assert.deepEqual([namesIn(json), json.metadata.remainingItemCount], [['a'], undefined])
  assert.equal(typeof json.metadata.continue, 'string')
})

test('a page that comes too late, or that nobody gave out, is expired', async () => {
  await using front = await withTriggers('a', 'b')
  const { json } = await front.call('GET', `${triggers}?limit=1`)
  await front.clock.advance(300_001)
  for (const token of [json.metadata.continue, 'made-up']) {
    const answer = await front.call('GET', `${triggers}?limit=1&continue=${token}`)
    assert.deepEqual([answer.code, answer.json.reason], [410, 'Expired'])
    assert.match(answer.json.message, /^The provided continue parameter is too old to display a consistent list result/)
  }
})

test('selectors choose, and those that make no sense are refused', async () => {
  await using front = await withTriggers('a', 'b', 'c')
  const list = (query: string) => front.call('GET', `${triggers}?${query}`)
  assert.deepEqual(namesIn((await list('labelSelector=odd%20in%20(true)')).json), ['b'])
  assert.deepEqual(namesIn((await list('fieldSelector=metadata.name%3Da')).json), ['a'])
  assert.deepEqual(namesIn((await list('fieldSelector=metadata.namespace!%3Dshop')).json), [])
  for (const [query, message] of [
    ['fieldSelector=spec.broker%3Dx', 'field label not supported: spec.broker'],
    ['fieldSelector=x', "invalid selector: 'x'; can't understand 'x'"],
    ['labelSelector=a%20b', 'unable to parse requirement: "a b"'],
    ['limit=-1', 'limit: Invalid value: "-1": must be a whole number that is not negative'],
    ['resourceVersion=abc', 'resourceVersion: Invalid value: "abc": must be a decimal number'],
  ]) {
    const { code, json } = await list(query!)
    assert.deepEqual([code, json.reason, json.message], [400, 'BadRequest', message])
  }
})

test('resourceVersion and its match ask for a state', async () => {
  await using front = await withTriggers('a', 'b')
  const now = Number((await front.call('GET', triggers)).json.metadata.resourceVersion)
  const codeOf = async (query: string) => (await front.call('GET', `${triggers}?${query}`)).code
  for (const query of [
    'resourceVersion=0',
    `resourceVersion=${now - 1}`,
    `resourceVersion=${now}&resourceVersionMatch=Exact`,
    `resourceVersion=${now - 1}&resourceVersionMatch=NotOlderThan`,
  ]) {
    assert.equal(await codeOf(query), 200, query)
  }
  for (const query of [
    'resourceVersionMatch=Exact',
    'resourceVersion=0&resourceVersionMatch=Exact',
    'resourceVersion=1&resourceVersionMatch=Roughly',
    'sendInitialEvents=true',
  ]) {
    assert.equal(await codeOf(query), 422, query)
  }
  assert.equal(await codeOf(`resourceVersion=${now - 1}&resourceVersionMatch=Exact`), 410)
  const future = await front.call('GET', `${triggers}?resourceVersion=${now + 5}`)
  assert.deepEqual(
    [future.code, future.json.reason, future.json.details.causes[0].reason],
    [504, 'Timeout', 'ResourceVersionTooLarge'],
  )
  assert.equal(future.json.message, `Timeout: Too large resource version: ${now + 5}, current: ${now}`)
  assert.equal(future.headers['retry-after'], '1')
})

test('metadata alone is enough for some clients', async () => {
  await using front = await withTriggers('a')
  const accept = (as: string) => ({
    accept: `application/vnd.kubernetes.protobuf;as=${as};g=meta.k8s.io;v=v1,application/json;as=${as};g=meta.k8s.io;v=v1`,
  })
  const list = (await front.call('GET', triggers, undefined, accept('PartialObjectMetadataList'))).json
  assert.deepEqual([list.kind, list.apiVersion], ['PartialObjectMetadataList', 'meta.k8s.io/v1'])
  assert.deepEqual(Object.keys(list.items[0]), ['kind', 'apiVersion', 'metadata'])
  const one = (await front.call('GET', `${triggers}/a`, undefined, accept('PartialObjectMetadata'))).json
  assert.deepEqual([one.kind, one.metadata.name, one.spec], ['PartialObjectMetadata', 'a', undefined])
})

test('an answer can be YAML', async () => {
  await using front = await withTriggers('a')
  const { headers, text } = await front.call('GET', `${triggers}/a`, undefined, { accept: 'application/yaml' })
  assert.equal(headers['content-type'], 'application/yaml')
  assert.match(text, /^apiVersion: eventing.knative.dev\/v1\nkind: Trigger\n/m)
})

test('YAML is read alike by readers of YAML 1.1 and 1.2', async () => {
  await using front = await withTriggers('a')
  const spec = { broker: 'on', subscriber: { uri: 'http://x/' } }
  await front.call('POST', triggers, { ...aTrigger('b'), spec })
  const { text } = await front.call('GET', triggers, undefined, { accept: 'application/yaml' })
  assert.match(text, /^ +broker: "on"$/m)
  assert.match(text, /^ +creationTimestamp: "\d{4}-/m)
})
