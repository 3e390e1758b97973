// All stored objects in memory, listed in the store's order.
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { ResourceKey, ResourceScope } from './port.ts'
import { isInScope, keyText } from './resource-key.ts'

interface Entry {
  key: ResourceKey
  resource: Resource
}

interface Shelf {
  entries: Map<string, Entry>
  /** The entries' texts in order; absent after an object came or went, until somebody lists. */
  order: string[] | undefined
}

/** Objects by key. Lists sort once per change of the set, not per call. */
export class ObjectTable {
  #shelves = new Map<string, Shelf>()

  get(key: ResourceKey): Resource | undefined {
    return this.#shelves.get(key.resource)?.entries.get(keyText(key))?.resource
  }

  set(key: ResourceKey, resource: Resource): void {
    let shelf = this.#shelves.get(key.resource)
    if (shelf === undefined) this.#shelves.set(key.resource, (shelf = { entries: new Map(), order: undefined }))
    const text = keyText(key)
    const entry = shelf.entries.get(text)
    if (entry !== undefined) {
      entry.resource = resource
      return
    }
    shelf.entries.set(text, { key, resource })
    shelf.order = undefined
  }

  delete(key: ResourceKey): void {
    const shelf = this.#shelves.get(key.resource)
    if (shelf?.entries.delete(keyText(key)) !== true) return
    shelf.order = undefined
    if (shelf.entries.size === 0) this.#shelves.delete(key.resource)
  }

  list(scope: ResourceScope): Resource[] {
    const items: Resource[] = []
    for (const name of scope.resource === undefined ? [...this.#shelves.keys()].sort() : [scope.resource]) {
      for (const { key, resource } of this.#inOrder(name)) if (isInScope(key, scope)) items.push(resource)
    }
    return items
  }

  /** Every object with its key, in no particular order. */
  *entries(): Iterable<[ResourceKey, Resource]> {
    for (const { entries } of this.#shelves.values()) {
      for (const { key, resource } of entries.values()) yield [key, resource]
    }
  }

  get size(): number {
    let size = 0
    for (const { entries } of this.#shelves.values()) size += entries.size
    return size
  }

  *#inOrder(name: string): Iterable<Entry> {
    const shelf = this.#shelves.get(name)
    if (shelf === undefined) return
    shelf.order ??= [...shelf.entries.keys()].sort()
    for (const text of shelf.order) yield shelf.entries.get(text)!
  }
}
