import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TrafficTarget } from '../../../model/serving/traffic.ts'
import type { Configuration } from '../configuration/schema.ts'
import type { Revision } from '../revision/schema.ts'
import { ingressFor } from './ingress-object.ts'
import { RouteNaming } from './naming.ts'
import { rolloutGoal } from './rollout.ts'
import type { Route } from './schema.ts'
import { isProblem, resolveTraffic } from './traffic.ts'
import type { Traffic } from './traffic.ts'
import { networkConfig } from '../../../model/serving/network-config.ts'

const apiVersion = 'serving.knative.dev/v1'

const aRevision = (name: string, portName?: string): Revision => ({
  apiVersion,
  kind: 'Revision',
  metadata: { name, namespace: 'shop', generation: 1, labels: { 'serving.knative.dev/configuration': 'hello' } },
  spec: { containers: [{ image: 'i', ...(portName !== undefined && { ports: [{ name: portName }] }) }] },
  status: { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True' }] },
})

const hello: Configuration = {
  apiVersion,
  kind: 'Configuration',
  metadata: { name: 'hello', namespace: 'shop' },
  spec: {},
  status: { latestReadyRevisionName: 'r2' },
}

const aRoute = (traffic: TrafficTarget[], namespace = 'shop'): Route => ({
  apiVersion,
  kind: 'Route',
  metadata: { name: 'hello', namespace, uid: 'u' },
  spec: { traffic },
})

const revisions: Record<string, Revision> = { r1: aRevision('r1'), r2: aRevision('r2', 'h2c') }

function resolved(traffic: TrafficTarget[]): Traffic {
  const found = resolveTraffic(aRoute(traffic), {
    configuration: (name) => (name === 'hello' ? hello : undefined),
    revision: (name) => revisions[name],
  })
  assert.ok(!isProblem(found))
  return found
}

const latest = (percent: number, tag?: string): TrafficTarget => ({
  configurationName: 'hello',
  latestRevision: true,
  percent,
  ...(tag !== undefined && { tag }),
})
const pinned = (revisionName: string, percent: number, tag?: string): TrafficTarget => ({
  revisionName,
  latestRevision: false,
  percent,
  ...(tag !== undefined && { tag }),
})

/** `r1=60 r2=40` */
const shares = (traffic: Traffic, tag: string): string =>
  (traffic.byTag.get(tag) ?? []).map(({ revisionName, percent }) => `${revisionName}=${percent}`).join(' ')

test('equal targets are one in the status; the Route’s own host counts by Revision', () => {
  const traffic = resolved([
    pinned('r1', 30),
    pinned('r1', 20),
    pinned('r2', 10, 'x'),
    latest(40),
    pinned('r1', 0, 'y'),
  ])
  assert.deepEqual(
    traffic.flattened.map(({ revisionName, percent, latestRevision, tag }) => [
      revisionName,
      percent,
      latestRevision,
      tag,
    ]),
    [
      ['r1', 50, false, ''],
      ['r2', 10, false, 'x'],
      ['r2', 40, true, ''],
      ['r1', 0, false, 'y'],
    ],
  )
  assert.equal(shares(traffic, ''), 'r1=50 r2=50')
})

test('the host of a tag sends all to its target, whatever its share', () => {
  const traffic = resolved([pinned('r1', 99, 'old'), latest(1, 'new'), pinned('r1', 0, 'none')])
  assert.deepEqual([...traffic.byTag.keys()], ['', 'new', 'none', 'old'])
  assert.deepEqual(
    ['old', 'new', 'none'].map((tag) => shares(traffic, tag)),
    ['r1=100', 'r2=100', 'r1=100'],
  )
})

test('only latest Revisions are rolled out, each tag apart', () => {
  const goal = rolloutGoal(resolved([pinned('r1', 70, 'old'), latest(30, 'new')]))
  assert.deepEqual(goal, [
    { configurationName: 'hello', tag: '', percent: 30, revisions: [{ revisionName: 'r2', percent: 30 }] },
    { configurationName: 'hello', tag: 'new', percent: 100, revisions: [{ revisionName: 'r2', percent: 100 }] },
  ])
})

test('backends are asked at the port of their protocol', () => {
  const network = networkConfig({})
  const route = aRoute([pinned('r1', 50), pinned('r2', 50)])
  const naming = new RouteNaming(route, { network, domains: {}, serviceDomain: 'example.com' })
  const ports = (isInternalTls: boolean) => {
    const { spec } = ingressFor(route, {
      traffic: resolved(route.spec.traffic ?? []),
      rollout: [],
      naming,
      localTags: new Set(),
      ingressClass: 'c',
      httpOption: undefined,
      tls: [],
      routesByTagHeader: false,
      isInternalTls,
    })
    return spec.rules?.[0]?.http?.paths[0]?.splits.map(({ servicePort }) => servicePort)
  }
  assert.deepEqual(ports(false), [80, 81])
  assert.deepEqual(ports(true), [443, 443])
})

test('a name that no host can have is refused, and one that looks like an address is no host', () => {
  const naming = (namespace: string): RouteNaming =>
    new RouteNaming(aRoute([], namespace), { network: networkConfig({}), domains: {}, serviceDomain: 'example.com:80' })
  assert.deepEqual(naming('123').localHosts('x'), ['x-hello.123.svc', 'x-hello.123.svc.cluster.local'])
  assert.equal(naming('shop').url('x', false), 'http://x-hello.shop.example.com:80')
  assert.throws(() => naming('shop').host('a'.repeat(60), false), /must be no more than 63 characters/)
})
