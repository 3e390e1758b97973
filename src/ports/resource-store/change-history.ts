// The newest changes of a store, and the watchers that read them at their own pace.
import { GoneError } from '../../base/errors.ts'
import type { Change, ResourceScope, StoreRevision } from './port.ts'
import { isInScope } from './resource-key.ts'

/** Changes kept for watches that start in the past or lag behind. */
const historyChangesMax = 10_000

/** About how much text they may hold together, in characters: objects of a megabyte leave a shorter history. */
const historyCharactersMax = 67_108_864

/** A change and about how much text only it holds. */
export interface MeasuredChange {
  change: Change
  characters: number
}

export interface HistoryLimits {
  /** @default 10_000 */
  changesMax?: number | undefined
  /** @default 67_108_864 */
  charactersMax?: number | undefined
}

interface Sleeper {
  cursor: Cursor
  scope: ResourceScope
  wake: () => void
}

/** Where a watcher stands: the number of the next change it reads, counted since the store was opened. */
interface Cursor {
  next: number
}

/**
 * A ring of changes. A watcher keeps no queue of its own, only a position in the ring: one that lags further than the
 * ring reaches is told that its history is gone, however slow it is, and costs no memory.
 */
export class ChangeHistory {
  #ring: (MeasuredChange | undefined)[] = []
  #capacity: number
  #charactersMax: number
  #characters = 0
  /** Changes ever pushed, and how many of them are not kept any more. */
  #count = 0
  #forgotten = 0
  /** The newest revision whose change is not kept: watches can start here, not before. */
  #forgottenUpTo: number
  #sleepers = new Set<Sleeper>()
  #end: Error | undefined

  constructor(revision: number, limits: HistoryLimits = {}) {
    this.#forgottenUpTo = revision
    this.#capacity = limits.changesMax ?? historyChangesMax
    this.#charactersMax = limits.charactersMax ?? historyCharactersMax
  }

  push(changes: readonly MeasuredChange[]): void {
    const firstNew = this.#count
    for (const measured of changes) {
      if (this.#count - this.#forgotten === this.#capacity) this.#forgetOldest()
      this.#ring[this.#count++ % this.#capacity] = measured
      this.#characters += measured.characters
      while (this.#characters > this.#charactersMax && this.#count - this.#forgotten > 1) this.#forgetOldest()
    }
    for (const sleeper of this.#sleepers) {
      if (changes.some(({ change }) => isInScope(change.key, sleeper.scope))) {
        sleeper.cursor.next = firstNew
        sleeper.wake()
      } else {
        // It has seen all that concerns it: a quiet scope never lags.
        sleeper.cursor.next = this.#count
      }
    }
  }

  /** Ends all watches with `error`. */
  close(error: Error): void {
    this.#end = error
    for (const { wake } of this.#sleepers) wake()
  }

  /** Changes of `scope` after `from`; see `ResourceStore.watch`. */
  async *watch(scope: ResourceScope, from: StoreRevision, signal: AbortSignal): AsyncGenerator<Change, void> {
    if (signal.aborted) return
    const cursor = this.#cursorAfter(from)
    for (;;) {
      if (this.#end !== undefined) throw this.#end
      while (cursor.next < this.#count) {
        if (cursor.next < this.#forgotten) {
          const behind = this.#count - cursor.next
          throw new GoneError(`a watch fell ${behind} changes behind, more than are kept`, { hint: 'list again' })
        }
        const change = this.#at(cursor.next++)
        if (isInScope(change.key, scope)) yield change
        if (signal.aborted) return
      }
      await this.#moreOf(scope, cursor, signal)
      if (signal.aborted) return
    }
  }

  #at(number: number): Change {
    return this.#ring[number % this.#capacity]!.change
  }

  #forgetOldest(): void {
    const slot = this.#forgotten++ % this.#capacity
    const { change, characters } = this.#ring[slot]!
    this.#ring[slot] = undefined
    this.#characters -= characters
    this.#forgottenUpTo = Number(change.revision)
  }

  #cursorAfter(from: StoreRevision): Cursor {
    const revision = /^\d+$/.test(from) ? Number(from) : Number.NaN
    if (!(revision >= this.#forgottenUpTo)) {
      throw new GoneError(`too old resource version: ${from} (${this.#forgottenUpTo})`, { hint: 'list again' })
    }
    let low = this.#forgotten
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (Number(this.#at(middle).revision) <= revision) low = middle + 1
      else high = middle
    }
    return { next: low }
  }

  #moreOf(scope: ResourceScope, cursor: Cursor, signal: AbortSignal): Promise<void> {
    if (this.#end !== undefined) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#sleepers.delete(sleeper)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      const sleeper: Sleeper = { cursor, scope, wake }
      this.#sleepers.add(sleeper)
      signal.addEventListener('abort', wake, { once: true })
    })
  }
}
