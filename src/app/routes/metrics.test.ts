import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metricsRoute } from './metrics.ts'
import { aRouteBed } from './test-route.ts'

test('prints what is counted, at its path and to GET only', async () => {
  await using bed = await aRouteBed(metricsRoute)
  bed.deps.metrics.counter('knode.delivery.events', 'Events').add(3, { outcome: 'delivered' })
  const response = await bed.open('/metrics')
  assert.equal(response.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  response.resume()
  assert.match((await bed.call('/metrics')).text, /^knode_delivery_events_total\{outcome="delivered"\} 3$/m)
  assert.equal((await bed.call('/metrics/more')).code, 404)
  const posted = await bed.open('/metrics', 'POST')
  assert.deepEqual([posted.statusCode, posted.headers['allow']], [405, 'GET'])
  posted.resume()
})
