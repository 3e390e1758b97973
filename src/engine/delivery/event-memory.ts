// Which events a Broker took lately, so that it takes each once. Source: CloudEvents 1.0.2, "source" and "id".
import { hash } from 'node:crypto'
import type { CloudEvent } from '../../model/cloudevents/event.ts'

/**
 * `source` and `id` together say which event it is; neither has a line break. Their SHA-256, one character a byte: what is
 * kept of an event is small, however long they are.
 */
export const identityOf = ({ attributes }: CloudEvent): string =>
  hash('sha256', `${String(attributes.get('source'))}\n${String(attributes.get('id'))}`, 'binary')

export interface EventMemoryLimits {
  /** How long an identity is kept, in milliseconds. */
  windowMs: number
  /** Identities kept; the oldest go first, so that a duplicate may pass but no new event is ever taken for one. */
  entriesMax: number
}

/** Identities by the time they were stored. Times are milliseconds since 1970, given in rising order. */
export class EventMemory {
  #limits: EventMemoryLimits
  #storedMs = new Map<string, number>()
  /** Walks over the entries from the oldest on, so that those already gone are not passed again and again. */
  #walk: MapIterator<[string, number]> | undefined
  #oldest: [string, number] | undefined

  constructor(limits: EventMemoryLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#storedMs.size
  }

  has(key: string, nowMs: number): boolean {
    const storedMs = this.#storedMs.get(key)
    return storedMs !== undefined && nowMs - storedMs < this.#limits.windowMs
  }

  /** Returns whether an identity had to go before its time. */
  add(key: string, storedMs: number): boolean {
    this.#storedMs.delete(key)
    this.#storedMs.set(key, storedMs)
    let isShort = false
    for (let oldest = this.#peek(); oldest !== undefined; oldest = this.#peek()) {
      const isOld = storedMs - oldest[1] >= this.#limits.windowMs
      if (!isOld && this.#storedMs.size <= this.#limits.entriesMax) break
      isShort ||= !isOld
      this.#storedMs.delete(oldest[0])
      this.#oldest = undefined
    }
    return isShort
  }

  #peek(): [string, number] | undefined {
    // An entry that was added anew since stands further back.
    while (this.#oldest === undefined || this.#storedMs.get(this.#oldest[0]) !== this.#oldest[1]) {
      this.#walk ??= this.#storedMs.entries()
      const { done, value } = this.#walk.next()
      if (done === true) {
        this.#walk = undefined
        return undefined
      }
      this.#oldest = value
    }
    return this.#oldest
  }
}
