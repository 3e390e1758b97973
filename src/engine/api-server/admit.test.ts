import assert from 'node:assert/strict'
import { test } from 'node:test'
import { missingField } from '../../model/kubernetes/field-error.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { anyObject } from '../../model/kubernetes/schema.ts'
import { defineKind, kindId } from '../kind.ts'
import type { DryRunSample, KindDefinition } from '../kind.ts'
import { admit } from './admit.ts'
import { aCronTab, aServer, aTrigger, asJane, cronTabId, triggerId } from './test-server.ts'
import type { TestServer } from './test-server.ts'

const create = (server: TestServer, id: string, body: object) =>
  server.operations.create(server.target(id), 'shop', body, asJane)
const patch = (server: TestServer, id: string, name: string, body: object, username = 'jane') =>
  server.operations.patch(server.target(id), 'shop', name, { type: 'merge', body }, { user: { username } })

test('a kind with webhooks is refused in their name, with all complaints at once and without details', async () => {
  const server = await aServer()
  await assert.rejects(create(server, triggerId, { ...aTrigger('t'), spec: {} }), {
    code: 400,
    reason: 'BadRequest',
    message:
      'admission webhook "validation.webhook.eventing.knative.dev" denied the request: validation failed: missing field(s): spec.broker, spec.subscriber',
    details: undefined,
  })
})

test('a kind without webhooks is refused as Invalid, schema and own rules together', async () => {
  const server = await aServer()
  await assert.rejects(create(server, cronTabId, aCronTab('c', { schedule: 'never', replicas: 99 })), {
    code: 422,
    reason: 'Invalid',
    message:
      'CronTab.stable.example.com "c" is invalid: [spec.replicas: Invalid value: 99: spec.replicas in body should be less than or equal to 10, spec.schedule: Invalid value: "never"]',
  })
})

test('the schema speaks before the webhook: required fields, enums and bounds are 422 with causes', async () => {
  const server = await aServer()
  const delivery = { retry: -1, policy: 'random' }
  await assert.rejects(create(server, triggerId, aTrigger('T_1', { spec: { broker: '', delivery } })), {
    code: 422,
    details: {
      name: 'T_1',
      group: 'eventing.knative.dev',
      kind: 'Trigger',
      causes: [
        {
          reason: 'FieldValueInvalid',
          message:
            "Invalid value: \"T_1\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
          field: 'metadata.name',
        },
        {
          reason: 'FieldValueInvalid',
          message: 'Invalid value: -1: spec.delivery.retry in body should be greater than or equal to 0',
          field: 'spec.delivery.retry',
        },
        {
          reason: 'FieldValueNotSupported',
          message: 'Unsupported value: "random": supported values: "linear", "exponential"',
          field: 'spec.delivery.policy',
        },
      ],
    },
  })
})

test('a missing required field is told with its path', async () => {
  const server = await aServer()
  await assert.rejects(create(server, cronTabId, { ...aCronTab('c'), spec: {} }), {
    message: 'CronTab.stable.example.com "c" is invalid: spec.schedule: Required value',
    details: {
      name: 'c',
      group: 'stable.example.com',
      kind: 'CronTab',
      causes: [{ reason: 'FieldValueRequired', message: 'Required value', field: 'spec.schedule' }],
    },
  })
})

test('defaults of schema and kind are stored', async () => {
  const server = await aServer()
  const cron = await create(server, cronTabId, aCronTab('c'))
  assert.deepEqual(cron.object.spec, { schedule: '* * * * *', replicas: 1 })
  const trigger = await create(server, triggerId, aTrigger('t'))
  assert.deepEqual(trigger.object.spec, { ...aTrigger('t').spec, filter: {} })
})

test('warnings do not refuse, and fit into one line', async () => {
  const server = await aServer()
  const { warnings } = await create(server, triggerId, aTrigger('t', { metadata: { annotations: { warn: '' } } }))
  assert.deepEqual(warnings, ['be careful: spec.broker twice'])
})

test('a change sees the object before it, with today’s defaults', async () => {
  const server = await aServer()
  await create(server, triggerId, aTrigger('t'))
  await assert.rejects(patch(server, triggerId, 't', { spec: { broker: 'other' } }), {
    code: 400,
    message:
      'admission webhook "validation.webhook.eventing.knative.dev" denied the request: validation failed: Immutable fields changed (-old +new): spec.broker',
  })
})

test('kinds of Knative remember their creator, and who changed the spec last', async () => {
  const server = await aServer()
  const creator = 'eventing.knative.dev/creator'
  const lastModifier = 'eventing.knative.dev/lastModifier'
  const { object } = await create(server, triggerId, aTrigger('t'))
  assert.deepEqual(object.metadata.annotations, { [creator]: 'jane', [lastModifier]: 'jane' })
  const labelled = await patch(server, triggerId, 't', { metadata: { labels: { a: 'b' } } }, 'bob')
  assert.equal(labelled.object.metadata.annotations?.[lastModifier], 'jane')
  const changed = await patch(server, triggerId, 't', { spec: { delivery: { retry: 1 } } }, 'bob')
  assert.deepEqual(changed.object.metadata.annotations, { [creator]: 'jane', [lastModifier]: 'bob' })
})

test('a default that came with a newer version is nobody’s change of the spec', async () => {
  const server = await aServer()
  const { object } = await create(server, triggerId, aTrigger('t'))
  const { filter: _, ...spec } = object.spec as { filter: object }
  const key = { resource: 'triggers.eventing.knative.dev', namespace: 'shop', name: 't' }
  await server.store.put(key, { ...object, spec })
  const changed = await patch(server, triggerId, 't', { metadata: { labels: { a: 'b' } } }, 'bob')
  assert.deepEqual(changed.object.spec, object.spec)
  assert.equal(changed.object.metadata.annotations?.['eventing.knative.dev/lastModifier'], 'jane')
})

const annotated: [group: string, what: string, owned: boolean, expected: boolean][] = [
  ['messaging.knative.dev', 'an object', false, true],
  ['messaging.knative.dev', 'a child', true, true],
  ['serving.knative.dev', 'an object', false, true],
  ['serving.knative.dev', 'a child', true, false],
  ['autoscaling.internal.knative.dev', 'an object', false, false],
  ['stable.example.com', 'an object', false, false],
]
for (const [group, what, owned, expected] of annotated) {
  test(`${what} of ${group} is ${expected ? '' : 'not '}annotated with its creator`, () => {
    const kind = defineKind({
      group,
      kind: 'Thing',
      plural: 'things',
      webhooks: { mutating: 'm', validating: 'v' },
      versions: [{ name: 'v1', schema: {}, columns: [] }],
    })
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }]
    const metadata = { name: 'a', namespace: 'shop', ...(owned ? { ownerReferences } : {}) }
    const draft = { apiVersion: `${group}/v1`, kind: 'Thing', metadata }
    const { object } = admit(kind, draft, { operation: 'create', ...asJane, config: { data: () => ({}) } })
    const annotations = { [`${group}/creator`]: 'jane', [`${group}/lastModifier`]: 'jane' }
    assert.deepEqual(object.metadata.annotations, expected ? annotations : undefined)
  })
}

test('an annotation of Knode’s that the kind does not know is refused beside all else, unless it was there before', () => {
  const kind = defineKind({
    group: 'messaging.knative.dev',
    kind: 'Thing',
    plural: 'things',
    webhooks: { mutating: 'm', validating: 'v' },
    versions: [{ name: 'v1', schema: {}, columns: [] }],
    ownAnnotations: ['knode.dev/paused'],
    validate: () => [missingField('spec.size')],
  })
  const annotations = { 'knode.dev/pause': 'true', 'example.com/pause': 'true' }
  const draft = {
    apiVersion: 'messaging.knative.dev/v1',
    kind: 'Thing',
    metadata: { name: 'a', namespace: 'shop', annotations },
  }
  const context = { ...asJane, config: { data: () => ({}) } }
  assert.throws(() => admit(kind, draft, { operation: 'create', ...context }), {
    code: 400,
    message:
      'admission webhook "v" denied the request: validation failed: ' +
      'invalid key name "knode.dev/pause": metadata.annotations\n' +
      'did you mean knode.dev/paused? known here: knode.dev/paused\nmissing field(s): spec.size',
  })
  const lenient = { ...kind, validate: () => [] }
  admit(lenient, draft, { operation: 'update', old: structuredClone(draft), ...context })
})

test('a dry run of an object is refused where what would be made from it is', async () => {
  const server = await aServer()
  const versions = [{ name: 'v1', schema: { data: anyObject('Texts.') }, columns: [] }]
  const dryRunSample = ({ data }: Resource & { data?: object }): DryRunSample => ({
    kind: 'ConfigMap',
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'sample', namespace: 'shop' }, data } as Resource,
    path: 'data',
  })
  const template = defineKind({ group: 'x.example.com', kind: 'Template', plural: 'templates', versions, dryRunSample })
  const webhooks = { mutating: 'm', validating: 'v' }
  const hooked = defineKind({ ...template, kind: 'Hooked', plural: 'hookeds', webhooks })
  server.registry.add(template)
  server.registry.add(hooked)
  const dry = { ...asJane, dryRun: true }
  const aTemplate = (kind: KindDefinition, value: unknown): Resource & { data: object } => ({
    apiVersion: 'x.example.com/v1',
    kind: kind.kind,
    metadata: { name: 'a' },
    data: { text: value },
  })
  const refusal = 'ConfigMap "sample" is invalid: data.text: '
  for (const [kind, start] of [
    [template, refusal],
    [hooked, `admission webhook "v" denied the request: validation callback failed: dry run failed with ${refusal}`],
  ] as const) {
    const target = server.target(kindId(kind))
    const { operations } = server
    const says = ({ message }: Error): boolean =>
      message.startsWith(start) && message.endsWith(': data') === (kind === hooked)
    await assert.rejects(operations.create(target, 'shop', aTemplate(kind, 7), dry), says)
    await operations.create(target, 'shop', aTemplate(kind, 'seven'), dry)
    await operations.create(target, 'shop', aTemplate(kind, 'seven'), asJane)
    const change = { type: 'merge', body: { data: { text: 7 } } } as const
    await assert.rejects(operations.patch(target, 'shop', 'a', change, dry), says)
    // What is wanted for real is left to those who make it.
    await operations.patch(target, 'shop', 'a', change, asJane)
  }
})

test('a broken rule of a built-in kind is Invalid with a cause', async () => {
  const server = await aServer()
  await create(server, 'ConfigMap', { metadata: { name: 'c' }, data: { a: '1' }, immutable: true })
  await assert.rejects(patch(server, 'ConfigMap', 'c', { data: { a: '2' } }), {
    code: 422,
    message: 'ConfigMap "c" is invalid: data: Forbidden: field is immutable when `immutable` is set',
    details: {
      name: 'c',
      kind: 'ConfigMap',
      causes: [
        {
          reason: 'FieldValueForbidden',
          message: 'Forbidden: field is immutable when `immutable` is set',
          field: 'data',
        },
      ],
    },
  })
})
