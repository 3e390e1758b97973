// What all drivers with their objects in memory share: conflicts, group commit, history. A driver adds how to persist.
import { ConflictError, KnodeError, messageOf } from '../../base/errors.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { ChangeHistory } from './change-history.ts'
import type { HistoryLimits, MeasuredChange } from './change-history.ts'
import { ObjectTable } from './object-table.ts'
import type { Change, ResourceKey, ResourceList, ResourceScope, ResourceStore, StoreRevision } from './port.ts'
import { keyLabel, keyText } from './resource-key.ts'

/** Makes changes safe. Called for one batch at a time; objects in memory show the state before it. */
export interface Persistence extends AsyncDisposable {
  /** Resolves when all changes are safe. @throws when they are not; then none of them counts. */
  persist(changes: readonly Change[]): Promise<void>
}

export interface LiveStoreOptions {
  /** The objects that were persisted. The store takes ownership. */
  objects?: ObjectTable
  /** The newest revision ever given out. @default 1, so that no object ever has Kubernetes' special revision 0 */
  revision?: number
  history?: HistoryLimits
  persistence?: Persistence
}

interface QueuedWrite extends MeasuredChange {
  /** The write on the same object that was queued when this one was checked. */
  basedOn: QueuedWrite | undefined
  state: 'queued' | 'stored' | 'failed'
  /** Resolves when it is stored; rejects with STORE_FAILED. */
  promise: Promise<Resource>
  resolve: (resource: Resource) => void
  reject: (error: Error) => void
}

/** Changes in one commit at most. */
const batchChangesMax = 1_000

/**
 * A store whose objects live in memory and whose changes become visible once they are persisted. Writes that arrive
 * while a commit is under way share the next one, and conflicts are checked against what is queued, too.
 */
export class LiveStore implements ResourceStore {
  #objects: ObjectTable
  #history: ChangeHistory
  #persistence: Persistence | undefined
  #visibleRevision: number
  #givenRevision: number
  #queue: QueuedWrite[] = []
  /** The last queued write of each object. */
  #newest = new Map<string, QueuedWrite>()
  #writing: Promise<void> | undefined
  #closed: Promise<void> | undefined

  constructor(options: LiveStoreOptions = {}) {
    this.#objects = options.objects ?? new ObjectTable()
    for (const [, resource] of this.#objects.entries()) freeze(resource)
    this.#visibleRevision = this.#givenRevision = options.revision ?? 1
    this.#history = new ChangeHistory(this.#visibleRevision, options.history)
    this.#persistence = options.persistence
  }

  async get(key: ResourceKey): Promise<Resource | undefined> {
    this.#assertOpen()
    return this.#objects.get(key)
  }

  async list(scope: ResourceScope): Promise<ResourceList> {
    this.#assertOpen()
    return { items: this.#objects.list(scope), revision: String(this.#visibleRevision) }
  }

  async revision(): Promise<StoreRevision> {
    this.#assertOpen()
    return String(this.#visibleRevision)
  }

  async put(
    key: ResourceKey,
    resource: Resource,
    { expected }: { expected?: StoreRevision | null } = {},
  ): Promise<Resource> {
    // Nothing may come between the last look and the write: no await after this loop.
    while (!this.#isExpected(key, expected)) await this.#settled(key)
    const previous = this.#current(key)
    return this.#write(key, previous === undefined ? 'added' : 'modified', resource, previous)
  }

  async delete(key: ResourceKey, { expected }: { expected?: StoreRevision } = {}): Promise<Resource | undefined> {
    while (!this.#isExpected(key, expected)) await this.#settled(key)
    const previous = this.#current(key)
    if (previous !== undefined) return this.#write(key, 'deleted', previous, previous)
    // A queued deletion must be visible before anyone hears that there is nothing.
    await this.#settled(key)
    return undefined
  }

  watch(scope: ResourceScope, { from, signal }: { from: StoreRevision; signal: AbortSignal }): AsyncIterable<Change> {
    return this.#history.watch(scope, from, signal)
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await this.#writing
    this.#history.close(closedError())
    await this.#persistence?.[Symbol.asyncDispose]()
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw closedError()
  }

  /** The newest state, stored or queued. */
  #current(key: ResourceKey): Resource | undefined {
    const queued = this.#newest.get(keyText(key))
    return queued === undefined ? this.#objects.get(key) : objectAfter(queued.change)
  }

  /**
   * False when a queued write stands against it: who hears of a conflict reads again, so the state that wins must be
   * visible by then. @throws {ConflictError} when a stored one does.
   */
  #isExpected(key: ResourceKey, expected: StoreRevision | null | undefined): boolean {
    this.#assertOpen()
    const actual = this.#current(key)?.metadata.resourceVersion
    if (expected === undefined || expected === (actual ?? null)) return true
    if (this.#newest.has(keyText(key))) return false
    throw conflict(key, actual, expected)
  }

  async #settled(key: ResourceKey): Promise<void> {
    await this.#newest.get(keyText(key))?.promise.catch(() => undefined)
  }

  #write(key: ResourceKey, type: Change['type'], resource: Resource, previous?: Resource): Promise<Resource> {
    const revision = String(++this.#givenRevision)
    const metadata = { ...resource.metadata, resourceVersion: revision }
    const stored = { ...resource, metadata }
    const characters = freeze(stored)
    const change: Change = { type, key: { ...key }, resource: stored, revision, ...(previous && { previous }) }
    const text = keyText(key)
    const basedOn = this.#newest.get(text)
    const write: QueuedWrite = { change, characters, basedOn, state: 'queued', ...Promise.withResolvers<Resource>() }
    if (this.#persistence === undefined) {
      this.#show([write])
    } else {
      this.#newest.set(text, write)
      this.#queue.push(write)
      this.#writing ??= this.#drain(this.#persistence)
    }
    return write.promise
  }

  async #drain(persistence: Persistence): Promise<void> {
    // Writes of the same turn share the first commit.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, batchChangesMax)
      await this.#commit(persistence, batch)
    }
    this.#writing = undefined
  }

  /** Commits a batch; if that fails, each write alone, so that one bad write does not take others with it. */
  async #commit(persistence: Persistence, batch: QueuedWrite[]): Promise<void> {
    const sound = batch.filter((write) => {
      if (write.basedOn?.state !== 'failed') return true
      this.#fail(write, new Error('the write before it failed'))
      return false
    })
    if (sound.length === 0) return
    try {
      await persistence.persist(sound.map(({ change }) => change))
    } catch (error) {
      if (sound.length === 1) return this.#fail(sound[0]!, error)
      for (const write of sound) await this.#commit(persistence, [write])
      return
    }
    this.#show(sound)
  }

  #show(writes: QueuedWrite[]): void {
    for (const write of writes) {
      const { key, resource, revision, type } = write.change
      if (type === 'deleted') this.#objects.delete(key)
      else this.#objects.set(key, resource)
      this.#visibleRevision = Number(revision)
      this.#leaveQueue(write, 'stored')
      write.resolve(resource)
    }
    this.#history.push(writes)
  }

  #fail(write: QueuedWrite, cause: unknown): void {
    this.#leaveQueue(write, 'failed')
    const hint = cause instanceof KnodeError ? cause.hint : undefined
    const message = `cannot store ${keyLabel(write.change.key)}: ${messageOf(cause)}`
    write.reject(new KnodeError('STORE_FAILED', message, { retryable: true, cause, ...(hint && { hint }) }))
  }

  #leaveQueue(write: QueuedWrite, state: 'stored' | 'failed'): void {
    write.state = state
    write.basedOn = undefined
    const text = keyText(write.change.key)
    if (this.#newest.get(text) === write) this.#newest.delete(text)
  }
}

const objectAfter = (change: Change): Resource | undefined => (change.type === 'deleted' ? undefined : change.resource)

const closedError = (): KnodeError => new KnodeError('STORE_FAILED', 'the resource store is closed')

function conflict(key: ResourceKey, actual: StoreRevision | undefined, expected: StoreRevision | null): ConflictError {
  const wanted = expected === null ? 'must not exist yet' : `is expected at revision ${expected}`
  return new ConflictError(`${keyLabel(key)} ${wanted}, but ${actual === undefined ? 'is gone' : `is at ${actual}`}`)
}

/**
 * Stored objects are shared by all readers: changing one by accident fails at once instead of haunting the others.
 * Returns about how much text the value holds, in characters, parts left out that were frozen, that is counted, before.
 */
function freeze(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return charactersPerValue
  Object.freeze(value)
  let characters = charactersPerValue
  for (const [key, inner] of Object.entries(value)) characters += key.length + freeze(inner)
  return characters
}

/** What a number, a boolean or an empty object counts, in characters. */
const charactersPerValue = 8
