import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controllerUser } from '../../../engine/api-server/resource-client.ts'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import { clusterIpFor } from './cluster-ip.ts'
import { serviceColumns } from './columns.ts'
import { setServiceDefaults } from './defaults.ts'
import { service } from './kind.ts'
import type { Service, ServiceSpec } from './schema.ts'
import { validateService } from './validate.ts'

const aService = (spec: ServiceSpec = {}, metadata: object = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'till', namespace: 'shop', ...metadata },
  spec: { ports: [{ port: 80 }], ...spec },
})
function defaulted(spec: ServiceSpec, old?: Service): Service {
  const draft = aService(structuredClone(spec))
  setServiceDefaults(draft, old === undefined ? {} : { old })
  return draft
}
const complaints = (service: Service, old?: Service, username = 'jane'): string[] =>
  validateService(service, {
    operation: old === undefined ? 'create' : 'update',
    user: { username },
    config: { data: () => ({}) },
    ...(old !== undefined && { old }),
  }).flatMap(({ paths, message, details = '' }) => paths.map((path) => `${path}: ${message} ${details}`.trim()))

test('a plain Service gets type, address, policies, protocol and target port', () => {
  const { spec, status } = defaulted({ selector: { app: 'till' } })
  assert.deepEqual(spec, {
    type: 'ClusterIP',
    selector: { app: 'till' },
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    sessionAffinity: 'None',
    clusterIP: clusterIpFor('shop/till'),
    clusterIPs: [clusterIpFor('shop/till')],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    internalTrafficPolicy: 'Cluster',
  })
  assert.deepEqual(status, { loadBalancer: {} })
})

test('addresses come from 10.96.0.0/12, are the same each time, and step over those taken', () => {
  const first = clusterIpFor('shop/till')
  assert.match(first, /^10\.(9[6-9]|10\d|11[01])\.\d+\.\d+$/)
  assert.equal(clusterIpFor('shop/till'), first)
  const second = clusterIpFor('shop/till', new Set([first]))
  assert.notEqual(second, first)
  assert.ok(!['10.96.0.1', '10.96.0.10'].includes(second))
})

test('a Service can be headless, a mere name, have its own address, or keep its old one', () => {
  assert.deepEqual(defaulted({ clusterIP: 'None' }).spec.clusterIPs, ['None'])
  const named = defaulted({ type: 'ExternalName', externalName: 'a.test', clusterIP: '' }).spec
  assert.deepEqual([named.clusterIP, named.clusterIPs, named.ipFamilies], [undefined, undefined, undefined])
  assert.deepEqual(defaulted({ clusterIP: '10.97.0.7' }).spec.clusterIPs, ['10.97.0.7'])
  const old = defaulted({ clusterIP: '10.97.0.7' })
  assert.equal(defaulted({}, old).spec.clusterIP, '10.97.0.7')
  const turned = defaulted({ ...old.spec, type: 'ExternalName', externalName: 'a.test' }, old)
  assert.equal(turned.spec.clusterIP, undefined)
  assert.equal(defaulted({ sessionAffinity: 'ClientIP' }).spec.sessionAffinityConfig?.clientIP?.timeoutSeconds, 10_800)
  assert.equal(defaulted({ type: 'NodePort' }).spec.externalTrafficPolicy, 'Cluster')
})

test('defaults do not change a Service that has them', () => {
  for (const spec of [
    {},
    { clusterIP: 'None' },
    { type: 'LoadBalancer' },
    { type: 'ExternalName', externalName: 'a.b' },
  ]) {
    const once = defaulted(spec as ServiceSpec)
    const twice = structuredClone(once)
    setServiceDefaults(twice, { old: once })
    assert.deepEqual(twice, once)
  }
})

test('everything wrong with the ports is told at once', () => {
  const ports = [
    { port: 0 },
    { name: 'UP', port: 70_000 },
    { name: 'a', port: 1, targetPort: 'no--port' },
    { name: 'a', port: 1 },
  ]
  assert.deepEqual(complaints(defaulted({ ports })), [
    'spec.ports[0].name: missing field(s)',
    'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
    'spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive',
    'spec.ports[1].name: invalid value: UP must be a lower case DNS label of at most 63 characters',
    'spec.ports[1].port: Invalid value: 70000: must be between 1 and 65535, inclusive',
    'spec.ports[1].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
    'spec.ports[2].targetPort: invalid value: no--port must be a port name: at most 15 lower case letters, digits and single dashes, with a letter',
    'spec.ports[3].name: Duplicate value: "a"',
    'spec.ports[3]: Duplicate value: {"protocol":"TCP","port":1}',
  ])
  assert.deepEqual(complaints(defaulted({ ports: [] })), ['spec.ports: missing field(s)'])
  assert.deepEqual(complaints(defaulted({ ports: [], clusterIP: 'None' })), [])
})

test('addresses must be addresses, and do not change', () => {
  assert.deepEqual(complaints(defaulted({ clusterIP: 'here' })), [
    'spec.clusterIPs[0]: invalid value: here must be a valid IP address',
  ])
  assert.deepEqual(complaints(defaulted({ type: 'ExternalName' })), ['spec.externalName: missing field(s)'])
  assert.equal(complaints(defaulted({ type: 'ExternalName', externalName: 'a b' })).length, 1)
  const [old, moved] = [defaulted({ clusterIP: '10.97.0.1' }), defaulted({ clusterIP: '10.97.0.2' })]
  assert.deepEqual(complaints(moved, old), ['spec.clusterIPs[0]: invalid value: 10.97.0.2 may not change once set'])
  assert.deepEqual(complaints(moved, old, controllerUser.username), [])
})

test('columns show addresses, ports and selector', () => {
  const shown = (object: Service): unknown[] =>
    serviceColumns.filter(({ jsonPath }) => jsonPath === '').map((column) => column.print?.(object, 0))
  const ports = [{ port: 80 }, { name: 'b', port: 443, nodePort: 30_443 }]
  assert.deepEqual(shown(defaulted({ clusterIP: '10.97.0.1', ports, selector: { b: '2', a: '1' } })), [
    '10.97.0.1',
    '<none>',
    '80/TCP,443:30443/TCP',
    'a=1,b=2',
  ])
  assert.deepEqual(shown(defaulted({ type: 'ExternalName', externalName: 'a.test', ports: [] })), [
    '<none>',
    'a.test',
    '<none>',
    '<none>',
  ])
  const balanced = { ...defaulted({ type: 'LoadBalancer' }), status: {} }
  assert.equal(shown(balanced)[1], '<pending>')
  assert.equal(shown({ ...balanced, status: { loadBalancer: { ingress: [{ hostname: 'lb' }] } } })[1], 'lb')
})

test('of two Services with one address the younger moves', async () => {
  const spec = defaulted({ clusterIP: '10.97.0.1' }).spec
  const older = aService(spec, { name: 'older', creationTimestamp: '2026-01-01T00:00:00Z' })
  const younger = aService(spec, { name: 'younger', creationTimestamp: '2026-01-01T00:00:01Z' })
  const ipsAfter = async (object: Service, other: Service): Promise<(string | undefined)[]> => {
    const run = await reconcileOnce(object, { kind: service, stored: [other] })
    const stored = (await run.stored()) as Service[]
    return stored.map(({ spec }) => spec.clusterIP)
  }
  assert.deepEqual(await ipsAfter(older, younger), ['10.97.0.1', '10.97.0.1'])
  assert.deepEqual(await ipsAfter(younger, older), ['10.97.0.1', clusterIpFor('shop/younger')])
})
