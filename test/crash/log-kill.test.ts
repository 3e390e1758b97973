// kill -9 at any instant: every acknowledged event is delivered to every consumer, and few are delivered again.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { systemClock } from '../../src/base/clock.ts'
import { createLogger } from '../../src/base/log.ts'
import { seededRandom } from '../../src/base/random.ts'
import { openEventTransport } from '../../src/ports/event-transport/open.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const kills = Number(process.env['KNODE_KILLS'] ?? 100)
const seed = Number(process.env['KNODE_SEED'] ?? 7)

/** Work before a kill, at most, in milliseconds. */
const lifeMsMax = 250
/** What was delivered longer ago than this is never delivered again: the checkpoint interval, and patience. */
const repeatWindowMs = 50 + 200

test(`the log loses nothing acknowledged over ${kills} kills (seed ${seed})`, async (context) => {
  await using directory = await temporaryDirectory()
  const random = seededRandom(seed)
  const diary = new Diary()
  for (let life = 0; life < kills; life++) {
    const path = join(directory.path, `diary-${life}`)
    await liveAndDie([join(directory.path, 'streams'), path, `life${life}`], random.next() * lifeMsMax)
    diary.add(readFileSync(path, 'utf8'))
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
      left.push(`got ${consumer} ${delivery.offset} ${delivery.attempt} 0`)
      delivery.ack()
    }
    await using _consumption = await stream.consume(consumer, { handle, inFlightMax: 100_000 })
    while (stream.info().consumers.find(({ name }) => name === consumer)!.lag > 0) await setTimeout(5)
    assert.ok(left.length >= lag)
    diary.add(left.join('\n'))
  }

  const { nextOffset } = stream.info()
  for (const [offset, id] of diary.acknowledged) assert.ok(offset < nextOffset, `${id} at ${offset} is lost`)
  for (const [consumer, delivered] of diary.delivered) {
    for (let offset = 0; offset < nextOffset; offset++) assert.ok(delivered.has(offset), `${consumer} misses ${offset}`)
  }
  assert.equal(diary.lateRepeats, 0, 'only what was delivered shortly before a kill is delivered again')
  assert.ok(diary.acknowledged.size > kills, 'the children had time to work')
  const { repeated, deliveries } = diary
  context.diagnostic(
    `${diary.acknowledged.size} acknowledged, ${deliveries} delivered, ${repeated} of them again after a kill`,
  )
})

async function liveAndDie(arguments_: string[], lifeMs: number): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'log-writer.ts'), ...arguments_], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  await Promise.race([once(child.stdout, 'data'), ended])
  await setTimeout(lifeMs)
  child.kill('SIGKILL')
  const [code, signal] = (await ended) as [number | null, string | null]
  assert.equal(signal, 'SIGKILL', `the child ended by itself with code ${code}`)
}

/** What the children wrote down, one life after the other. */
class Diary {
  /** Ids by offset. */
  readonly acknowledged = new Map<number, string>()
  /** By consumer: the latest attempt of each event, and when it came, in milliseconds of working time. */
  readonly delivered = new Map<string, Map<number, { attempt: number; atMs: number }>>()
  deliveries = 0
  repeated = 0
  lateRepeats = 0
  /** Working time of the lives before. */
  #beforeMs = 0

  add(text: string): void {
    let lastMs = 0
    const wholeLines = text.split('\n').filter((line) => line !== '')
    for (const line of wholeLines) {
      const [what, one = '', two, three, four] = line.split(' ')
      assert.notEqual(what, 'garbled', line)
      if (what === 'acknowledged') {
        assert.equal(this.acknowledged.get(Number(two)) ?? one, one, 'two events have one offset')
        this.acknowledged.set(Number(two), one)
      } else {
        lastMs = Number(four)
        this.#deliver(one, Number(two), Number(three), this.#beforeMs + lastMs)
      }
    }
    this.#beforeMs += lastMs
  }

  #deliver(consumer: string, offset: number, attempt: number, atMs: number): void {
    this.deliveries++
    const delivered = this.delivered.get(consumer) ?? new Map<number, { attempt: number; atMs: number }>()
    this.delivered.set(consumer, delivered)
    const before = delivered.get(offset)
    if (before !== undefined && attempt <= before.attempt) {
      this.repeated++
      // Of the current life nothing may come again: time of lives counts from their beginning.
      if (this.#beforeMs - before.atMs > repeatWindowMs) this.lateRepeats++
    }
    delivered.set(offset, { attempt, atMs })
  }
}
