// Commands that go on: tail and logs. And those that only show what the API tells.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FakeClock } from '../../base/fake-clock.ts'
import { runInProcess } from '../../../test/harness/run-cli.ts'
import { startScriptedApi } from '../../../test/harness/scripted-api.ts'

const fact = {
  what: 'accepted',
  time: '2026-01-01T12:00:00.123Z',
  stream: 'broker/default/orders/u',
  event: { id: '7', type: 'ü' },
}

describe('streaming commands', () => {
  it('tail prints facts as they come, until stopped, and asks only for what is wanted', async () => {
    await using api = await startScriptedApi({
      'GET /knode/v1/tail': { lines: [fact, '', { what: 'left-out', count: 3 }] },
    })
    const run = (words: string[]) => {
      const stop = new AbortController()
      const onOut = (out: string): void => void (/left/.test(out) && stop.abort())
      return runInProcess(['tail', ...words], { server: api.url, signal: stop.signal, onOut })
    }
    const pretty = await run(['orders', '--type', 'ü'])
    assert.deepEqual([pretty.code, pretty.out.split('\n').length], [0, 3])
    assert.match(pretty.out, /^12:00:00\.123 ● accepted {7}broker default\/orders {2}ü id=7\n… 3 left out/)
    assert.deepEqual(api.requests[0]!.query, { namespace: 'default', broker: 'orders', type: 'ü' })
    const json = await run(['-o', 'json'])
    assert.deepEqual(JSON.parse(json.out.split('\n')[0]!), fact)
    assert.deepEqual(api.requests[1]!.query, {})
  })

  it('tail says so when the process goes away', async () => {
    await using api = await startScriptedApi({ 'GET /knode/v1/tail': { hangUp: true } })
    const { code, err } = await runInProcess(['tail'], { server: api.url })
    assert.equal(code, 1)
    assert.match(err, /^knode: no answer from .*: the connection broke\n/)
  })

  it('logs prints lines as they are, the last one even without an end', async () => {
    await using api = await startScriptedApi({
      'GET /knode/v1/logs/shop/event-display': { body: 'one\n\ntwo' },
      'GET /knode/v1/logs/default/nope': {
        status: 404,
        body: { kind: 'Status', code: 404, reason: 'NotFound', message: 'no workload "nope"' },
      },
    })
    const words = ['logs', 'event-display', '-n', 'shop', '-f', '--tail', '10']
    assert.deepEqual(await runInProcess(words, { server: api.url }), { code: 0, out: 'one\n\ntwo\n', err: '' })
    assert.deepEqual(api.requests[0]!.query, { follow: 'true', tailLines: '10' })
    const missing = await runInProcess(['logs', 'nope'], { server: api.url })
    assert.deepEqual([missing.code, missing.err], [1, 'knode: no workload "nope"\n'])
  })

  it('streams lists each stream with its consumers below', async () => {
    const clock = new FakeClock()
    const counts = { position: 3, lag: 2, inFlight: 1, retrying: 0, active: true }
    const named = (kind: string, name: string) => ({ kind: `${kind}.eventing.knative.dev`, namespace: 'shop', name })
    const consumers = [
      { name: 'uid-1', owner: named('Trigger', 'billing'), ...counts },
      { name: 'uid-2', ...counts, active: false },
    ]
    const kept = { firstOffset: 1, nextOffset: 5, bytes: 2048, oldestMs: clock.now() - 5_000 }
    const damaged = [
      { fromOffset: 5, toOffset: 8, segment: '00.log', position: 123 },
      { fromOffset: 9, toOffset: 10, segment: '00.log', position: 999 },
    ]
    const streams = [
      { name: 'broker/shop/orders/u', resource: named('Broker', 'orders'), ...kept, consumers, damaged },
      { name: 'broker/shop/gone/u', ...kept, consumers: [], damaged: [] },
    ]
    await using api = await startScriptedApi({
      'GET /knode/v1/streams': [{ body: { streams } }, { body: { streams: [] } }],
    })
    const { out } = await runInProcess(['streams'], { server: api.url, clock })
    assert.deepEqual(
      out.split('\n').map((line) => line.split(/ {2,}/).join('|')),
      [
        'STREAM|CONSUMER|EVENTS|BYTES|OLDEST|LAG|IN FLIGHT|RETRYING|STATE',
        'Broker shop/orders|4|2.0 KiB|5s|',
        '|Trigger shop/billing|2|1|0|active',
        '|uid-2|2|1|0|idle',
        'broker/shop/gone/u|4|2.0 KiB|5s|',
        '',
        'damaged: 3 events of Broker shop/orders, offsets 5 to 7, in 00.log at byte 123',
        'damaged: 1 event of Broker shop/orders, offset 9, in 00.log at byte 999',
        '',
      ],
    )
    assert.match((await runInProcess(['streams'], { server: api.url })).err, /^No streams yet/)
  })

  it('version tells whether a Knode runs', async () => {
    const alone = await runInProcess(['version'])
    assert.match(alone.out, /^knode \d+\.\d+\.\d+ \(Node \d+\.\d+\.\d+\)\nno running Knode found\n$/)
    await using api = await startScriptedApi({ 'GET /version': { body: { gitVersion: 'v1.34.1' } } })
    const both = await runInProcess(['version', '-o', 'json'], { server: api.url })
    const { server } = JSON.parse(both.out) as { server: object }
    assert.deepEqual(server, { url: api.url, api: 'v1.34.1' })
  })

  it('cesql and filter hand their words on, and need no running Knode', async () => {
    const { out, code } = await runInProcess(['cesql', '-1 + 2'])
    assert.deepEqual([code, JSON.parse(out)], [0, { value: 1, error: null }])
    assert.equal((await runInProcess(['filter', 'tset'])).code, 2)
  })
})
