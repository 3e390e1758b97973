// An event in a consumer's hands.
import type { EventMessage } from '../../../model/cloudevents/event.ts'
import type { Delivery, Offset, StoredEvent } from '../port.ts'

/** Takes what becomes of deliveries: `undefined` is done, a delay asks for another try. */
export interface Settler {
  settle(delivery: OpenDelivery, retryDelayMs: number | undefined): void
  setAside(delivery: OpenDelivery): void
}

/** One handing over of an event. Only the latest one can settle it. */
export class OpenDelivery implements Delivery {
  readonly offset: Offset
  readonly appendedMs: number
  readonly message: EventMessage
  readonly attempt: number
  readonly dueMs: number
  /** Whether a durable driver has it among the open events. */
  stored: boolean
  #settler: Settler

  constructor(settler: Settler, event: StoredEvent, attempt: number, dueMs: number, stored: boolean) {
    this.#settler = settler
    this.offset = event.offset
    this.appendedMs = event.appendedMs
    this.message = event.message
    this.attempt = attempt
    this.dueMs = dueMs
    this.stored = stored
  }

  ack(): void {
    this.#settler.settle(this, undefined)
  }

  retryLater(delayMs: number): void {
    this.#settler.settle(this, delayMs)
  }

  setAside(): void {
    this.#settler.setAside(this)
  }
}
