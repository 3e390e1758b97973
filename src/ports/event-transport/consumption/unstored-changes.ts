// What a durable driver has still to be told of a consumer's open events.
import type { Offset } from '../port.ts'
import type { ConsumerChange } from './consumer-context.ts'
import type { OpenEvent, OpenEvents } from './open-events.ts'

export class UnstoredChanges {
  #open: OpenEvents
  /** Nothing of what was told before counts any more. */
  #reset = true
  #touched = new Set<Offset>()
  #settled: Offset[] = []

  constructor(open: OpenEvents) {
    this.#open = open
  }

  /** The event is open now, or open in another way. */
  touch(offset: Offset): void {
    this.#touched.add(offset)
  }

  /** The event, open until now, is open no longer. */
  close(offset: Offset, event: OpenEvent): void {
    if (event.stored) this.#settled.push(offset)
    this.#touched.delete(offset)
  }

  reset(): void {
    this.#reset = true
  }

  /** What changed since the last call; everything, if `all`. From now on the driver has it. */
  take(all: boolean): Pick<ConsumerChange, 'reset' | 'opened' | 'settled'> {
    const reset = all || this.#reset
    const opened: ConsumerChange['opened'] = []
    for (const offset of reset ? this.#open.keys() : this.#touched) {
      const event = this.#open.get(offset)
      if (event === undefined) continue
      event.stored = true
      opened.push({ offset, attempt: event.attempt, dueMs: event.dueMs })
    }
    const settled = reset ? [] : this.#settled
    this.#reset = false
    this.#touched.clear()
    this.#settled = []
    return { reset, opened, settled }
  }
}
