// Finds all of many patterns that a text starts with, in one walk over the text: a radix trie.

interface Node<Value> {
  /** The characters between the parent and this node. */
  label: string
  value: Value | undefined
  /** By the first UTF-16 unit of their labels. */
  children: Map<number, Node<Value>>
}

/** A map from patterns to values; changing it costs the pattern's length. */
export class PatternTrie<Value> {
  #root: Node<Value> = { label: '', value: undefined, children: new Map() }

  set(pattern: string, value: Value): void {
    let node = this.#root
    let at = 0
    while (at < pattern.length) {
      const unit = pattern.charCodeAt(at)
      const child = node.children.get(unit)
      if (child === undefined) {
        const leaf: Node<Value> = { label: pattern.slice(at), value, children: new Map() }
        node.children.set(unit, leaf)
        return
      }
      const shared = sharedLength(child.label, pattern, at)
      if (shared < child.label.length) splitNode(child, shared)
      node = child
      at += shared
    }
    node.value = value
  }

  delete(pattern: string): void {
    const way: Node<Value>[] = [this.#root]
    let at = 0
    while (at < pattern.length) {
      const child = way.at(-1)!.children.get(pattern.charCodeAt(at))
      if (child === undefined || !pattern.startsWith(child.label, at)) return
      way.push(child)
      at += child.label.length
    }
    way.at(-1)!.value = undefined
    for (let index = way.length - 1; index > 0; index--) {
      const node = way[index]!
      if (node.value !== undefined) return
      if (node.children.size === 0) way[index - 1]!.children.delete(node.label.charCodeAt(0))
      else if (node.children.size === 1) return joinOnlyChild(node)
      else return
    }
  }

  get isEmpty(): boolean {
    return this.#root.value === undefined && this.#root.children.size === 0
  }

  /** Calls `found` with the value of each pattern that `text` starts with, shortest first. */
  forEachPrefixOf(text: string, found: (value: Value) => void): void {
    let node = this.#root
    let at = 0
    for (;;) {
      if (node.value !== undefined) found(node.value)
      const child = node.children.get(text.charCodeAt(at))
      if (child === undefined || !text.startsWith(child.label, at)) return
      node = child
      at += child.label.length
    }
  }
}

function sharedLength(label: string, pattern: string, at: number): number {
  let length = 0
  while (length < label.length && label.charCodeAt(length) === pattern.charCodeAt(at + length)) length++
  return length
}

/** Cuts a node in two; the upper part keeps its place in the parent. */
function splitNode<Value>(node: Node<Value>, length: number): void {
  const lower: Node<Value> = { label: node.label.slice(length), value: node.value, children: node.children }
  node.label = node.label.slice(0, length)
  node.value = undefined
  node.children = new Map([[lower.label.charCodeAt(0), lower]])
}

function joinOnlyChild<Value>(node: Node<Value>): void {
  for (const child of node.children.values()) {
    node.label += child.label
    node.value = child.value
    node.children = child.children
  }
}
