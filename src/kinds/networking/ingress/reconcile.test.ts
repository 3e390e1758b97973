import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRoutingWorld } from '../../../../test/harness/routing-world.ts'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import { hostRulesOf } from './host-rules.ts'
import { ingress as ingressKind } from './kind.ts'
import type { HttpIngressPath, Ingress, IngressRule } from './schema.ts'

const split = (serviceName: string, percent = 100) => ({
  serviceNamespace: 'shop',
  serviceName,
  servicePort: 80,
  percent,
})

function anIngress(name: string, hosts: string[], revision: string, ingressClass?: string): Ingress {
  const annotations = ingressClass === undefined ? {} : { 'networking.knative.dev/ingress.class': ingressClass }
  return {
    apiVersion: 'networking.internal.knative.dev/v1alpha1',
    kind: 'Ingress',
    metadata: { name, namespace: 'shop', annotations },
    spec: { rules: [{ hosts, visibility: 'ExternalIP', http: { paths: [{ splits: [split(revision)] }] } }] },
  }
}

test('an Ingress is Ready when its hosts lead somewhere, and names the gateway', async () => {
  const done = await reconcileOnce(anIngress('hello', ['h'], 'hello-00001'), { kind: ingressKind })
  for (const type of ['NetworkConfigured', 'LoadBalancerReady', 'Ready']) {
    assert.equal(done.condition(type)?.status, 'True', type)
  }
  const gateway = { ingress: [{ domainInternal: 'knode-gateway.knative-serving.svc.cluster.local' }] }
  assert.deepEqual([done.status.publicLoadBalancer, done.status.privateLoadBalancer], [gateway, gateway])
  assert.equal(done.endpoints[0]?.find('h', '/')?.kind, 'http')
})

test('classes of Knative’s gateways are ours, others are left alone', async () => {
  await using world = await startRoutingWorld()
  await world.client.create(anIngress('a', ['a'], 'a-00001', 'kourier.ingress.networking.knative.dev'))
  await world.client.create(anIngress('b', ['b'], 'b-00001', 'istio.ingress.networking.knative.dev'))
  await world.client.create(anIngress('c', ['c'], 'c-00001', 'somebody.example.com'))
  await world.settled()
  assert.deepEqual([world.ask('a').by, world.ask('b').by], ['a-00001', 'b-00001'])
  assert.deepEqual(world.ask('c'), { status: 404 })
  assert.equal((await world.read<Ingress>('Ingress', 'c')).status, undefined)
})

test('a host is its first owner’s; the second takes over when that one lets go', async () => {
  await using world = await startRoutingWorld()
  await world.client.create(anIngress('a', ['h', 'i'], 'a-00001'))
  await world.settled()
  await world.client.create(anIngress('b', ['h'], 'b-00001'))
  await world.settled()
  const message = 'Ingress rejected: ingress has a conflicting domain with another ingress'
  assert.equal(await world.says('Ingress', 'b'), `False DomainConflict: ${message}`)
  assert.equal(world.ask('h').by, 'a-00001')
  await world.client.update({
    ...(await world.read<Ingress>('Ingress', 'a')),
    spec: anIngress('a', ['i'], 'a-00001').spec,
  })
  await world.settled()
  assert.equal(world.ask('h').by, 'b-00001')
  assert.equal(await world.says('Ingress', 'b'), 'True')
})

test('an Ingress that grows into another’s host keeps what it had', async () => {
  await using world = await startRoutingWorld()
  await world.client.create(anIngress('a', ['h'], 'a-00001'))
  await world.client.create(anIngress('b', ['i'], 'b-00001'))
  await world.settled()
  await world.client.update({
    ...(await world.read<Ingress>('Ingress', 'a')),
    spec: anIngress('a', ['h', 'i'], 'a-00001').spec,
  })
  await world.settled()
  assert.match(await world.says('Ingress', 'a'), /^False DomainConflict/)
  assert.deepEqual([world.ask('h').by, world.ask('i').by], ['a-00001', 'b-00001'])
})

test('after a restart a host stays with the Ingress that had it', async () => {
  const loser = anIngress('a', ['h'], 'a-00001')
  const conflict = { type: 'LoadBalancerReady', status: 'False' as const, reason: 'DomainConflict' }
  const winner = anIngress('b', ['h'], 'b-00001')
  const ready = { type: 'LoadBalancerReady', status: 'True' as const }
  await using world = await startRoutingWorld({
    stored: [
      { ...loser, status: { observedGeneration: 1, conditions: [conflict] } },
      { ...winner, status: { observedGeneration: 1, conditions: [ready] } },
    ],
  })
  await world.settled()
  assert.equal(world.ask('h').by, 'b-00001')
  assert.match(await world.says('Ingress', 'a', 'LoadBalancerReady'), /^False DomainConflict/)
})

test('a deleted Ingress takes its hosts with it', async () => {
  await using world = await startRoutingWorld()
  await world.client.create(anIngress('a', ['h'], 'a-00001'))
  await world.settled()
  await world.client.delete('Ingress.networking.internal.knative.dev', 'shop', 'a')
  await world.settled()
  assert.deepEqual(world.ask('h'), { status: 404 })
})

test('rules become rows of the table: lower case, without ports, both kinds of headers joined', () => {
  const path: HttpIngressPath = {
    path: '/a',
    rewriteHost: 'x.shop.svc.cluster.local',
    headers: { 'Knative-Serving-Tag': { exact: 'New' } },
    appendHeaders: { 'X-A': '1', 'X-B': '1' },
    splits: [{ ...split('r1', 40), appendHeaders: { 'X-B': '2' } }, split('r2', 60)],
  }
  const rule = (visibility: IngressRule['visibility']): IngressRule => ({
    hosts: ['Shop.example.com:80'],
    ...(visibility !== undefined && { visibility }),
    http: { paths: [path] },
  })
  const rules = [rule(undefined), rule('ClusterLocal'), { http: { paths: [] } }]
  const rows = hostRulesOf({ httpOption: 'Redirected', rules })
  const row = {
    prefix: '/a',
    headers: { 'knative-serving-tag': 'New' },
    targets: [
      { namespace: 'shop', name: 'r1', percent: 40, setHeaders: { 'x-a': '1', 'x-b': '2' } },
      { namespace: 'shop', name: 'r2', percent: 60, setHeaders: { 'x-a': '1', 'x-b': '1' } },
    ],
    rewriteHost: 'x.shop.svc.cluster.local',
  }
  assert.deepEqual(rows, [
    { hosts: ['shop.example.com'], paths: [{ ...row, isRedirected: true }] },
    { hosts: ['shop.example.com'], paths: [{ ...row, isRedirected: false }] },
    { hosts: ['*'], paths: [] },
  ])
})
