// An API server in a test: a memory store, a fake clock, and a few kinds that show every rule.
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/log.ts'
import { seededRandom } from '../../base/random.ts'
import { at, fieldError, missingField } from '../../model/kubernetes/field-error.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { anyObject, boolean, integer, list, map, object, string } from '../../model/kubernetes/schema.ts'
import { openResourceStore } from '../../ports/resource-store/open.ts'
import type { ResourceStore } from '../../ports/resource-store/port.ts'
import { defineKind, storageVersion } from '../kind.ts'
import type { ConfigReader, KindDefinition, KindId } from '../kind.ts'
import { createKindRegistry } from './kind-registry.ts'
import type { KindRegistry } from './kind-registry.ts'
import { createOperations } from './object-operations.ts'
import type { KindTarget, Operations, WriteOptions } from './operations.ts'
import { createResourceClient } from './resource-client.ts'

const namespaceKind = defineKind({
  group: '',
  kind: 'Namespace',
  plural: 'namespaces',
  scope: 'Cluster',
  builtIn: true,
  statusSubresource: true,
  nameFormat: 'dns-label',
  versions: [
    {
      name: 'v1',
      schema: {
        spec: object('Life.', { finalizers: list('Who keeps it.', string('Name.')) }),
        status: object('State.', { phase: string('Active or Terminating.') }),
      },
      columns: [],
    },
  ],
})

const configMapKind = defineKind({
  group: '',
  kind: 'ConfigMap',
  plural: 'configmaps',
  builtIn: true,
  versions: [
    {
      name: 'v1',
      schema: { data: map('Texts.', string('Text.')), immutable: boolean('Frozen.') },
      columns: [],
    },
  ],
  validate: (object, { old }) =>
    (old as { immutable?: boolean } | undefined)?.immutable === true &&
    JSON.stringify((old as { data?: object }).data) !== JSON.stringify((object as { data?: object }).data)
      ? [fieldError('must not set the field(s)', ['data'], 'field is immutable when `immutable` is set')]
      : [],
})

const container = object('A container.', {
  name: string('Name.'),
  image: string('Image.'),
  env: list('Variables.', object('A variable.', { name: string('Name.'), value: string('Value.') })),
  ports: list(
    'Ports.',
    object('A port.', {
      name: string('Name.'),
      containerPort: integer('Number.', { format: 'int32' }),
      protocol: string('Protocol.', { default: 'TCP' }),
    }),
  ),
  args: list('Arguments.', string('Argument.')),
})

const deploymentKind = defineKind({
  group: 'apps',
  kind: 'Deployment',
  plural: 'deployments',
  builtIn: true,
  statusSubresource: true,
  countsGenerations: true,
  scale: { replicas: () => 7, selector: () => 'app=web' },
  deletionGraceSeconds: () => 30,
  versions: [
    {
      name: 'v1',
      schema: {
        spec: object('Wanted.', {
          replicas: integer('How many.', { format: 'int32' }),
          template: object('Pods.', { spec: object('Pod.', { containers: list('Containers.', container) }) }),
        }),
        status: anyObject('Seen.'),
      },
      columns: [],
    },
  ],
})

const eventKind = defineKind({
  group: '',
  kind: 'Event',
  plural: 'events',
  builtIn: true,
  nameFormat: 'path-segment',
  versions: [{ name: 'v1', schema: { message: string('Text.'), reason: string('Word.') }, columns: [] }],
})

export interface Trigger extends Resource {
  spec: {
    broker?: string
    subscriber?: { uri?: string }
    filter?: object
    filters?: object[]
    delivery?: { retry?: number; policy?: string }
  }
  status?: { subscriberUri?: string; observedGeneration?: number }
}

/** A kind as Knative's are: webhooks, defaults, rules with Knative's texts. */
const triggerKind = defineKind<Trigger>({
  group: 'eventing.knative.dev',
  kind: 'Trigger',
  plural: 'triggers',
  versions: [
    {
      name: 'v1',
      schema: {
        spec: object('Wanted.', {
          broker: string('Broker.'),
          subscriber: object('Who.', { uri: string('Where.') }),
          filter: anyObject('Old filter.'),
          filters: list('Filters.', anyObject('One.')),
          delivery: object('How.', {
            retry: integer('Times.', { format: 'int32', minimum: 0 }),
            policy: string('Wait.', { enum: ['linear', 'exponential'] }),
          }),
        }),
        status: object('Seen.', {
          subscriberUri: string('Where.'),
          observedGeneration: integer('Generation.', { format: 'int64' }),
        }),
      },
      columns: [],
    },
  ],
  webhooks: { mutating: 'webhook.eventing.knative.dev', validating: 'validation.webhook.eventing.knative.dev' },
  setDefaults(draft) {
    draft.spec ??= {}
    draft.spec.filter ??= {}
  },
  validate({ spec, metadata }, { old }) {
    return at('spec', [
      ...(spec.broker === undefined || spec.broker === '' ? [missingField('broker')] : []),
      ...(spec.subscriber === undefined ? [missingField('subscriber')] : []),
      ...(old !== undefined && old.spec.broker !== spec.broker
        ? [fieldError('Immutable fields changed (-old +new)', ['broker'])]
        : []),
      ...(metadata.annotations?.['warn'] === undefined
        ? []
        : [{ ...fieldError('be careful', ['broker'], 'twice'), level: 'warning' as const }]),
    ])
  },
})

/** Two versions: `v1beta2` is stored and says `type`, `v1beta3` says `attributes`. */
const eventTypeKind = defineKind({
  group: 'eventing.knative.dev',
  kind: 'EventType',
  plural: 'eventtypes',
  storageVersion: 'v1beta2',
  versions: [
    {
      name: 'v1beta3',
      schema: {
        spec: object('Wanted.', {
          attributes: list('Attributes.', object('One.', { name: string('Name.'), value: string('Value.') })),
        }),
      },
      columns: [],
    },
    { name: 'v1beta2', schema: { spec: object('Wanted.', { type: string('Type.') }) }, columns: [] },
  ],
  convert(object, toVersion) {
    const { type, attributes } = (object.spec ?? {}) as { type?: string; attributes?: { value?: string }[] }
    const spec =
      toVersion === 'v1beta3'
        ? { attributes: [{ name: 'type', ...(type === undefined ? {} : { value: type }) }] }
        : { type: attributes?.[0]?.value }
    return { ...object, apiVersion: `eventing.knative.dev/${toVersion}`, spec }
  },
})

/** A user's own kind: no webhooks, keyed lists. */
const cronTabKind = defineKind({
  group: 'stable.example.com',
  kind: 'CronTab',
  plural: 'crontabs',
  versions: [
    {
      name: 'v1',
      schema: {
        spec: object(
          'Wanted.',
          {
            schedule: string('When.'),
            replicas: integer('How many.', { minimum: 1, maximum: 10, default: 1 }),
            steps: list('Atomic.', string('Step.')),
            tags: list('Set.', string('Tag.'), { 'x-kubernetes-list-type': 'set' }),
            jobs: list('Keyed.', object('Job.', { name: string('Name.'), image: string('Image.') }), {
              'x-kubernetes-list-type': 'map',
              'x-kubernetes-list-map-keys': ['name'],
            }),
            limits: map('By name.', string('Limit.')),
            extra: anyObject('Anything.'),
          },
          { required: ['schedule'] },
        ),
        status: object('Seen.', { replicas: integer('How many.') }),
      },
      columns: [],
    },
  ],
  validate: ({ spec }) =>
    (spec as { schedule?: string }).schedule === 'never' ? [fieldError('invalid value: never', ['spec.schedule'])] : [],
})

const kinds: KindDefinition[] = [
  namespaceKind,
  configMapKind,
  deploymentKind,
  eventKind,
  triggerKind,
  eventTypeKind,
  cronTabKind,
]

export const triggerId = 'Trigger.eventing.knative.dev'
export const eventTypeId = 'EventType.eventing.knative.dev'
export const cronTabId = 'CronTab.stable.example.com'
export const deploymentId = 'Deployment.apps'

export interface TestServer {
  registry: KindRegistry
  operations: Operations
  store: ResourceStore
  clock: FakeClock
  target: (id: KindId, version?: string) => KindTarget
  client: ReturnType<typeof createResourceClient>
}

/** The user of a request that does not care who asks. */
export const asJane: WriteOptions = { user: { username: 'jane' } }

/** A server with the namespace `shop`. */
export async function aServer(): Promise<TestServer> {
  const registry = createKindRegistry(kinds)
  const store = await openResourceStore({ driver: 'memory' })
  const clock = new FakeClock()
  const config: ConfigReader = { data: () => ({}) }
  const operations = createOperations({ store, registry, config, clock, random: seededRandom(7), log: silentLogger })
  const target = (id: KindId, version?: string): KindTarget => {
    const kind = registry.get(id)
    if (kind === undefined) throw new Error(`no kind ${id}`)
    return { kind, version: version ?? storageVersion(kind) }
  }
  await operations.create(target('Namespace'), '', { metadata: { name: 'shop' } }, asJane)
  return { registry, operations, store, clock, target, client: createResourceClient({ operations, registry }) }
}

/** A Trigger as a manifest says it. */
export const aTrigger = (name: string, parts: { spec?: object; metadata?: object; status?: object } = {}) => ({
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Trigger',
  metadata: { name, ...parts.metadata },
  spec: { broker: 'orders', subscriber: { uri: 'http://sink' }, ...parts.spec },
  ...(parts.status === undefined ? {} : { status: parts.status }),
})

export const aCronTab = (name: string, spec: object = {}) => ({
  apiVersion: 'stable.example.com/v1',
  kind: 'CronTab',
  metadata: { name },
  spec: { schedule: '* * * * *', ...spec },
})
