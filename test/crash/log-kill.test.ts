// kill -9 at any instant: every acknowledged event is delivered to every consumer, and few are delivered again.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { systemClock } from '../../src/base/clock.ts'
import { eventually, programPatience } from '../../src/base/eventually.ts'
import { createLogger } from '../../src/base/log.ts'
import { seededRandom } from '../../src/base/random.ts'
import { openEventTransport } from '../../src/ports/event-transport/open.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const kills = Number(process.env['KNODE_KILLS'] ?? 100)
const seed = Number(process.env['KNODE_SEED'] ?? 7)

const progressEvery = 50

/** A kill comes within that time, in milliseconds … */
const lifeMsMax = 250
/** … unless a slow machine has not done so much by then, by bytes that the child has written down. */
const diaryBytesMax = 10_000

test(`the log loses nothing acknowledged over ${kills} kills (seed ${seed})`, async (context) => {
  await using directory = await temporaryDirectory()
  const random = seededRandom(seed)
  const diary = new Diary()
  for (let life = 0; life < kills; life++) {
    const path = join(directory.path, `diary-${life}`)
    const [lifeMs, diaryBytes] = [random.next() * lifeMsMax, random.next() * diaryBytesMax]
    await liveAndDie([join(directory.path, 'streams'), path, `life${life}`], async () => {
      await setTimeout(lifeMs)
      await eventually(() => statSync(path).size >= diaryBytes, 'the child to work', programPatience)
    })
    diary.add(wholeLines(readFileSync(path, 'utf8')))
    if ((life + 1) % progressEvery === 0) console.log(`${life + 1} of ${kills} kills`)
  }

  await using transport = await openEventTransport({
    driver: 'log',
    directory: join(directory.path, 'streams'),
    clock: systemClock,
    log: createLogger({ level: 'warn' }),
  })
  const stream = transport.stream('kill')!
  assert.deepEqual(stream.info().damaged, [])
  for (const consumer of ['fast', 'slow']) {
    const { lag } = stream.info().consumers.find(({ name }) => name === consumer)!
    const left: string[] = []
    const handle = (delivery: { offset: number; attempt: number; ack: () => void }): void => {
      left.push(`got ${consumer} ${delivery.offset} ${delivery.attempt}`)
      delivery.ack()
    }
    await using _consumption = await stream.consume(consumer, { handle, inFlightMax: 100_000 })
    const isThrough = (): boolean => stream.info().consumers.find(({ name }) => name === consumer)!.lag === 0
    await eventually(isThrough, `${consumer} to get all`, programPatience)
    assert.ok(left.length >= lag)
    diary.add(left.join('\n'))
  }

  const { nextOffset } = stream.info()
  for (const [offset, id] of diary.acknowledged) assert.ok(offset < nextOffset, `${id} at ${offset} is lost`)
  for (const [consumer, delivered] of diary.delivered) {
    for (let offset = 0; offset < nextOffset; offset++) assert.ok(delivered.has(offset), `${consumer} misses ${offset}`)
  }
  assert.deepEqual(diary.forgotten, [], 'what a checkpoint has told is settled is not delivered again')
  assert.ok(diary.checkpoints > 0, 'the children had time to write checkpoints')
  assert.ok(diary.acknowledged.size > kills, 'the children had time to work')
  const { repeated, deliveries } = diary
  context.diagnostic(
    `${diary.acknowledged.size} acknowledged, ${deliveries} delivered, ${repeated} of them again after a kill, ${diary.checkpoints} checkpoints`,
  )
})

async function liveAndDie(arguments_: string[], live: () => Promise<void>): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'log-writer.ts'), ...arguments_], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  await Promise.race([once(child.stdout, 'data'), ended])
  await live().finally(() => child.kill('SIGKILL'))
  const [code, signal] = (await ended) as [number | null, string | null]
  assert.equal(signal, 'SIGKILL', `the child ended by itself with code ${code}`)
}

/** Without the last line's beginning: a kill may cut a write at any page of the file. */
const wholeLines = (text: string): string => text.slice(0, text.lastIndexOf('\n') + 1)

/** What the children wrote down, one life after the other. */
class Diary {
  /** Ids by offset. */
  readonly acknowledged = new Map<number, string>()
  /** By consumer: the latest attempt of each event. */
  readonly delivered = new Map<string, Map<number, number>>()
  /** What was delivered again though a checkpoint had it as settled, or twice in one life. */
  readonly forgotten: string[] = []
  deliveries = 0
  repeated = 0
  checkpoints = 0
  /** By consumer: the attempt up to which an event must not come again, as some finished checkpoint tells. */
  #settled = new Map<string, Map<number, number>>()

  add(text: string): void {
    const seen = new Set<string>()
    /** Told since the last checkpoint began, and before that if it is not finished. */
    let since: Settlement[] = []
    let written: Settlement[] = []
    for (const line of text.split('\n').filter((one) => one !== '')) {
      const [what, one = '', two = '', three] = line.split(' ')
      assert.notEqual(what, 'garbled', line)
      switch (what) {
        case 'acknowledged':
          assert.equal(this.acknowledged.get(Number(two)) ?? one, one, 'two events have one offset')
          this.acknowledged.set(Number(two), one)
          break
        case 'got':
          if (seen.has(line)) this.forgotten.push(line)
          seen.add(line)
          this.#deliver(one, Number(two), Number(three))
          break
        case 'done':
        case 'failed':
          since.push([one, Number(two), what === 'done' ? Infinity : Number(three)])
          break
        case 'writing':
          written.push(...since)
          since = []
          break
        case 'written':
          this.checkpoints++
          for (const [consumer, offset, attempt] of written) mapOf(this.#settled, consumer).set(offset, attempt)
          written = []
          break
        default:
          assert.fail(line)
      }
    }
  }

  #deliver(consumer: string, offset: number, attempt: number): void {
    this.deliveries++
    const delivered = mapOf(this.delivered, consumer)
    if (attempt <= (delivered.get(offset) ?? 0)) this.repeated++
    if (attempt <= (mapOf(this.#settled, consumer).get(offset) ?? 0)) {
      this.forgotten.push(`${consumer} ${offset} ${attempt}`)
    }
    delivered.set(offset, attempt)
  }
}

/** Up to this attempt the consumer is done with the event. */
type Settlement = [consumer: string, offset: number, attempt: number]

function mapOf(maps: Map<string, Map<number, number>>, name: string): Map<number, number> {
  const map = maps.get(name) ?? new Map<number, number>()
  maps.set(name, map)
  return map
}
