import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Destination } from '../../model/duck/types.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { KindDefinition } from '../kind.ts'
import { kindOfIn, resolveDestination } from './sink-resolver.ts'

const version = (name: string): KindDefinition['versions'][number] => ({ name, schema: {}, columns: [] })
const kinds: KindDefinition[] = [
  { group: '', kind: 'Service', plural: 'services', versions: [version('v1')] },
  { group: 'serving.knative.dev', kind: 'Service', plural: 'services', versions: [version('v1')] },
  { group: 'eventing.knative.dev', kind: 'Broker', plural: 'brokers', versions: [version('v1')] },
  { group: 'test.knode.dev', kind: 'Gate', plural: 'gates', scope: 'Cluster', versions: [version('v1')] },
]

const objects: Record<string, Resource> = {
  'Service shop/orders': { apiVersion: 'v1', kind: 'Service', metadata: { name: 'orders', namespace: 'shop' } },
  'Service.serving.knative.dev shop/drinks': addressable({ address: { url: 'http://drinks.shop.svc.cluster.local' } }),
  'Broker.eventing.knative.dev shop/default': addressable({
    address: { url: 'http://old.example/shop/default' },
    addresses: [
      { name: 'https', url: 'https://ingress.example/shop/default', CACerts: 'their-certificate', audience: 'broker' },
      { name: 'http', url: 'http://ingress.example/shop/default' },
    ],
  }),
  'Broker.eventing.knative.dev shop/new': addressable({}),
  'Broker.eventing.knative.dev shop/blank': addressable({ address: {} }),
  'Broker.eventing.knative.dev shop/hostless': addressable({ address: { url: '/just/a/path' } }),
  'Broker.eventing.knative.dev bar/default': addressable({ address: { url: 'http://bar.example/' } }),
  'Gate.test.knode.dev /main': addressable({ address: { url: 'http://gate.example' } }),
}

function addressable(status: object): Resource {
  return { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata: { name: 'any' }, status }
}

const resolve = (destination: Destination): ReturnType<typeof resolveDestination> =>
  resolveDestination(destination, 'shop', {
    kindOf: kindOfIn(kinds),
    get: (kind, namespace, name) => objects[`${kind} ${namespace}/${name}`],
  })

const broker = (name: string, more: object = {}): Destination => ({
  ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name, ...more },
})
const service = { ref: { apiVersion: 'v1', kind: 'Service', name: 'orders' } }
const printed = (name: string, address = ''): string =>
  `Kind = Broker, Namespace = shop, Name = ${name}, APIVersion = eventing.knative.dev/v1, Group = , Address = ${address}`

const resolved: [promise: string, Destination, object][] = [
  ['a uri alone is used as it is', { uri: 'http://example.com/a?b' }, { url: 'http://example.com/a?b' }],
  [
    'a uri brings its own certificates and audience',
    { uri: 'https://example.com', CACerts: 'mine', audience: 'me' },
    { url: 'https://example.com', CACerts: 'mine', audience: 'me' },
  ],
  ['a core Service has its cluster name, without a port', service, { url: 'http://orders.shop.svc.cluster.local' }],
  [
    'a core Service is spoken to by https when the destination has certificates',
    { ...service, CACerts: 'mine' },
    { url: 'https://orders.shop.svc.cluster.local', CACerts: 'mine' },
  ],
  [
    'a serving Service is found by its group, and has its address',
    { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'drinks' } },
    { url: 'http://drinks.shop.svc.cluster.local' },
  ],
  [
    'the first of several addresses wins over the single one',
    broker('default'),
    { name: 'https', url: 'https://ingress.example/shop/default', CACerts: 'their-certificate', audience: 'broker' },
  ],
  [
    'an address can be chosen by name',
    broker('default', { address: 'http' }),
    { name: 'http', url: 'http://ingress.example/shop/default' },
  ],
  [
    "the destination's certificates and audience override the target's",
    { ...broker('default'), CACerts: 'mine', audience: 'me' },
    { name: 'https', url: 'https://ingress.example/shop/default', CACerts: 'mine', audience: 'me' },
  ],
  [
    'an absolute path replaces the whole path of the reference (RFC 3986)',
    { ...broker('default', { address: 'http' }), uri: '/x' },
    { name: 'http', url: 'http://ingress.example/x' },
  ],
  [
    'a relative path replaces its last part (RFC 3986)',
    { ...broker('default', { address: 'http' }), uri: 'x?y=1' },
    { name: 'http', url: 'http://ingress.example/shop/x?y=1' },
  ],
  ['a path after a Service', { ...service, uri: '/hook' }, { url: 'http://orders.shop.svc.cluster.local/hook' }],
  ['another namespace', broker('default', { namespace: 'bar' }), { url: 'http://bar.example/' }],
  [
    'a group without a version',
    { ref: { group: 'serving.knative.dev', kind: 'Service', name: 'drinks' } },
    { url: 'http://drinks.shop.svc.cluster.local' },
  ],
  [
    'a cluster-scoped target',
    { ref: { apiVersion: 'test.knode.dev/v1', kind: 'Gate', name: 'main' } },
    { url: 'http://gate.example' },
  ],
]

const refused: [promise: string, Destination, code: string, message: string][] = [
  ['nothing given', {}, 'NOT_ADDRESSABLE', 'destination missing Ref and URI, expected at least one'],
  [
    'a uri without host',
    { uri: '/path' },
    'NOT_ADDRESSABLE',
    'URI is not absolute (both scheme and host should be non-empty): "/path"',
  ],
  [
    'a uri without scheme',
    { uri: 'example.com/path' },
    'NOT_ADDRESSABLE',
    'URI is not absolute (both scheme and host should be non-empty): "example.com/path"',
  ],
  [
    'an absolute uri beside a reference',
    { ...broker('default'), uri: 'http://example.com' },
    'NOT_ADDRESSABLE',
    'absolute URI is not allowed when Ref or [apiVersion, kind, name] exists',
  ],
  [
    'a target that does not exist',
    broker('none'),
    'NOT_FOUND',
    'failed to get object shop/none: brokers.eventing.knative.dev "none" not found',
  ],
  [
    'a core Service that does not exist',
    { ref: { ...service.ref, name: 'none' } },
    'NOT_FOUND',
    'failed to get object shop/none: services "none" not found',
  ],
  [
    'an unknown kind',
    { ref: { apiVersion: 'test.knode.dev/v1', kind: 'Lamp', name: 'x' } },
    'NOT_FOUND',
    'failed to get object shop/x: no matches for kind "Lamp" in version "test.knode.dev/v1"',
  ],
  [
    'a version that is not served',
    { ref: { apiVersion: 'eventing.knative.dev/v9', kind: 'Broker', name: 'default' } },
    'NOT_FOUND',
    'failed to get object shop/default: no matches for kind "Broker" in version "eventing.knative.dev/v9"',
  ],
  ['a target without an address', broker('new'), 'NOT_ADDRESSABLE', `address not set for ${printed('new')}`],
  ['an address without a URL', broker('blank'), 'NOT_ADDRESSABLE', `URL missing in address of ${printed('blank')}`],
  [
    'an address without a host',
    broker('hostless'),
    'NOT_ADDRESSABLE',
    `hostname missing in address of ${printed('hostless')}`,
  ],
  [
    'an address of a name that is not there',
    broker('default', { address: 'grpc' }),
    'NOT_ADDRESSABLE',
    `address with name "grpc" not found for ${printed('default', 'grpc')}`,
  ],
]

describe('a destination resolves', () => {
  for (const [promise, destination, address] of resolved) {
    test(promise, () => assert.deepEqual(resolve(destination), address))
  }
})

describe("a destination is refused in upstream's words", () => {
  for (const [promise, destination, code, message] of refused) {
    test(promise, () => assert.throws(() => resolve(destination), { name: 'KnodeError', code, message }))
  }
})
