// Random lives of several consumers, through restarts and crashes: every event ends once, and the counters always add up.
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../../base/eventually.ts'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/log.ts'
import { createMetrics } from '../../base/metrics.ts'
import type { Metrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import type { Random } from '../../base/random.ts'
import { openEventTransport } from '../../ports/event-transport/open.ts'
import type { EventStream, EventTransport, Offset } from '../../ports/event-transport/port.ts'
import { createFlowFeed } from '../flow.ts'
import { createDeliveryEngine } from './engine.ts'
import type { RunningDeliveryEngine } from './engine.ts'
import type { HttpAnswer, HttpClient, HttpRequest, NoAnswer } from './http-client.ts'
import { anEvent } from './test-bed.ts'

const runs = Number(process.env['KNODE_RUNS'] ?? 40)
const seed = Number(process.env['KNODE_SEED'] ?? 1)

const progressEvery = 50

const consumers = ['all', 'ab', 'c', 'none'] as const
type Consumer = (typeof consumers)[number]
const wants = (consumer: Consumer, type: string): boolean => consumer === 'all' || consumer.includes(type)

/** What a Trigger may be annotated with. */
const annotationSets: Record<string, string>[] = [
  {},
  { 'knode.dev/max-in-flight': '2' },
  { 'knode.dev/ordering': 'subject' },
  { 'knode.dev/batch': '5/PT1S' },
  { 'knode.dev/rate': '20/s' },
  { 'knode.dev/expire-after': 'PT20S' },
]

/** One life: from one start of the process to its end. */
interface Life {
  clock: FakeClock
  transport: EventTransport
  stream: EventStream
  engine: RunningDeliveryEngine
  metrics: Metrics
  dispatching: Map<Consumer, AsyncDisposable>
  /** Where each consumer went on looking at events, unless it was started more than once. */
  scanFrom: Map<Consumer, Offset>
  isOver: boolean
}

class Run {
  #random: Random
  #directory: string
  #life!: Life
  #lives = 0
  #types: string[] = []
  #hasCrashed = false
  /** How often an event ended, by `consumer offset`. */
  #ends = new Map<string, number>()

  constructor(number: number, directory: string) {
    this.#random = seededRandom(number)
    this.#directory = directory
  }

  async play(): Promise<void> {
    await this.#begin(new FakeClock())
    for (let left = 8 + this.#upTo(12); left > 0; left--) {
      const step = this.#random.next()
      if (step < 0.4) await this.#append(1 + this.#upTo(20))
      else if (step < 0.7) await this.#life.clock.advance(this.#pick([1, 50, 400, 3_000]))
      else if (step < 0.8) await this.#restartOne(this.#pick(consumers))
      else if (step < 0.9) await this.#restart()
      else if (step < 0.95) await this.#crash()
      else await this.#seeToAll()
      this.#checkSums()
    }
    await this.#seeToAll()
    this.#checkEnds()
    await this.#end()
  }

  async #append(count: number): Promise<void> {
    for (let left = count; left > 0; left--) {
      const type = this.#pick(['a', 'b', 'c', 'd'])
      const event = anEvent({ id: String(this.#types.length), type, subject: this.#pick(['x', 'y']) })
      this.#types.push(type)
      await this.#life.stream.append({ event, headers: {} })
    }
  }

  async #restartOne(consumer: Consumer): Promise<void> {
    await this.#closing(this.#life.dispatching.get(consumer)!)
    await this.#dispatch(consumer)
    this.#life.scanFrom.delete(consumer)
  }

  async #restart(): Promise<void> {
    const { clock } = this.#life
    if (this.#random.next() < 0.5) await this.#seeToAll()
    await this.#end()
    await this.#begin(clock)
  }

  /** The next life finds what was on disk at this moment. */
  async #crash(): Promise<void> {
    this.#hasCrashed = true
    this.#life.isOver = true
    const [before, after] = [this.#place(), this.#place(++this.#lives)]
    cpSync(before, after, { recursive: true })
    await this.#end()
    await this.#begin(new FakeClock(this.#life.clock.now()))
  }

  #place(life = this.#lives): string {
    return join(this.#directory, String(life))
  }

  async #begin(clock: FakeClock): Promise<void> {
    const directory = this.#place()
    const transport = await openEventTransport({
      driver: 'log',
      directory,
      durability: 'process',
      clock,
      log: silentLogger,
    })
    const stream = await transport.ensureStream('shop')
    const metrics = createMetrics()
    const flow = createFlowFeed()
    const engine = createDeliveryEngine({
      transport,
      endpoints: { find: () => undefined, add: () => ({ [Symbol.dispose]: () => undefined }) },
      addresses: { gatewayUrl: 'http://127.0.0.1:1', apiUrl: 'http://127.0.0.1:2', serviceDomain: 'example.test:1' },
      clock,
      log: silentLogger,
      metrics,
      flow,
      http: this.#subscribers(clock),
    })
    const life: Life = {
      clock,
      transport,
      stream,
      engine,
      metrics,
      dispatching: new Map(),
      scanFrom: new Map(),
      isOver: false,
    }
    this.#life = life
    flow.subscribe(({ what, event, owner }) => {
      if (life.isOver || !['delivered', 'dead-lettered', 'dropped'].includes(what)) return
      const key = `${owner?.name} ${String(event.attributes.get('id'))}`
      this.#ends.set(key, (this.#ends.get(key) ?? 0) + 1)
    })
    for (const consumer of consumers) {
      const info = stream.info().consumers.find(({ name }) => name === consumer)
      const notSeen = info === undefined ? 0 : info.lag - info.retrying
      life.scanFrom.set(consumer, stream.info().nextOffset - notSeen)
      await this.#dispatch(consumer)
    }
  }

  async #dispatch(consumer: Consumer): Promise<void> {
    const { engine, dispatching } = this.#life
    const types = ['a', 'b', 'c', 'd'].filter((type) => wants(consumer, type))
    const url = `http://subscriber.example/${consumer}`
    const running = await engine.dispatch({
      owner: { kind: 'Trigger.eventing.knative.dev', namespace: 'default', name: consumer, uid: consumer },
      stream: 'shop',
      consumer,
      contract: 'trigger',
      filters: [{ any: [...types, 'none'].map((type) => ({ exact: { type } })) }],
      subscriber: { url },
      ...(this.#random.next() < 0.7 && { deadLetter: { url: 'http://subscriber.example/letters' } }),
      delivery: { retry: this.#upTo(3), backoffPolicy: 'linear', backoffDelay: 'PT1S', timeout: 'PT2S' },
      annotations: this.#pick(annotationSets),
    })
    dispatching.set(consumer, running)
  }

  /** Answers well, badly, late or never. */
  #subscribers(clock: FakeClock): HttpClient {
    const answerOf = (): HttpAnswer | NoAnswer => {
      const kind = this.#random.next()
      if (kind < 0.1) return { kind: 'no-answer', reason: 'refused', errorType: 'refused' }
      const status = kind < 0.2 ? 500 : kind < 0.25 ? 400 : 202
      return { kind: 'answer', status, headers: {}, body: Buffer.alloc(0), bodyCut: false }
    }
    const exchange = ({ timeoutMs, signal }: HttpRequest): Promise<HttpAnswer | NoAnswer> =>
      new Promise((resolve) => {
        const delayMs = this.#pick([0, 0, 0, 5, 300, timeoutMs])
        const cut: NoAnswer = { kind: 'no-answer', reason: 'cut' }
        clock.setTimer(delayMs, () => resolve(delayMs === timeoutMs ? cut : answerOf()))
        signal?.addEventListener('abort', () => resolve(cut), { once: true })
        if (signal?.aborted === true) resolve(cut)
      })
    return { exchange, [Symbol.asyncDispose]: () => Promise.resolve() }
  }

  async #seeToAll(): Promise<void> {
    // Events come from a real disk, which may take its time.
    await eventually(
      () => this.#pending() === 0,
      () => `all events to be seen to; ${this.#pending()} are not`,
      {
        turn: async () => {
          await this.#life.clock.advance(500)
          await settle(5)
        },
      },
    )
    this.#checkFiltered()
  }

  async #end(): Promise<void> {
    await this.#closing(this.#life.engine)
    await this.#closing(this.#life.transport)
  }

  /** What hangs is cut in its time. */
  async #closing(closable: AsyncDisposable): Promise<void> {
    const progress = { isOver: false }
    const closed = Promise.resolve(closable[Symbol.asyncDispose]()).finally(() => (progress.isOver = true))
    while (!progress.isOver) await this.#life.clock.advance(500)
    await closed
  }

  #pending(): number {
    return this.#life.stream.info().consumers.reduce((sum, { lag }) => sum + lag, 0)
  }

  #value(consumer: Consumer, metric: string, more = ''): number {
    const pattern = new RegExp(
      `^${metric}\\{kind="trigger",namespace="default",name="${consumer}"${more}\\} (\\d+)$`,
      'm',
    )
    return Number(pattern.exec(this.#life.metrics.prometheus())?.[1] ?? 0)
  }

  #ended(consumer: Consumer): number {
    const outcomes = ['delivered', 'dead-lettered', 'dropped', 'expired']
    return outcomes.reduce(
      (sum, outcome) => sum + this.#value(consumer, 'knode_delivery_events_total', `,outcome="${outcome}"`),
      0,
    )
  }

  /** accepted = delivered + dead-lettered + dropped + expired + filtered + pending, at any moment. */
  #checkSums(): void {
    for (const consumer of this.#life.scanFrom.keys()) {
      const [accepted, pending, filtered] = ['accepted', 'pending', 'filtered'].map((name) =>
        this.#value(consumer, `knode_delivery_${name}`),
      )
      assert.equal(accepted, this.#ended(consumer) + filtered! + pending!, consumer)
      assert.ok(filtered! <= this.#unwanted(consumer), `${consumer} filtered out what it wanted`)
    }
  }

  /** With nothing pending, what was filtered out is exactly what was looked at and unwanted. */
  #checkFiltered(): void {
    for (const consumer of this.#life.scanFrom.keys()) {
      assert.equal(this.#value(consumer, 'knode_delivery_filtered'), this.#unwanted(consumer), consumer)
    }
  }

  #unwanted(consumer: Consumer): number {
    const from = this.#life.scanFrom.get(consumer)!
    return this.#types.slice(from).filter((type) => !wants(consumer, type)).length
  }

  /** Once, or at least once where a crash was, and never without being wanted. */
  #checkEnds(): void {
    for (const consumer of consumers) {
      for (const [offset, type] of this.#types.entries()) {
        const ends = this.#ends.get(`${consumer} ${offset}`) ?? 0
        const what = `event ${offset} of type ${type} ended ${ends} times for ${consumer}`
        if (!wants(consumer, type)) assert.equal(ends, 0, what)
        else assert.ok(this.#hasCrashed ? ends >= 1 : ends === 1, what)
      }
    }
  }

  #upTo(max: number): number {
    return Math.floor(this.#random.next() * (max + 1))
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#upTo(items.length - 1)]!
  }
}

test(`in ${runs} random lives from seed ${seed}, through restarts and crashes, no event is lost from the counters`, async () => {
  for (let number = seed; number < seed + runs; number++) {
    const directory = await mkdtemp(join(tmpdir(), 'knode-conservation-'))
    try {
      await new Run(number, directory).play()
    } catch (error) {
      throw new Error(`run ${number} (again: KNODE_SEED=${number} KNODE_RUNS=1)`, { cause: error })
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
    if ((number - seed + 1) % progressEvery === 0) console.log(`${number - seed + 1} of ${runs} lives`)
  }
})
