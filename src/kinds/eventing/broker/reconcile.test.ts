import assert from 'node:assert/strict'
import test from 'node:test'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import type { ReconcileRun } from '../../../engine/control-loop/reconcile-once.ts'
import type { KindDeps } from '../../../engine/reconciler.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { broker } from './kind.ts'
import type { Broker } from './schema.ts'

const classAnnotation = { 'eventing.knative.dev/broker.class': 'MTChannelBasedBroker' }

const aBroker = (
  changes: Partial<Broker['spec']> = {},
  annotations: Record<string, string> = classAnnotation,
): Broker => ({
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Broker',
  metadata: { name: 'orders', namespace: 'shop', annotations },
  spec: { config: { apiVersion: 'v1', kind: 'ConfigMap', name: 'channels', namespace: 'shop' }, ...changes },
})

const aConfigMap = (data: Record<string, string> = template): Resource =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'channels', namespace: 'shop' }, data }) as Resource

const template = { 'channel-template-spec': 'apiVersion: messaging.knative.dev/v1\nkind: InMemoryChannel' }

/** Remembers which streams were asked for. */
function aTransport(): { transport: KindDeps['transport']; streams: Set<string> } {
  const streams = new Set<string>()
  const transport = {
    ensureStream: (name: string) => Promise.resolve(void streams.add(name)),
    deleteStream: (name: string) => Promise.resolve(void streams.delete(name)),
  } as unknown as KindDeps['transport']
  return { transport, streams }
}

const run = (object: Broker, stored: Resource[], more = {}): Promise<ReconcileRun<Broker>> =>
  reconcileOnce(object, { kind: broker, stored, deps: { transport: aTransport().transport }, ...more })

test('a Broker with a config becomes Ready, with a stream and an address on the gateway', async () => {
  const { transport, streams } = aTransport()
  const done = await run(aBroker(), [aConfigMap()], { deps: { transport } })
  assert.equal(done.condition('Ready')?.status, 'True')
  assert.deepEqual(done.status.address, { name: 'http', url: 'http://127.0.0.1:7481/shop/orders' })
  assert.deepEqual([...streams], ['broker/shop/orders/uid-of-broker-orders'])
  assert.deepEqual(done.condition('DeadLetterSinkResolved'), {
    status: 'True',
    reason: 'DeadLetterSinkNotConfigured',
    message: 'No dead letter sink is configured.',
  })
  assert.equal(done.condition('EventPoliciesReady')?.reason, 'OIDCDisabled')
})

test('each way a config can be wrong is told in upstream’s words', async () => {
  const config = aBroker().spec.config!
  const rows: [Broker, Resource[], string][] = [
    [
      aBroker({ config: { ...config, kind: 'Secret' } }),
      [],
      'Broker.Spec.Config configuration not supported, only [kind: ConfigMap, apiVersion: v1]',
    ],
    [aBroker({ config: { ...config, name: '' } }), [], 'Broker.Spec.Config name and namespace are required'],
    [aBroker(), [], 'configmap "channels" not found'],
    [aBroker(), [aConfigMap({})], 'empty or missing value for config'],
    [aBroker(), [aConfigMap({ other: 'x' })], 'failed to find channelTemplate'],
  ]
  for (const [object, stored, why] of rows) {
    const { condition } = await run(object, stored)
    assert.deepEqual(condition('TriggerChannelReady'), {
      status: 'False',
      reason: 'ChannelTemplateFailed',
      message: `Error on setting up the ChannelTemplate: ${why}`,
    })
    assert.equal(condition('Ready')?.status, 'False')
  }
})

test('a dead letter sink that does not resolve keeps a new Broker from becoming Ready', async () => {
  const delivery = { deadLetterSink: { ref: { apiVersion: 'v1', kind: 'Service', name: 'gone', namespace: 'shop' } } }
  const { condition, status } = await run(aBroker({ delivery }), [aConfigMap()])
  assert.equal(condition('DeadLetterSinkResolved')?.reason, "Unable to get the dead letter sink's URI")
  assert.equal(condition('Ready')?.status, 'Unknown')
  assert.equal(status.address, undefined)
})

test('the resolved dead letter sink stands in the status', async () => {
  const { status } = await run(aBroker({ delivery: { deadLetterSink: { uri: 'http://dead.example/' } } }), [
    aConfigMap(),
  ])
  assert.equal(status.deadLetterSinkUri, 'http://dead.example/')
})

test('a Broker that takes each event once opens its door at once, so that it reads what it has taken', async () => {
  const doors: unknown[] = []
  const delivery = { brokerEndpoint: (door: object) => doors.push(door) } as never
  const deps = { transport: aTransport().transport, delivery }
  await run(aBroker({}, { ...classAnnotation, 'knode.dev/dedup': 'PT1H' }), [aConfigMap()], { deps })
  assert.partialDeepStrictEqual(doors, [{ namespace: 'shop', name: 'orders', dedupMs: 3_600_000 }])
})

test('a Broker of another class is left to its own controller', () => {
  const reconciler = broker.reconciler?.({ endpoints: { add: () => ({}) } } as unknown as KindDeps)
  assert.equal(reconciler?.isOurs?.(aBroker()), true)
  assert.equal(reconciler?.isOurs?.(aBroker({}, { 'eventing.knative.dev/broker.class': 'Kafka' })), false)
})

test('a deleted Broker takes its stream along', async () => {
  const { transport, streams } = aTransport()
  streams.add('broker/shop/orders/uid-of-broker-orders')
  await run(aBroker(), [], { deps: { transport }, finalize: true })
  assert.equal(streams.size, 0)
})
