// A set for what comes and goes with every request. JavaScript's own Set leaves its outgrown tables to the garbage
// collector with everything that was in them at the time: what they hold then survives young collections for nothing,
// at several times the cost of a request's whole memory.

/** Something that can be in one such set. */
export interface Member {
  /** Kept by the set: where the member is in it, −1 when it is not. Begins with −1. */
  place: number
}

export class UnorderedSet<Item extends Member> {
  #items: Item[] = []

  get size(): number {
    return this.#items.length
  }

  /** The item must be in no set. */
  add(item: Item): void {
    item.place = this.#items.push(item) - 1
  }

  /** Fine when it is not in the set. */
  delete(item: Item): void {
    const { place } = item
    if (place < 0) return
    item.place = -1
    const last = this.#items.pop()!
    if (last === item) return
    this.#items[place] = last
    last.place = place
  }

  /** A copy, in any order. */
  toArray(): Item[] {
    return [...this.#items]
  }
}
