import assert from 'node:assert/strict'
import test from 'node:test'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import type { PingSpec } from './adapter.ts'
import { pingSource } from './kind.ts'
import type { PingSource } from './schema.ts'

const aSource = (spec: Partial<PingSource['spec']> = {}): PingSource => ({
  apiVersion: 'sources.knative.dev/v1',
  kind: 'PingSource',
  metadata: { name: 'ping', namespace: 'shop' },
  spec: { schedule: '* * * * *', sink: { uri: 'http://sink.example/' }, ...spec },
})

test('a PingSource with a sink is Ready, tells its events, and runs its schedule', async () => {
  const run = await reconcileOnce(aSource({ data: 'hi', ceOverrides: { extensions: { a: 'b' } } }), {
    kind: pingSource,
  })
  assert.equal(run.condition('Ready')?.status, 'True')
  assert.equal(run.status.sinkUri, 'http://sink.example/')
  assert.deepEqual(run.status.ceAttributes, [
    { type: 'dev.knative.sources.ping', source: '/apis/v1/namespaces/shop/pingsources/ping' },
  ])
  const worker = run.workers.get('schedule') as PingSpec
  assert.deepEqual([worker.schedule, worker.data, worker.extensions], ['* * * * *', 'hi', { a: 'b' }])
})

test('without its sink a PingSource is not Ready, says which sink, and stops sending', async () => {
  const ref = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'gone', namespace: 'shop' }
  const run = await reconcileOnce(aSource({ sink: { ref } }), {
    kind: pingSource,
    workers: new Map([['schedule', {}]]),
  })
  assert.deepEqual(run.condition('SinkProvided'), { status: 'False', reason: 'NotFound' })
  assert.deepEqual(run.events, [
    { type: 'Warning', reason: 'SinkNotFound', message: `Sink not found: ${JSON.stringify({ ref })}` },
  ])
  assert.equal(run.workers.size, 0)
  assert.equal(run.status.sinkUri, undefined)
})
