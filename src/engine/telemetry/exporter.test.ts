import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settle } from '../../base/fake-clock.ts'
import { createMetrics } from '../../base/metrics.ts'
import { SpanBatch } from './span-batch.ts'
import type { BatchLimits } from './span-batch.ts'
import { MetricsExport } from './metrics-export.ts'
import { aSpan } from '../../model/otlp/test-span.ts'
import { aTestExporter } from './test-exporter.ts'

const later = { kind: 'later', reason: 'away' } as const
const taken = { kind: 'taken' } as const

test('what is not taken is tried again, each time after a longer wait, and given up in time', async () => {
  const { exporter, clock, sent } = aTestExporter(() => later)
  let isTaken: boolean | undefined
  void exporter.send(Buffer.of(1), { withinMs: 60_000 }).then((result) => (isTaken = result))
  const counts = []
  for (const ms of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000]) {
    await clock.advance(ms)
    counts.push(sent.length)
  }
  assert.deepEqual(counts, [2, 3, 4, 5, 6, 7])
  assert.equal(isTaken, false)
  assert.equal(clock.pendingTimers, 0)
})

test('a receiver that says when to come again is taken at its word, and what it refuses is not sent again', async () => {
  const answers = [{ ...later, delayMs: 7_000 }, { kind: 'refused', reason: 'no' } as const]
  const { exporter, clock, sent, lines } = aTestExporter(() => answers[sent.length - 1]!)
  const result = exporter.send(Buffer.of(1), { withinMs: 60_000 })
  await clock.advance(6_999)
  assert.equal(sent.length, 1)
  await clock.advance(1)
  assert.equal(await result, false)
  assert.equal(sent.length, 2)
  assert.deepEqual(lines(), ['metrics cannot be sent away'])
})

test('a receiver that lets come again at once is not called without a pause', async () => {
  const { exporter, clock, sent } = aTestExporter(() => ({ ...later, delayMs: 0 }))
  const result = exporter.send(Buffer.of(1), { withinMs: 60_000 })
  await clock.advance(499)
  assert.equal(sent.length, 1)
  await clock.advance(60_000)
  assert.equal(await result, false)
  assert.ok(sent.length < 10, `${sent.length}`)
})

test('of what a receiver says only the beginning is told', async () => {
  const answers = [
    { kind: 'refused', reason: 'no'.repeat(50_000) } as const,
    { kind: 'taken', partial: { rejectedCount: 1, message: 'old'.repeat(50_000) } } as const,
  ]
  const { exporter, sent, lines } = aTestExporter(() => answers[sent.length - 1]!)
  for (const _ of answers) await exporter.send(Buffer.of(1), { withinMs: 0 })
  const [refused, , partial] = lines()
  assert.match(refused!, /^metrics cannot be sent (no){500}…$/)
  assert.match(partial!, /^the receiver did not take everything (old){333}o…$/)
})

test('trouble is told once, and so is its end; a part that is not taken is told once for each reason', async () => {
  let answer: Parameters<typeof aTestExporter>[0] = () => later
  const { exporter, lines } = aTestExporter((...sent) => answer(...sent))
  const send = () => exporter.send(Buffer.of(1), { withinMs: 0 })
  await send()
  await send()
  answer = () => taken
  await send()
  answer = () => ({ kind: 'taken', partial: { rejectedCount: 2, message: 'too old' } })
  await send()
  await send()
  assert.deepEqual(lines(), [
    'metrics cannot be sent away',
    'metrics are sent again',
    'the receiver did not take everything too old',
  ])
})

test('metrics go at once, then at intervals, and a last time when that ends', async () => {
  const { exporter, clock, log, sent } = aTestExporter(() => taken)
  const metrics = createMetrics()
  metrics.scope('ours').counter('n', '').add(1)
  metrics.scope('others').counter('o', '').add(1)
  const shared = { metrics, scopes: new Set(['ours']), resource: {}, version: '', startedMs: 0, exporter, clock, log }
  const running = new MetricsExport({ ...shared, intervalMs: 10_000, exportMs: 10_000 })
  await settle()
  assert.equal(sent.length, 1)
  assert.ok(sent[0]!.includes('ours') && !sent[0]!.includes('others'))
  await clock.advance(25_000)
  assert.equal(sent.length, 3)
  await running[Symbol.asyncDispose]()
  assert.equal(sent.length, 4)
  await clock.advance(60_000)
  assert.equal(sent.length, 4)
  assert.equal(clock.pendingTimers, 0)
})

test('the end does not wait for a receiver that says nothing', async () => {
  const { exporter, clock, log, isDisposed } = aTestExporter(() => new Promise(() => undefined))
  const metrics = createMetrics()
  metrics.counter('n', '').add(1)
  const shared = { metrics, scopes: new Set(['']), resource: {}, version: '', startedMs: 0, exporter, clock, log }
  const running = new MetricsExport({ ...shared, intervalMs: 10_000, exportMs: 10_000 })
  const ended = running[Symbol.asyncDispose]()
  await clock.advance(5_000)
  await ended
  assert.equal(isDisposed(), true)
})

const defaults: BatchLimits = { delayMs: 5_000, exportMs: 60_000, waitingMax: 2_048, batchMax: 512 }

function aBatch(answer: Parameters<typeof aTestExporter>[0], limits = defaults) {
  const test = aTestExporter(answer)
  const metrics = createMetrics()
  const counter = metrics.counter('spans', '')
  const { exporter, clock, log } = test
  const batch = new SpanBatch({ resource: {}, version: '', exporter, limits, counter, clock, log })
  const count = (outcome: string): number =>
    Number(new RegExp(`outcome="${outcome}"} (\\d+)`).exec(metrics.prometheus())?.[1] ?? 0)
  const add = (spans: number): void => {
    for (let at = 0; at < spans; at++) batch.add(aSpan())
  }
  return { ...test, batch, add, count }
}

test('spans wait five seconds for company, or until there are 512', async () => {
  const { clock, sent, add, count } = aBatch(() => taken)
  assert.equal(clock.pendingTimers, 0, 'nothing waits')
  add(2)
  await clock.advance(4_999)
  assert.equal(sent.length, 0)
  await clock.advance(1)
  assert.equal(sent.length, 1)
  add(512)
  await settle()
  assert.equal(sent.length, 2)
  assert.equal(count('sent'), 514)
  assert.equal(clock.pendingTimers, 0)
})

test('a span that ends while a batch is just done goes with the next one', async () => {
  for (let turns = 0; turns < 20; turns++) {
    const { clock, sent, add, count } = aBatch(() => {
      let turn = Promise.resolve()
      for (let at = 0; at < turns; at++) turn = turn.then(() => undefined)
      void turn.then(() => add(1))
      return taken
    })
    add(1)
    await clock.advance(5_000)
    await clock.advance(5_000)
    assert.equal(count('sent'), 2, `after ${turns} turns`)
    assert.equal(sent.length, 2)
  }
})

test('no more than 2048 spans wait; what is dropped is counted, and told once a minute', async () => {
  const { clock, batch, add, count, lines } = aBatch(() => later)
  add(512)
  await settle()
  add(2_048)
  assert.equal(count('dropped'), 0)
  add(30)
  assert.equal(count('dropped'), 30)
  const drops = (): number => lines().filter((line) => line.startsWith('spans were dropped')).length
  assert.equal(drops(), 1)
  await clock.advance(61_000)
  add(5_000)
  assert.ok(drops() <= 3)
  const ending = batch[Symbol.asyncDispose]()
  await clock.advance(5_000)
  await ending
  assert.equal(count('dropped'), 512 + 2_048 + 30 + 5_000, 'nothing is lost without a word')
  assert.equal(clock.pendingTimers, 0)
})

test('a batch that waits for its receiver goes when that is back, and others after it', async () => {
  let isAway = true
  const { clock, add, count, batch } = aBatch(() => (isAway ? later : taken))
  add(600)
  await clock.advance(10_000)
  assert.equal(count('sent'), 0)
  isAway = false
  await clock.advance(30_000)
  assert.equal(count('sent'), 600)
  await batch[Symbol.asyncDispose]()
})

test('what waits is sent at the end', async () => {
  const { add, count, batch, clock } = aBatch(() => taken)
  add(1_000)
  await batch[Symbol.asyncDispose]()
  assert.equal(count('sent'), 1_000)
  add(1)
  assert.equal(count('dropped'), 1)
  assert.equal(clock.pendingTimers, 0)
})

test('a gauge that cannot be read costs only itself: all others are sent', async () => {
  const { exporter, clock, log, sent, lines } = aTestExporter(() => taken)
  const broken: string[] = []
  const metrics = createMetrics({ onUnreadable: (gauge) => void broken.push(gauge) })
  metrics.gauge('broken', '', () => {
    throw new Error('out of order')
  })
  metrics.counter('whole', '').add(1)
  const shared = { metrics, scopes: new Set(['']), resource: {}, version: '', startedMs: 0, exporter, clock, log }
  await using running = new MetricsExport({ ...shared, intervalMs: 10_000, exportMs: 10_000 })
  await clock.advance(10_000)
  assert.ok(running !== undefined && sent.length === 2)
  assert.ok(sent.every((message) => message.includes('whole') && !message.includes('broken')))
  assert.deepEqual([broken, lines()], [['broken'], []])
})

test('a span that cannot be written costs its message and is told', async () => {
  const { batch, count, lines: ofBatch } = aBatch(() => taken)
  batch.add({ ...aSpan(), startMs: NaN })
  await batch[Symbol.asyncDispose]()
  assert.equal(count('dropped'), 1)
  assert.match(ofBatch()[0]!, /^spans could not be written/)
})

test('no attempt takes longer than what is left of the time', async () => {
  const limits: number[] = []
  const { exporter, clock } = aTestExporter((_, withinMs) => {
    limits.push(withinMs)
    return later
  })
  const result = exporter.send(Buffer.of(1), { withinMs: 5_000 })
  await clock.advance(5_000)
  assert.equal(await result, false)
  assert.equal(limits[0], 5_000)
  assert.ok(limits[1]! <= 4_500 && limits[2]! <= 3_500 && limits.every((limit) => limit > 0), limits.join())
})

test('a message of metrics is tried no longer than it may be', async () => {
  const { exporter, clock, log, sent } = aTestExporter(() => later)
  const metrics = createMetrics()
  metrics.counter('n', '').add(1)
  const shared = { metrics, scopes: new Set(['']), resource: {}, version: '', startedMs: 0, exporter, clock, log }
  const running = new MetricsExport({ ...shared, intervalMs: 60_000, exportMs: 1_400 })
  await clock.advance(59_000)
  assert.equal(sent.length, 2, 'a second attempt within a second, a third would be too late')
  await running[Symbol.asyncDispose]()
})

test('a batch has the limits that were asked for', async () => {
  const { clock, sent, add, count, batch } = aBatch(() => taken, {
    delayMs: 100,
    exportMs: 1_000,
    waitingMax: 4,
    batchMax: 3,
  })
  add(2)
  await clock.advance(99)
  assert.equal(sent.length, 0)
  await clock.advance(1)
  assert.equal(sent.length, 1)
  add(3)
  add(5)
  assert.equal(count('dropped'), 1)
  await settle()
  assert.equal(sent.length, 3, 'full ones go at once')
  await clock.advance(100)
  assert.deepEqual([sent.length, count('sent')], [4, 9])
  await batch[Symbol.asyncDispose]()
  assert.equal(clock.pendingTimers, 0)
})

test('a batch that nobody takes is given up in time', async () => {
  const { clock, add, count } = aBatch(() => later, { ...defaults, exportMs: 1_000, batchMax: 1 })
  add(1)
  await clock.advance(1_000)
  assert.equal(count('dropped'), 1)
})

test('whatever was dropped is told within a minute, also when nothing more is', async () => {
  const { clock, batch, add, lines } = aBatch(() => new Promise(() => undefined), {
    ...defaults,
    waitingMax: 1,
    batchMax: 1,
  })
  add(5)
  assert.deepEqual(lines(), ['spans were dropped: they could not be sent fast enough'])
  await clock.advance(59_999)
  assert.equal(lines().length, 1)
  await clock.advance(1)
  assert.equal(lines().length, 2)
  await clock.advance(600_000)
  assert.equal(lines().length, 2)
  const ended = batch[Symbol.asyncDispose]()
  await clock.advance(5_000)
  await ended
  assert.equal(clock.pendingTimers, 0)
})

test('while the last spans are sent nothing else is, and no empty message', async () => {
  const { clock, sent, add, batch, count } = aBatch(() => new Promise((resolve) => setImmediate(resolve, taken)))
  add(3)
  await clock.advance(4_999)
  const ended = batch[Symbol.asyncDispose]()
  await clock.advance(1)
  await ended
  assert.deepEqual([sent.length, count('sent'), count('dropped')], [1, 3, 0])
})

test('what ends after the end is counted, without a word', async () => {
  const { clock, add, batch, count, lines } = aBatch(() => taken)
  await batch[Symbol.asyncDispose]()
  add(2)
  assert.deepEqual([count('dropped'), lines(), clock.pendingTimers], [2, [], 0])
})
