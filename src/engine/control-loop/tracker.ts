// Who read what: a change of an object reconciles exactly those objects that looked at it.
import { controllerOf } from '../../model/kubernetes/resource.ts'
import type { KindId } from '../kind.ts'
import type { CacheChange } from './caches.ts'
import type { ReadLog } from './reconcile-context.ts'

/** An object that reads others. */
export interface Reader {
  kind: KindId
  /** `namespace/name` */
  key: string
}

interface Tracked {
  reader: Reader
  reads: Set<string>
}

export class Tracker {
  #readersOf = new Map<string, Set<Tracked>>()
  #tracked = new Map<string, Tracked>()

  /**
   * Notes the reads of a reconcile that begins now; they count at once. `done` forgets those of earlier reconciles that
   * were not repeated: call it only when the reconcile went through to its end.
   */
  record(reader: Reader): { reads: ReadLog; done: () => void } {
    const id = idOf(reader)
    const tracked = this.#tracked.get(id) ?? { reader, reads: new Set() }
    this.#tracked.set(id, tracked)
    const seen = new Set<string>()
    const note = (read: string): void => {
      seen.add(read)
      if (tracked.reads.has(read)) return
      tracked.reads.add(read)
      const readers = this.#readersOf.get(read) ?? new Set()
      this.#readersOf.set(read, readers.add(tracked))
    }
    return {
      reads: {
        object: (kind, namespace, name) => note(objectRead(kind, namespace, name)),
        list: (kind, namespace) => note(listRead(kind, namespace)),
        children: (kind, uid) => note(childrenRead(kind, uid)),
      },
      done: () => this.#drop(tracked, (read) => !seen.has(read)),
    }
  }

  forget(reader: Reader): void {
    const tracked = this.#tracked.get(idOf(reader))
    if (tracked === undefined) return
    this.#tracked.delete(idOf(reader))
    this.#drop(tracked, () => true)
  }

  /** Each reader once, but never the changed object itself. */
  readersOf({ kind, resource, previous }: CacheChange): Reader[] {
    const { namespace = '', name } = resource.metadata
    const found = new Set<Tracked>()
    const changed = [objectRead(kind, namespace, name), listRead(kind, namespace), listRead(kind, undefined)]
    for (const child of [resource, previous]) {
      const controller = child && controllerOf(child)
      if (controller !== undefined) changed.push(childrenRead(kind, controller.uid))
    }
    for (const read of changed) {
      for (const tracked of this.#readersOf.get(read) ?? []) found.add(tracked)
    }
    return [...found]
      .map(({ reader }) => reader)
      .filter((reader) => reader.kind !== kind || reader.key !== `${namespace}/${name}`)
  }

  /** How many objects and lists are watched. */
  get size(): number {
    return this.#readersOf.size
  }

  #drop(tracked: Tracked, isObsolete: (read: string) => boolean): void {
    for (const read of tracked.reads) {
      if (!isObsolete(read)) continue
      tracked.reads.delete(read)
      const readers = this.#readersOf.get(read)
      readers?.delete(tracked)
      if (readers?.size === 0) this.#readersOf.delete(read)
    }
  }
}

const idOf = ({ kind, key }: Reader): string => `${kind} ${key}`
// Names of objects have neither blanks nor stars.
const objectRead = (kind: KindId, namespace: string, name: string): string => `${kind} ${namespace}/${name}`
const childrenRead = (kind: KindId, uid: string): string => `${kind} *${uid}`
const listRead = (kind: KindId, namespace: string | undefined): string => `${kind} ${namespace ?? '*'}/*`
