import assert from 'node:assert/strict'
import { test } from 'node:test'
import { object, string } from '../../model/kubernetes/schema.ts'
import { defineKind } from '../kind.ts'
import { decode, nestingDepthMax, objectBytesMax } from './decode.ts'
import type { WriteOptions } from './operations.ts'
import { aServer, aTrigger, asJane, triggerId } from './test-server.ts'
import type { TestServer } from './test-server.ts'

const create = (server: TestServer, id: string, body: unknown, options: Partial<WriteOptions> = {}) =>
  server.operations.create(server.target(id), 'shop', body, { ...asJane, ...options })

const nested = (depth: number): object => JSON.parse('{"a":'.repeat(depth) + '{}' + '}'.repeat(depth)) as object

const refusals: [what: string, id: string, body: unknown, code: number, message: string | RegExp][] = [
  ['a body that is no object', 'ConfigMap', [], 400, 'the request body is not a JSON object'],
  [
    'a custom object without kind',
    triggerId,
    { apiVersion: 'eventing.knative.dev/v1' },
    400,
    `Object 'Kind' is missing in '{"apiVersion":"eventing.knative.dev/v1"}'`,
  ],
  [
    'a custom object without apiVersion',
    triggerId,
    { kind: 'Trigger' },
    400,
    `Object 'apiVersion' is missing in '{"kind":"Trigger"}'`,
  ],
  [
    'another apiVersion than the URL’s',
    triggerId,
    { ...aTrigger('t'), apiVersion: 'eventing.knative.dev/v1beta1' },
    400,
    'the API version in the data (eventing.knative.dev/v1beta1) does not match the expected API version (eventing.knative.dev/v1)',
  ],
  [
    'another kind than the URL’s',
    triggerId,
    { ...aTrigger('t'), kind: 'Broker' },
    400,
    'Broker in version "v1" cannot be handled as a Trigger: the kind in the data (Broker) does not match the expected kind (Trigger)',
  ],
  [
    'another namespace than the URL’s',
    triggerId,
    aTrigger('t', { metadata: { namespace: 'other' } }),
    400,
    'the namespace of the provided object does not match the namespace sent on the request',
  ],
  [
    'wrong types in the metadata',
    triggerId,
    aTrigger('t', { metadata: { labels: { a: 1 }, finalizers: 'x' } }),
    400,
    'Trigger in version "v1" cannot be handled as a Trigger: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels.a of type string, json: cannot unmarshal string into Go struct field ObjectMeta.metadata.finalizers of type array',
  ],
  [
    'wrong types in a built-in kind',
    'ConfigMap',
    { metadata: { name: 'c' }, data: { a: 1 }, immutable: 'yes' },
    400,
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data.a of type string, json: cannot unmarshal string into Go struct field ConfigMap.immutable of type bool',
  ],
  [
    'wrong types in a custom kind, all at once',
    triggerId,
    aTrigger('t', { spec: { broker: 5, filters: {} } }),
    422,
    'Trigger.eventing.knative.dev "t" is invalid: [spec.broker: Invalid value: "integer": spec.broker in body must be of type string: "integer", spec.filters: Invalid value: "object": spec.filters in body must be of type array: "object"]',
  ],
  [
    'an object over 1.5 MiB',
    'ConfigMap',
    { metadata: { name: 'c' }, data: { a: 'x'.repeat(objectBytesMax) } },
    413,
    'Request entity too large: limit is 1572864',
  ],
  [
    'an object nested too deep',
    triggerId,
    aTrigger('t', { spec: { filter: nested(nestingDepthMax) } }),
    400,
    'the body nests deeper than 512 levels',
  ],
  [
    'an object nested deep enough to overflow a stack',
    triggerId,
    nested(200_000),
    400,
    'the body nests deeper than 512 levels',
  ],
]

for (const [what, id, body, code, message] of refusals) {
  test(`${what} is refused with ${code}`, async () => {
    await assert.rejects(create(await aServer(), id, body), { code, message })
  })
}

test('wrong types in a custom kind come with causes', async () => {
  await assert.rejects(create(await aServer(), triggerId, aTrigger('t', { spec: { broker: 5 } })), {
    details: {
      name: 't',
      group: 'eventing.knative.dev',
      kind: 'Trigger',
      causes: [
        {
          reason: 'FieldValueTypeInvalid',
          message: 'Invalid value: "integer": spec.broker in body must be of type string: "integer"',
          field: 'spec.broker',
        },
      ],
    },
  })
})

test('unknown fields are refused, told or dropped, as the request asks', async () => {
  const server = await aServer()
  const body = aTrigger('t', { spec: { foo: 1, delivery: { bar: 2 } }, metadata: { baz: 3 } })
  await assert.rejects(create(server, triggerId, body, { fieldValidation: 'Strict' }), {
    code: 400,
    reason: 'BadRequest',
    message:
      'Trigger in version "v1" cannot be handled as a Trigger: strict decoding error: unknown field "metadata.baz", unknown field "spec.foo", unknown field "spec.delivery.bar"',
  })
  const warned = await create(server, triggerId, body, { fieldValidation: 'Warn' })
  assert.deepEqual(warned.warnings, [
    'unknown field "metadata.baz"',
    'unknown field "spec.foo"',
    'unknown field "spec.delivery.bar"',
  ])
  assert.deepEqual(warned.object.spec, { ...aTrigger('t').spec, delivery: {}, filter: {} })
  const silent = await create(server, triggerId, { ...body, metadata: { name: 'u' } }, { fieldValidation: 'Ignore' })
  assert.deepEqual(silent.warnings, [])
})

test('nulls mean absent in metadata and in built-in kinds, and are refused elsewhere', async () => {
  const server = await aServer()
  const metadata = { name: 'c', creationTimestamp: null, labels: null, annotations: { a: null, b: 'x' } }
  const { object } = await create(server, 'ConfigMap', { metadata, data: null, immutable: null })
  assert.equal('data' in object || 'immutable' in object, false)
  assert.deepEqual([object.metadata.labels, object.metadata.annotations], [undefined, { b: 'x' }])
  await assert.rejects(create(server, triggerId, aTrigger('t', { spec: { delivery: null } })), { code: 422 })
})

test('typed clients’ empty status and spec are no content', async () => {
  const server = await aServer()
  const { object } = await create(server, triggerId, aTrigger('t', { status: {} }))
  assert.equal(object.status, undefined)
})

test('core Events may have names that no other kind may', async () => {
  const server = await aServer()
  const { object } = await create(server, 'Event', {
    metadata: { name: 'recv.Received.1' },
    message: 'x'.repeat(100_000),
  })
  assert.equal(object.metadata.name, 'recv.Received.1')
  await assert.rejects(create(server, 'ConfigMap', { metadata: { name: 'recv.Received.1' } }), { code: 422 })
})

test('typos in a spec whose schema keeps unknown fields are the mutating webhook’s business', () => {
  const kind = defineKind({
    group: 'eventing.knative.dev',
    kind: 'Broker',
    plural: 'brokers',
    webhooks: { mutating: 'webhook.eventing.knative.dev', validating: 'validation.webhook.eventing.knative.dev' },
    versions: [
      {
        name: 'v1',
        schema: {
          spec: { ...object('Wanted.', { known: string('Known.') }), 'x-kubernetes-preserve-unknown-fields': true },
        },
        columns: [],
      },
    ],
  })
  const read = (spec: object) =>
    decode(
      { kind, version: 'v1' },
      { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata: { name: 'b' }, spec },
      { namespace: 'shop' },
      'Strict',
    )
  assert.deepEqual(read({ known: 'x' }).object.spec, { known: 'x' })
  assert.throws(() => read({ foo: 1 }), {
    code: 400,
    message:
      'admission webhook "webhook.eventing.knative.dev" denied the request: mutation failed: cannot decode incoming new object: json: unknown field "foo"',
  })
})
