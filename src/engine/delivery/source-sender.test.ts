// How adapters send: the retries of Knative's event sources.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../base/eventually.ts'
import { anEvent, aTestBed } from './test-bed.ts'
import type { TestBed } from './test-bed.ts'

const target = { url: 'http://sink.default.svc.cluster.local' }

/** A sink in the process that gives these answers one after the other, the last for ever. */
function aSink(bed: TestBed, statuses: number[]): { calls: number } {
  const sink = { calls: 0 }
  bed.endpoints.set('sink.default.svc.cluster.local /', {
    kind: 'events',
    accept: async () => ({ status: statuses[Math.min(sink.calls++, statuses.length - 1)]! }),
  })
  return sink
}

for (const status of [200, 202, 204]) {
  test(`${status} is accepted`, async () => {
    await using bed = await aTestBed()
    aSink(bed, [status])
    assert.deepEqual(await bed.engine.send(anEvent(), target), { kind: 'accepted', status })
  })
}

for (const status of [301, 400, 401, 403, 408, 409, 410, 500, 501, 505]) {
  test(`${status} fails at once`, async () => {
    await using bed = await aTestBed()
    const sink = aSink(bed, [status])
    const outcome = await bed.engine.send(anEvent(), target)
    assert.deepEqual(outcome, { kind: 'failed', status, reason: `answered ${status}` })
    assert.equal(sink.calls, 1)
  })
}

for (const status of [404, 413, 425, 429, 502, 503, 504]) {
  test(`${status} is retried five times, waiting 50 ms and then twice as long each time`, async () => {
    await using bed = await aTestBed()
    const sink = aSink(bed, [status])
    const sending = bed.engine.send(anEvent(), target)
    for (const [index, waitMs] of [50, 100, 200, 400, 800].entries()) {
      await bed.clock.advance(waitMs - 1)
      assert.equal(sink.calls, index + 1)
      await bed.clock.advance(1)
      assert.equal(sink.calls, index + 2)
    }
    assert.deepEqual(await sending, { kind: 'failed', status, reason: `answered ${status}` })
  })
}

test('a sink that recovers gets the event', async () => {
  await using bed = await aTestBed()
  aSink(bed, [503, 202])
  const sending = bed.engine.send(anEvent(), target)
  await bed.clock.advance(50)
  assert.deepEqual(await sending, { kind: 'accepted', status: 202 })
})

test('no answer is retried, and the request names the namespace and asks for no reply', async () => {
  await using bed = await aTestBed()
  const sink = await bed.subscriber((_request, count) =>
    count === 1 ? { bytes: '', after: 'close' } : { status: 202 },
  )
  const sending = bed.engine.send(anEvent(), sink, { namespace: 'default' })
  await eventually(() => sink.requests.length === 1, 'the first try')
  await eventually(() => bed.clock.pendingTimers === 1, 'the wait')
  await bed.clock.advance(50)
  assert.equal((await sending).kind, 'accepted')
  const { headers } = sink.requests[0]!
  assert.deepEqual([headers['kn-namespace'], headers['prefer'], headers['ce-id']], ['default', undefined, '1'])
})

test('an aborted signal ends the waiting', async () => {
  await using bed = await aTestBed()
  aSink(bed, [503])
  const stop = new AbortController()
  const sending = bed.engine.send(anEvent(), target, { signal: stop.signal })
  await bed.clock.advance(10)
  stop.abort()
  assert.equal((await sending).kind, 'failed')
})

test('a target that is no URL fails without a try', async () => {
  await using bed = await aTestBed()
  const outcome = await bed.engine.send(anEvent(), { url: '' })
  assert.deepEqual(outcome, { kind: 'failed', reason: '"" is no URL' })
})
