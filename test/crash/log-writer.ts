// Child of log-kill.test.ts: appends and consumes as fast as it can, and writes down what happened, until it is killed.
import { openSync, writeSync } from 'node:fs'
import { systemClock } from '../../src/base/clock.ts'
import { createLogger } from '../../src/base/log.ts'
import { cloudEvent } from '../../src/model/cloudevents/event.ts'
import { openEventTransport } from '../../src/ports/event-transport/open.ts'
import type { Delivery } from '../../src/ports/event-transport/port.ts'

const [directory = '', diaryPath = '', life = ''] = process.argv.slice(2)
const writers = 16
/** Small, so that segments come and go during the test. */
const retentionBytes = 4_000_000

const diary = openSync(diaryPath, 'a')
// What is written before the kill is there after it.
const tell = (line: string): void => void writeSync(diary, `${line}\n`)

await using transport = await openEventTransport({
  driver: 'log',
  directory,
  clock: systemClock,
  log: createLogger({ level: 'warn' }),
})
const stream = await transport.ensureStream('kill', { retentionBytes })
const startMs = systemClock.monotonicMs()

const dataOf = (id: string): string => id.repeat(1 + (Number.parseInt(id.slice(-2), 36) % 60))

function took(consumer: string, { offset, attempt, message: { event } }: Delivery): void {
  const isWhole = Buffer.from(event.data ?? '').toString() === dataOf(String(event.attributes.get('id')))
  tell(
    `${isWhole ? 'got' : 'garbled'} ${consumer} ${offset} ${attempt} ${Math.round(systemClock.monotonicMs() - startMs)}`,
  )
}

await stream.consume('fast', {
  from: 'earliest',
  handle: (delivery) => {
    took('fast', delivery)
    // Some fail twice before they succeed.
    if (delivery.offset % 50 === 0 && delivery.attempt < 3) delivery.retryLater(5)
    else delivery.ack()
  },
})
await stream.consume('slow', {
  from: 'earliest',
  inFlightMax: 8,
  handle: (delivery) => {
    took('slow', delivery)
    // Never in order.
    systemClock.setTimer(delivery.offset % 3, () => delivery.ack())
  },
})
console.log('ready')

async function write(writer: number): Promise<never> {
  for (let count = 0; ; count++) {
    const id = `${life}-${writer}-${count.toString(36).padStart(2, '0')}`
    const offset = await stream.append({
      event: cloudEvent({ id, source: '/kill', type: 't' }, dataOf(id)),
      headers: {},
    })
    tell(`acknowledged ${id} ${offset}`)
  }
}

await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
