// What a Broker's stored events are good for, with a real process: dry runs, replay, and watching both.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { FlowLine } from '../../src/app/flow-line.ts'
import type { ReplayLine } from '../../src/app/routes/replay.ts'
import type { StreamLine } from '../../src/app/routes/streams.ts'
import { eventually, programPatience } from '../../src/base/eventually.ts'
import { runKnode, startKnodeProcess } from '../harness/knode-process.ts'
import type { FinishedCommand, KnodeProcess } from '../harness/knode-process.ts'
import { postBinary } from '../harness/post-event.ts'
import { eventAnswer, startSubscriber } from '../harness/subscriber.ts'
import type { Received, Subscriber } from '../harness/subscriber.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const bin = join(import.meta.dirname, '..', '..', 'bin', 'knode')

const trigger = (name: string, filter: string, more: string, metadata = ''): string => `
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: ${name}, namespace: shop, ${metadata}}
spec:
  broker: orders
  filters: [${filter}]
  ${more}
---`

const manifests = (sink: string): string => `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: orders, namespace: shop}
---
${trigger('billing', '{exact: {type: order.created}}', `subscriber: {uri: "${sink}/billing"}`)}
${trigger('audit', '{prefix: {type: order.}}', `subscriber: {uri: "${sink}/audit"}`, 'annotations: {knode.dev/max-in-flight: "1"}')}
${trigger('strict', '{exact: {type: order.refused}}', `subscriber: {uri: "${sink}/strict"}\n  delivery: {deadLetterSink: {uri: "${sink}/dead"}}`)}
`

const orders = 20
const bills = 10

describe('the history of a Broker', () => {
  let home: Awaited<ReturnType<typeof temporaryDirectory>>
  let knode: KnodeProcess
  let subscriber: Subscriber
  /** What the audit's answers to replayed events wait for, after the first one. */
  const release = Promise.withResolvers<void>()
  const at = (path: string): Received[] => subscriber.received.filter((event) => event.path === path)
  const replayedAt = (path: string): Received[] =>
    at(path).filter(({ headers }) => headers['ce-knodereplay'] !== undefined)
  const dataDir = (): string => join(home.path, 'data')
  const run = (...words: string[]): Promise<FinishedCommand> => runKnode([...words, '--data-dir', dataDir()])
  const ok = async (...words: string[]): Promise<string> => {
    const { code, out, err } = await run(...words)
    assert.equal(code, 0, err)
    return out
  }
  const start = (...words: string[]): ChildProcessByStdio<null, Readable, null> =>
    spawn(bin, [...words, '--data-dir', dataDir()], { stdio: ['ignore', 'pipe', 'inherit'] })
  const streamLine = async (): Promise<StreamLine> => {
    const { streams } = JSON.parse(await ok('streams', '-o', 'json')) as { streams: StreamLine[] }
    return streams.find(({ resource }) => resource?.name === 'orders')!
  }

  before(async () => {
    home = await temporaryDirectory()
    subscriber = await startSubscriber(async ({ path, headers }) => {
      if (path === '/strict') return { status: 400, body: 'no' }
      if (headers['ce-knodereplay'] === undefined) return {}
      if (path === '/audit' && replayedAt(path).length > 1) await release.promise
      if (path !== '/billing') return {}
      return eventAnswer({ id: `${String(headers['ce-id'])}-billed`, source: '/billing', type: 'billed' }, '{}')
    })
    await writeFile(join(home.path, 'shop.yaml'), manifests(subscriber.url))
    knode = await startKnodeProcess(dataDir(), ['-f', home.path])
    await ok('wait', '--timeout', '10m', '-f', join(home.path, 'shop.yaml'))
    const url = `${knode.gateway}/shop/orders`
    for (let id = 0; id < orders; id++) await postBinary(url, { id: `o${id}`, type: 'order.created' }, `{"n":${id}}`)
    for (let id = 0; id < bills; id++) await postBinary(url, { id: `b${id}`, type: 'bill.sent' }, '{}')
    await subscriber.until('/billing', orders)
    await subscriber.until('/audit', orders)
  })
  after(async () => {
    await knode[Symbol.asyncDispose]()
    await subscriber[Symbol.asyncDispose]()
    await home[Symbol.asyncDispose]()
  })

  it('a dry run says how many stored events a Trigger would get, and delivers none', async () => {
    const file = join(home.path, 'candidate')
    await writeFile(
      file,
      trigger('candidate', '{cesql: "type LIKE \'order.%\'"}', `subscriber: {uri: "${subscriber.url}/candidate"}`) +
        trigger(
          'big',
          '{cesql: "TRUE"}',
          'subscriber: {uri: "http://example.test"}',
          'annotations: {knode.dev/data-filter: "data.n >= 15"}',
        ),
    )
    const out = await ok('filter', 'test', '-f', file, '--since', '1h')
    assert.equal(out, 'shop/candidate would match 20 of 30\nshop/big would match 5 of 30\n')
    const named = await ok(
      'filter',
      'test',
      '-f',
      file,
      '--since',
      '1h',
      '--broker',
      'orders',
      '-n',
      'shop',
      '-o',
      'json',
    )
    const lines = named
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.deepEqual(
      lines.filter(({ all }) => all !== undefined).map(({ matching, all }) => [matching, all]),
      [
        [20, 30],
        [5, 30],
      ],
    )
    const bill = lines.find(({ type }) => type === 'bill.sent')
    assert.equal(bill?.['passes'], false)
    assert.match(String(bill?.['reason']), /type/)
    const missing = await run('filter', 'test', '-f', file, '--since', '1h', '--broker', 'none')
    assert.deepEqual([missing.code, missing.out], [1, ''])
    assert.match(missing.err, /brokers\.eventing\.knative\.dev "none" not found/)
    assert.equal(at('/candidate').length, 0)
  })

  it('streams names Brokers and Triggers, and tells how far behind they are', async () => {
    let table = ''
    const names = ['billing', 'audit', 'strict']
    // An answer that has come takes a moment to count.
    await eventually(
      async () => {
        table = await ok('streams')
        const [stream, ...consumers] = table.split('\n').slice(1, 5)
        assert.match(stream!, /^Broker shop\/orders +30 +\d+(\.\d)? (B|KiB) +\d+\w+/)
        return names.every((name) =>
          consumers.some((line) => new RegExp(`^ +Trigger shop/${name} +0 +0 +0 +active$`).test(line)),
        )
      },
      () => `all to be up to date:\n${table}`,
      programPatience,
    )
  })

  it('replays to one Trigger, marked, its replies going on, and leaves positions and others alone', async () => {
    const before = await streamLine()
    const audited = at('/audit').length
    const out = await ok('replay', '--trigger', 'shop/billing', '--since', '1h')
    assert.match(out, /^replay [0-9a-f]{8} to shop\/billing: 20 of 30 events match, 20 delivered\n$/)
    const replayed = replayedAt('/billing')
    assert.deepEqual(
      replayed.map(({ headers, body }) => `${String(headers['ce-id'])} ${body}`).sort(),
      Array.from({ length: orders }, (_, n) => `o${n} {"n":${n}}`).sort(),
    )
    assert.deepEqual(new Set(replayed.map(({ headers }) => headers['ce-knodereplay'])), new Set([out.slice(7, 15)]))
    assert.ok(replayed.every(({ headers }) => headers['ce-knativebrokerttl'] === undefined))
    // The replies came to the Broker, which passes them over to nobody.
    assert.equal((await streamLine()).nextOffset, before.nextOffset + orders)
    const lags = async (): Promise<unknown> =>
      Object.fromEntries((await streamLine()).consumers.map(({ owner, lag }) => [owner?.name, lag]))
    const none = { audit: 0, billing: 0, strict: 0 }
    await eventually(async () => isDeepStrictEqual(await lags(), none), 'nobody to lag', programPatience)
    assert.equal(at('/audit').length, audited)
  })

  it('replays no more than the limit, dead-letters as the Trigger says, and counts it', async () => {
    await postBinary(`${knode.gateway}/shop/orders`, { id: 'r1', type: 'order.refused' }, '{}')
    await subscriber.until('/dead', 1)
    const out = await ok('replay', '--trigger', 'strict', '-n', 'shop', '--since', '1h', '--limit', '5', '-o', 'json')
    const { counts, id } = JSON.parse(out) as ReplayLine
    assert.deepEqual([counts.matched, counts.delivered, counts.deadLettered], [1, 0, 1])
    const [dead] = replayedAt('/dead')
    assert.deepEqual([dead?.headers['ce-id'], dead?.headers['ce-knodereplay']], ['r1', id])
    assert.equal(dead?.headers['ce-knativeerrorcode'], '400')
  })

  it('tail shows a replay as it goes; Ctrl-C ends it in the process, too, and live delivery goes on', async () => {
    const tail = start('tail', 'orders', '-n', 'shop', '-o', 'json')
    const lines = createInterface({ input: tail.stdout })[Symbol.asyncIterator]()
    const next = async (): Promise<FlowLine> => JSON.parse(String((await lines.next()).value)) as FlowLine
    // Events before the tail has begun are not shown: sent until one is.
    const seen: FlowLine[] = []
    const sending = (async () => {
      while (seen.length === 0) await ok('send', 'orders', '-n', 'shop', '--type', 'hello')
    })()
    seen.push(await next())
    await sending
    const replay = start('replay', '--trigger', 'shop/audit', '--since', '1h')
    const ended = once(replay, 'close')
    let out = ''
    replay.stdout.on('data', (data: Buffer) => (out += data.toString()))
    let fact = await next()
    while (fact.event['knodereplay'] === undefined) fact = await next()
    assert.deepEqual([fact.what, fact.owner?.name, fact.status], ['delivered', 'audit', 204])
    const second = await run('replay', '--trigger', 'shop/audit', '--since', '1h')
    assert.equal(second.code, 1)
    assert.match(second.err, /^knode: Trigger "shop\/audit" has a replay already/)
    const live = at('/audit').length - replayedAt('/audit').length
    await postBinary(`${knode.gateway}/shop/orders`, { id: 'live', type: 'order.live' }, '{}')
    while (fact.event['id'] !== 'live' || fact.what !== 'delivered') fact = await next()
    assert.equal(at('/audit').length - replayedAt('/audit').length, live + 1)
    replay.kill('SIGINT')
    assert.deepEqual(await ended, [130, null])
    release.resolve()
    assert.match(out, /^replay [0-9a-f]{8} to shop\/audit: \d+ of \d+ events match, \d+ delivered/)
    tail.kill('SIGINT')
    await once(tail, 'exit')
    // The place is free again as soon as the process has noticed.
    const again = () => run('replay', '--trigger', 'shop/audit', '--since', '1h', '--limit', '1')
    await eventually(async () => (await again()).code === 0, 'another replay to be allowed', programPatience)
    assert.ok(replayedAt('/audit').length < orders, 'the replay went on')
  })

  it('says what is wrong with a replay that cannot be', async () => {
    const gone = await run('replay', '--trigger', 'shop/gone', '--since', '1h')
    assert.equal(gone.code, 1)
    assert.match(gone.err, /^knode: triggers\.eventing\.knative\.dev "gone" not found\n/)
    const waiting = join(home.path, 'waiting')
    await writeFile(
      waiting,
      trigger('waiting', '{cesql: "TRUE"}', 'subscriber: {ref: {apiVersion: v1, kind: Service, name: none}}'),
    )
    await ok('apply', '-f', waiting)
    const unready = await run('replay', '--trigger', 'shop/waiting', '--since', '1h')
    assert.equal(unready.code, 1)
    assert.match(unready.err, /^knode: trigger "waiting" gets no events now: .*none.*\n/)
  })

  it('replays what was stored before a restart', async () => {
    assert.equal(await knode.end('SIGTERM'), 0)
    knode = await startKnodeProcess(dataDir())
    await ok('wait', '--timeout', '10m', '-f', join(home.path, 'shop.yaml'))
    const before = replayedAt('/billing').length
    const out = await ok('replay', '--trigger', 'shop/billing', '--since', '1h', '--limit', '7')
    assert.match(out, /7 of \d+ events match, 7 delivered\n$/)
    assert.equal(replayedAt('/billing').length, before + 7)
  })
})
