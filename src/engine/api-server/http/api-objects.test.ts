// Requests for objects over HTTP: methods, bodies, options and answers.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { aTrigger } from '../test-server.ts'
import { aFront, token } from './test-front.ts'

const triggers = '/apis/eventing.knative.dev/v1/namespaces/shop/triggers'

test('objects are created, read, replaced, patched and deleted', async () => {
  await using front = await aFront()
  const created = await front.call('POST', triggers, aTrigger('t'))
  assert.equal(created.code, 201)
  const read = await front.call('GET', `${triggers}/t`)
  assert.deepEqual(read.json, created.json)
  const replaced = await front.call('PUT', `${triggers}/t`, {
    ...read.json,
    spec: { ...read.json.spec, filter: { a: 'b' } },
  })
  assert.deepEqual([replaced.code, replaced.json.metadata.generation], [200, 2])
  const patched = await front.call(
    'PATCH',
    `${triggers}/t`,
    { metadata: { labels: { a: 'b' } } },
    {
      'content-type': 'application/merge-patch+json',
    },
  )
  assert.deepEqual(patched.json.metadata.labels, { a: 'b' })
  const status = await front.call('PUT', `${triggers}/t/status`, {
    ...patched.json,
    spec: {},
    status: { subscriberUri: 'http://x' },
  })
  assert.deepEqual([status.json.status, status.json.spec.broker], [{ subscriberUri: 'http://x' }, 'orders'])
  const deleted = await front.call('DELETE', `${triggers}/t`)
  assert.deepEqual(
    [deleted.code, deleted.json.status, deleted.json.details],
    [200, 'Success', { name: 't', group: 'eventing.knative.dev', kind: 'triggers', uid: created.json.metadata.uid }],
  )
  const missing = await front.call('GET', `${triggers}/t`)
  assert.deepEqual([missing.code, missing.json.message], [404, 'triggers.eventing.knative.dev "t" not found'])
})

test('a lingering object is the answer to its deletion, and a collection is deleted by selector', async () => {
  await using front = await aFront()
  await front.call(
    'POST',
    triggers,
    aTrigger('kept', { metadata: { finalizers: ['a.test/b'], labels: { tier: 'x' } } }),
  )
  await front.call('POST', triggers, aTrigger('gone', { metadata: { labels: { tier: 'x' } } }))
  await front.call('POST', triggers, aTrigger('other'))
  const deleted = await front.call('DELETE', `${triggers}?labelSelector=tier%3Dx`)
  assert.deepEqual(
    deleted.json.items.map((item: any) => item.metadata.name),
    ['gone', 'kept'],
  )
  const left = await front.call('GET', triggers)
  assert.deepEqual(
    left.json.items.map((item: any) => item.metadata.name),
    ['kept', 'other'],
  )
  const again = await front.call('DELETE', `${triggers}/kept`)
  assert.equal(again.json.kind, 'Trigger')
  assert.notEqual(again.json.metadata.deletionTimestamp, undefined)
})

test('delete options come from the body or the query', async () => {
  await using front = await aFront()
  await front.call('POST', triggers, aTrigger('t'))
  const wrongUid = await front.call('DELETE', `${triggers}/t`, { preconditions: { uid: 'x' } })
  assert.equal(wrongUid.code, 409)
  assert.equal((await front.call('DELETE', `${triggers}/t?dryRun=All`)).json.status, 'Success')
  assert.equal((await front.call('DELETE', `${triggers}/t`, { dryRun: ['All'] })).json.status, 'Success')
  const nonsense = await front.call('DELETE', `${triggers}/t`, { propagationPolicy: 'Sideways' })
  assert.equal(nonsense.code, 422)
  assert.match(
    nonsense.json.message,
    /^DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sideways"/,
  )
  const foreground = await front.call('DELETE', `${triggers}/t?propagationPolicy=Foreground`)
  assert.deepEqual(foreground.json.metadata.finalizers, ['foregroundDeletion'])
})

test('an object stays when the options of its deletion cannot be understood', async () => {
  await using front = await aFront()
  await front.call('POST', triggers, aTrigger('t'))
  for (const [body, message] of [
    [{ dryRun: 'All' }, /dryRun must be of type array, not string$/],
    [{ preconditions: { uid: 5 } }, /preconditions\.uid must be of type string, not integer$/],
    [{ preconditions: 'x' }, /preconditions must be of type object, not string$/],
    [{ gracePeriodSeconds: '5' }, /gracePeriodSeconds must be of type integer, not string$/],
    [[], /the body must be of type object, not array$/],
    ['null', /the body must be of type object, not null$/],
  ] as const) {
    const refused = await front.call('DELETE', `${triggers}/t`, body)
    assert.equal(refused.code, 400, JSON.stringify(body))
    assert.match(refused.json.message, message)
  }
  const blank = { dryRun: null, preconditions: null, gracePeriodSeconds: null, propagationPolicy: null }
  assert.equal((await front.call('DELETE', `${triggers}/t`, blank)).code, 200)
})

test('what is applied by the server may be JSON, or YAML that begins like JSON', async () => {
  await using front = await aFront()
  const body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"data":{"a":"1e3","b":"\\/"}}'
  const type = { 'content-type': 'application/apply-patch+yaml' }
  const path = '/api/v1/namespaces/shop/configmaps/m?fieldManager=x'
  assert.deepEqual((await front.call('PATCH', path, body, type)).json.data, { a: '1e3', b: '/' })
  // What only begins like it is YAML.
  const flow = '{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {a: x}}'
  assert.deepEqual((await front.call('PATCH', path, flow, type)).json.data, { a: 'x' })
})

test('bodies may be JSON without a type, YAML 1.1 or protobuf; nothing else', async () => {
  await using front = await aFront()
  const maps = '/api/v1/namespaces/shop/configmaps'
  const bare = await front.call('POST', maps, '{"metadata":{"name":"bare"}}')
  assert.deepEqual([bare.code, bare.json.apiVersion, bare.json.kind], [201, 'v1', 'ConfigMap'])
  const yaml = { 'content-type': 'application/yaml' }
  const typed = await front.call('POST', maps, 'metadata: {name: yes}', yaml)
  assert.equal(typed.code, 400, 'in YAML 1.1, yes is a boolean')
  const protobuf = { 'content-type': 'application/vnd.kubernetes.protobuf' }
  const body = Buffer.from(
    '6b3873000a0f0a02763112 09436f6e6669674d61701207 0a050a0370623100'.replaceAll(' ', '').slice(0, -2),
    'hex',
  )
  assert.deepEqual((await front.call('POST', maps, body, protobuf)).json.metadata.name, 'pb1')
  for (const [text, contentType, code, message] of [
    ['{', 'application/json', 400, /not valid JSON/],
    ['a: [', 'application/yaml', 400, /not valid YAML/],
    ['k8s\0\x0a\x7f', 'application/vnd.kubernetes.protobuf', 400, /not valid protobuf/],
    ['<a/>', 'application/xml', 415, /accepted media types include: application\/json, application\/yaml/],
    ['[]', 'application/json', 400, /not a JSON object/],
  ] as const) {
    const answer = await front.call('POST', maps, text, { 'content-type': contentType })
    assert.equal(answer.code, code, contentType)
    assert.match(answer.json.message, message)
  }
})

test('a body over the limit is refused before it is read to the end', async () => {
  await using front = await aFront()
  const huge = `{"metadata":{"name":"huge"},"data":{"a":"${'x'.repeat(3_200_000)}"}}`
  const { code, json } = await front.call('POST', '/api/v1/namespaces/shop/configmaps', huge)
  assert.deepEqual(
    [code, json.reason, json.message],
    [413, 'RequestEntityTooLarge', 'Request entity too large: limit is 3145728'],
  )
})

test('patch types are chosen by Content-Type, and strategic merge is for built-in kinds', async () => {
  await using front = await aFront()
  await front.call('POST', triggers, aTrigger('t'))
  const patch = (type: string, body: unknown, query = '') =>
    front.call('PATCH', `${triggers}/t${query}`, body, { 'content-type': type })
  const jsonPatch = [{ op: 'replace', path: '/spec/subscriber/uri', value: 'http://new' }]
  assert.equal((await patch('application/json-patch+json', jsonPatch)).json.spec.subscriber.uri, 'http://new')
  const strategic = await patch('application/strategic-merge-patch+json', {})
  assert.equal(strategic.code, 415)
  assert.match(
    strategic.json.message,
    /include: application\/json-patch\+json, application\/merge-patch\+json, application\/apply-patch\+yaml$/,
  )
  const noManager = await patch('application/apply-patch+yaml', aTrigger('t'))
  assert.equal(noManager.code, 422)
  assert.match(noManager.json.message, /PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value/)
  const applied = await patch('application/apply-patch+yaml', aTrigger('t'), '?fieldManager=me&force=true')
  const mine = applied.json.metadata.managedFields.find(({ manager }: any) => manager === 'me')
  assert.equal(mine.operation, 'Apply')
  const created = await front.call('PATCH', `${triggers}/u?fieldManager=me`, aTrigger('u'), {
    'content-type': 'application/apply-patch+yaml',
  })
  assert.equal(created.code, 201)
})

test('warnings stay within what clients take of headers', async () => {
  await using front = await aFront()
  const names = Array.from({ length: 2_000 }, (_, index) => `${'x'.repeat(300)}${index}`)
  const body = { ...Object.fromEntries(names.map((name) => [name, 1])), metadata: { name: 'c' } }
  const { code, headers } = await front.call('POST', '/api/v1/namespaces/shop/configmaps', body)
  assert.equal(code, 201)
  const warnings = String(headers['warning']).split(', ')
  assert.equal(warnings.length, 16)
  assert.match(warnings[0]!, /^299 - "unknown field \\"x{241}"$/)
})

test('options are checked, the field manager defaults to the user agent, unknown fields become warnings', async () => {
  await using front = await aFront()
  const maps = '/api/v1/namespaces/shop/configmaps'
  const wrong = await front.call('POST', `${maps}?dryRun=Some&fieldValidation=Loose`, {})
  assert.deepEqual(
    wrong.json.details.causes.map(({ field }: any) => field),
    ['fieldValidation', 'dryRun'],
  )
  const created = await front.call(
    'POST',
    maps,
    { metadata: { name: 'c', labels: { a: 'b' } }, 'da"ta': {}, more: 1 },
    {
      'user-agent': 'my-tool/v1 (linux)',
    },
  )
  assert.equal(created.json.metadata.managedFields[0].manager, 'my-tool')
  assert.equal(created.headers['warning'], String.raw`299 - "unknown field \"da\"ta\"", 299 - "unknown field \"more\""`)
  const strict = await front.call('POST', `${maps}?fieldValidation=Strict`, { metadata: { name: 'd' }, more: 1 })
  assert.equal(
    strict.json.message,
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "more"',
  )
  const dry = await front.call('POST', `${maps}?dryRun=All`, { metadata: { name: 'dry' } })
  assert.equal(dry.code, 201)
  assert.equal((await front.call('GET', `${maps}/dry`)).code, 404)
})

test('large answers are gzipped for those who take it', async () => {
  await using front = await aFront()
  const data = { a: 'x'.repeat(200_000) }
  await front.call('POST', '/api/v1/namespaces/shop/configmaps', { metadata: { name: 'big' }, data })
  const path = '/api/v1/namespaces/shop/configmaps/big'
  assert.equal((await front.call('GET', path)).json.data.a.length, 200_000)
  const url = new URL(front.url + path)
  const answer = await fetchRaw(url, { 'accept-encoding': 'gzip', authorization: `Bearer ${token}` })
  assert.match(answer.head, /content-encoding: gzip/i)
  assert.equal(JSON.parse(gunzipSync(answer.body).toString()).data.a.length, 200_000)
})

/** Head and body of an answer as they came, without decoding. */
async function fetchRaw(url: URL, headers: Record<string, string>): Promise<{ head: string; body: Buffer }> {
  const socket = connect(Number(url.port), url.hostname)
  const lines = Object.entries({ host: url.host, connection: 'close', ...headers }).map(
    ([key, value]) => `${key}: ${value}`,
  )
  socket.write(`GET ${url.pathname} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  const chunks: Buffer[] = []
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  const end = bytes.indexOf('\r\n\r\n')
  return { head: bytes.subarray(0, end).toString(), body: bytes.subarray(end + 4) }
}
