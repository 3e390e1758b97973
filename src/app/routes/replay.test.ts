import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, it } from 'node:test'
import { KnodeError } from '../../base/errors.ts'
import type { Replay, ReplayCounts, ReplayEnd, ReplayOptions } from '../../engine/delivery/replay.ts'
import type { Trigger } from '../../kinds/eventing/trigger/schema.ts'
import { replayRoute } from './replay.ts'
import type { ReplayLine } from './replay.ts'
import { eventually } from '../../base/eventually.ts'
import { aRouteBed, valuesOf } from './test-route.ts'
import type { RouteBed } from './test-route.ts'

const trigger: Trigger = {
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Trigger',
  metadata: { name: 'billing', namespace: 'shop', uid: 'uid-1' },
  spec: {},
  status: { conditions: [{ type: 'Ready', status: 'False', message: 'Broker "orders" does not exist' }] },
}

const path = '/knode/v1/replay?namespace=shop&trigger=billing'

/** An engine whose replays end when the test, or a stop, says so. */
function anEngine() {
  const started: { consumer: string; options: ReplayOptions }[] = []
  const counts: ReplayCounts = { read: 0, missing: 0, matched: 0, delivered: 0, deadLettered: 0, dropped: 0 }
  const ended = Promise.withResolvers<ReplayEnd>()
  const delivery = {
    replay(consumer: string, options: ReplayOptions) {
      started.push({ consumer, options })
      const stop = (reason: string): void => ended.resolve({ kind: 'stopped', reason })
      const replay = { id: options.id, counts, run: () => ended.promise, stop }
      return replay as unknown as Replay
    },
  }
  return { delivery, started, counts, ended: ended.promise, end: () => ended.resolve({ kind: 'done' }) }
}

async function aBed(engine: Pick<ReturnType<typeof anEngine>, 'delivery'>): Promise<RouteBed> {
  const bed = await aRouteBed(replayRoute, engine)
  bed.objects.push(trigger)
  return bed
}

async function allOf<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const all: Value[] = []
  for await (const value of values) all.push(value)
  return all
}

describe('the replay route', () => {
  it('starts, tells progress while it lasts, and ends with the counts', async () => {
    const engine = anEngine()
    await using bed = await aBed(engine)
    const nowMs = bed.deps.clock.now()
    const response = await bed.open(`${path}&since=1h&until=2025-12-31T23:30:00Z&rate=5&limit=7`, 'POST')
    assert.deepEqual([response.statusCode, response.headers['content-type']], [200, 'application/x-ndjson'])
    const lines = valuesOf<ReplayLine>(response)
    const next = async () => (await lines.next()).value as ReplayLine
    const { id } = await next()
    const from = { timeMs: nowMs - 3_600_000 }
    const options = { id, from, untilMs: nowMs - 1_800_000, ratePerSecond: 5, limit: 7 }
    assert.deepEqual(engine.started, [{ consumer: 'uid-1', options }])
    assert.match(id, /^[0-9a-f]{8}$/)
    Object.assign(engine.counts, { read: 10, matched: 4, delivered: 3 })
    await bed.deps.clock.advance(500)
    assert.deepEqual(await next(), { what: 'progress', id, counts: engine.counts })
    engine.end()
    assert.deepEqual(await next(), { what: 'ended', id, end: { kind: 'done' }, counts: engine.counts })
    assert.equal((await lines.next()).done, true)
    assert.equal(bed.deps.clock.pendingTimers, 0)
  })

  it('ends the replay when the client goes', async () => {
    const engine = anEngine()
    await using bed = await aBed(engine)
    const response = await bed.open(`${path}&since=1h`, 'POST')
    response.destroy()
    assert.deepEqual(await engine.ended, { kind: 'stopped', reason: 'the client went away' })
    await eventually(() => bed.handling === 0, 'the request to end')
  })

  it('ends the replay when the server stops, and still tells how far it came', async () => {
    const engine = anEngine()
    await using bed = await aBed(engine)
    const response = await bed.open(`${path}&since=1h`, 'POST')
    bed.stop()
    const lines = await allOf(valuesOf<ReplayLine>(response))
    const { end } = lines.at(-1) as ReplayLine & { end: ReplayEnd }
    assert.deepEqual(end, { kind: 'stopped', reason: 'Knode stops' })
  })

  it('spares a reader that is behind the progress, but not the end', async () => {
    const engine = anEngine()
    await using bed = await aBed(engine)
    const written: ReplayLine[] = []
    const response = Object.assign(new EventEmitter(), {
      writableLength: 20_000,
      writeHead: () => ({ flushHeaders: () => undefined }),
      write: (line: string) => written.push(JSON.parse(line) as ReplayLine) > 0,
      end: () => undefined,
    })
    const context = { url: new URL(`http://knode${path}&since=1h`), user: { username: 'test', groups: [] } }
    const handled = replayRoute(bed.deps).handle(
      { method: 'POST' } as IncomingMessage,
      response as unknown as ServerResponse,
      { ...context, stopping: new AbortController().signal },
    )
    await bed.deps.clock.advance(2_000)
    response.writableLength = 0
    await bed.deps.clock.advance(500)
    engine.end()
    await handled
    assert.deepEqual(
      written.map(({ what }) => what),
      ['started', 'progress', 'ended'],
    )
  })

  it('refuses bad parameters, saying what is wrong', async () => {
    const engine = anEngine()
    await using bed = await aBed(engine)
    const rows: [string, number, RegExp][] = [
      [path, 400, /^since: is missing/],
      [`${path}&since=yesterday`, 400, /^since: expected how long ago, like 1h30m, or a time .*, got "yesterday"$/],
      [`${path}&since=1h&until=2h`, 400, /^until: is not after since$/],
      [`${path}&since=1h&until=x`, 400, /^until: expected/],
      [`${path}&since=1h&rate=0`, 400, /^rate: expected a whole number from 1, got "0"$/],
      [`${path}&since=1h&limit=-1`, 400, /^limit: expected/],
      ['/knode/v1/replay?since=1h', 400, /^trigger: is missing$/],
      ['/knode/v1/replay?trigger=billing&since=1h', 404, /^triggers\.eventing\.knative\.dev "billing" not found$/],
    ]
    for (const [query, code, message] of rows) {
      const answer = await bed.call(query, 'POST')
      assert.equal(answer.code, code, query)
      assert.match(answer.message ?? '', message)
    }
    assert.equal((await bed.call(`${path}&since=1h`)).code, 405)
    assert.deepEqual(engine.started, [])
  })

  it('says why a Trigger cannot be replayed to now', async () => {
    const rows: [KnodeError, string][] = [
      [new KnodeError('NOT_FOUND', 'x'), 'trigger "billing" gets no events now: Broker "orders" does not exist'],
      [new KnodeError('CONFLICT', 'Trigger "shop/billing" is paused'), 'Trigger "shop/billing" is paused'],
    ]
    for (const [error, message] of rows) {
      const replay = (): Replay => {
        throw error
      }
      await using bed = await aBed({ delivery: { replay } })
      const answer = await bed.call(`${path}&since=1h`, 'POST')
      assert.deepEqual([answer.code, answer.message], [409, message])
    }
  })

  it('tells of a failure that comes at once', async () => {
    const engine = anEngine()
    await using bed = await aBed(engine)
    engine.end()
    const response = await bed.open(`${path}&since=1h`, 'POST')
    await once(response.resume(), 'end')
    assert.equal(bed.handling, 0)
  })
})
