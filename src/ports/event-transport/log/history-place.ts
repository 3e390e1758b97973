// Where a random history takes place: a stream on a simulated disk, and the model of what should be in it.
import assert from 'node:assert/strict'
import { FakeClock } from '../../../base/fake-clock.ts'
import { createLogger } from '../../../base/log.ts'
import type { Random } from '../../../base/random.ts'
import { aMessage, readAll } from '../collector.ts'
import { openEventTransport } from '../open.ts'
import type { ConsumerInfo, Delivery, EventStream, EventTransport } from '../port.ts'
import { SimulatedFileSystem } from './simulated-file-system.ts'
import { StreamModel } from './stream-model.ts'

/** Consumers want the events whose type is in their name. */
export const consumerNames = ['a', 'b', 'ab', 'abc']

/** Of an event's data. Large ones, whose batches need more than one write, are slow: few histories have them. */
const bytesChoices = [10, 10, 10, 200, 200, 200, 2_000, 2_000, 2_000, 20_000]

/**
 * Stands for an event that was being written when the power went, of which a later part arrived and an earlier did not.
 * Nobody wants it.
 */
export const tornEvent = { id: 'torn', type: '-' }

export class HistoryPlace {
  clock = new FakeClock()
  fileSystem: SimulatedFileSystem
  readonly model: StreamModel
  #random: Random
  #bytes: number
  #transport: EventTransport | undefined
  #stream: EventStream | undefined

  constructor(random: Random) {
    this.#random = random
    this.fileSystem = new SimulatedFileSystem(random)
    this.model = new StreamModel(this.clock.now())
    this.#bytes = bytesChoices[Math.floor(random.next() * bytesChoices.length)]!
  }

  get stream(): EventStream {
    return this.#stream!
  }

  async open(): Promise<void> {
    this.#transport = await openEventTransport({
      driver: 'log',
      directory: '/data',
      clock: this.clock,
      random: this.#random,
      fileSystem: this.fileSystem,
      // Faults are told in the log; nobody needs to read them here.
      log: createLogger({ write: () => undefined }),
    })
    this.#stream = await this.#transport.ensureStream('s')
    this.#stream.select(({ event }) => {
      const type = String(event.attributes.get('type'))
      return new Set(consumerNames.filter((name) => name.includes(type)))
    })
  }

  async close(): Promise<void> {
    await this.#transport![Symbol.asyncDispose]()
  }

  message(id: string, type: string): ReturnType<typeof aMessage> {
    return aMessage(id, { type, bytes: this.#bytes })
  }

  infoOf(name: string): ConsumerInfo {
    return this.stream.info().consumers.find((consumer) => consumer.name === name)!
  }

  /** The stream has what the model has, and tells exactly what is damaged. */
  async checkContents(): Promise<void> {
    const stored = await readAll(this.stream, 'earliest')
    assert.deepEqual(
      stored.map(({ message }) => message.event.attributes.get('id')),
      this.model.events.filter((event) => event !== tornEvent).map(({ id }) => id),
    )
    const damaged = this.stream.info().damaged.reduce((sum, range) => sum + range.toOffset - range.fromOffset, 0)
    assert.equal(damaged, this.model.events.filter((event) => event === tornEvent).length, 'damage is told exactly')
    for (const event of stored) this.checkContent(event)
  }

  checkContent({ offset, message }: Pick<Delivery, 'offset' | 'message'>): void {
    const { id, type } = this.model.events[offset] ?? { id: undefined, type: undefined }
    // What is handed over while it is being appended is not in the model yet.
    if (id === undefined) return
    assert.equal(message.event.attributes.get('id'), id)
    assert.equal(message.event.attributes.get('type'), type)
    assert.equal(message.event.data?.length, this.#bytes)
  }
}
