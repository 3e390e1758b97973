// A consumer for tests: keeps what it is handed and waits for more.
import { eventually } from '../../base/eventually.ts'
import { cloudEvent } from '../../model/cloudevents/event.ts'
import type { EventMessage } from '../../model/cloudevents/event.ts'
import type { Delivery, EventStream, Offset, StartFrom, StoredEvent } from './port.ts'

/** Keeps deliveries in the order they come; acknowledges none unless told to. */
export class Collector {
  readonly deliveries: Delivery[] = []
  #onDelivery: (delivery: Delivery) => void

  /** @param onDelivery called for each one at once. @default does nothing */
  constructor(onDelivery: (delivery: Delivery) => void = () => undefined) {
    this.#onDelivery = onDelivery
  }

  readonly handle = (delivery: Delivery): void => {
    this.deliveries.push(delivery)
    this.#onDelivery(delivery)
  }

  get offsets(): Offset[] {
    return this.deliveries.map(({ offset }) => offset)
  }

  get ids(): unknown[] {
    return this.deliveries.map(({ message }) => message.event.attributes.get('id'))
  }

  /** Resolves when at least `count` came. */
  async has(count: number): Promise<void> {
    await eventually(
      () => this.deliveries.length >= count,
      () => `${count} deliveries, there are ${this.deliveries.length}`,
    )
  }
}

/** A small message with this id. */
export function aMessage(
  id: string,
  { type = 'thirst', bytes = 16 }: { type?: string; bytes?: number } = {},
): EventMessage {
  return {
    event: cloudEvent({ id, source: '/test', type, datacontenttype: 'text/plain' }, 'x'.repeat(bytes)),
    headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
  }
}

/** Appends messages with the ids `from` up to, not including, `to`; resolves when all are safe. */
export async function appendMany(stream: EventStream, from: number, to: number, bytes = 16): Promise<void> {
  const appended: Promise<Offset>[] = []
  for (let id = from; id < to; id++) appended.push(stream.append(aMessage(String(id), { bytes })))
  await Promise.all(appended)
}

/** Everything that the stream reads from there. */
export async function readAll(stream: EventStream, from: StartFrom): Promise<StoredEvent[]> {
  const events: StoredEvent[] = []
  for await (const event of stream.read(from)) events.push(event)
  return events
}
