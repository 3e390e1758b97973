// Child of log-kill.test.ts: appends and consumes as fast as it can, and writes down what happened, until it is killed.
import { openSync, writeSync } from 'node:fs'
import { systemClock } from '../../src/base/clock.ts'
import { createLogger } from '../../src/base/log.ts'
import { cloudEvent } from '../../src/model/cloudevents/event.ts'
import { nodeFileSystem } from '../../src/ports/event-transport/log/file-system.ts'
import type { LogFile, LogFileSystem } from '../../src/ports/event-transport/log/file-system.ts'
import { openEventTransport } from '../../src/ports/event-transport/open.ts'
import type { Delivery } from '../../src/ports/event-transport/port.ts'

const [directory = '', diaryPath = '', life = ''] = process.argv.slice(2)
const writers = 16
/** Small, so that segments come and go during the test. */
const retentionBytes = 4_000_000

const diary = openSync(diaryPath, 'a')
// What is written before the kill is there after it.
const tell = (line: string): void => void writeSync(diary, `${line}\n`)

const journal = 'consumers.journal'

/** Tells when a checkpoint is about to be written, of what was settled by then, and when it is written. */
function watchedFileSystem(): LogFileSystem {
  /** The journal is in its place: what is written to it counts at once. */
  let isInPlace = false
  let isWriting = false
  const begin = (): void => {
    isWriting = true
    tell('writing')
  }
  const end = (): void => {
    // The first journal of a life has no beginning that could be seen from here.
    if (isWriting) tell('written')
    isWriting = false
  }
  const watched = (file: LogFile): LogFile => ({
    ...file,
    async write(source, position) {
      if (isInPlace) begin()
      const bytes = await file.write(source, position)
      if (isInPlace && bytes === source.length) end()
      return bytes
    },
    close() {
      // It is written anew, beginning here.
      begin()
      return file.close()
    },
  })
  return {
    ...nodeFileSystem,
    async open(path, options) {
      const file = await nodeFileSystem.open(path, options)
      if (!path.endsWith(`${journal}.new`)) return file
      isInPlace = false
      return watched(file)
    },
    async rename(from, to) {
      await nodeFileSystem.rename(from, to)
      if (!to.endsWith(journal)) return
      isInPlace = true
      end()
    },
  }
}

await using transport = await openEventTransport({
  driver: 'log',
  directory,
  clock: systemClock,
  gatherMsMax: 1,
  log: createLogger({ level: 'warn' }),
  fileSystem: watchedFileSystem(),
})
const stream = await transport.ensureStream('kill', { retentionBytes })
const dataOf = (id: string): string => id.repeat(1 + (Number.parseInt(id.slice(-2), 36) % 60))

function took(consumer: string, { offset, attempt, message: { event } }: Delivery): void {
  const isWhole = Buffer.from(event.data ?? '').toString() === dataOf(String(event.attributes.get('id')))
  tell(`${isWhole ? 'got' : 'garbled'} ${consumer} ${offset} ${attempt}`)
}

function acknowledge(consumer: string, delivery: Delivery): void {
  delivery.ack()
  tell(`done ${consumer} ${delivery.offset}`)
}

await stream.consume('fast', {
  from: 'earliest',
  handle: (delivery) => {
    const { offset, attempt } = delivery
    took('fast', delivery)
    // Some fail twice before they succeed.
    if (offset % 50 !== 0 || attempt >= 3) return acknowledge('fast', delivery)
    delivery.retryLater(5)
    tell(`failed fast ${offset} ${attempt}`)
  },
})
await stream.consume('slow', {
  from: 'earliest',
  inFlightMax: 8,
  handle: (delivery) => {
    took('slow', delivery)
    // Never in order.
    systemClock.setTimer(delivery.offset % 3, () => acknowledge('slow', delivery))
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
