// Who owns whom, by uid.
import type { OwnerReference } from '../../model/kubernetes/resource.ts'
import type { KindId } from '../kind.ts'

export interface GraphNode {
  uid: string
  kind: KindId
  namespace: string
  name: string
}

export class OwnerGraph {
  #nodes = new Map<string, GraphNode>()
  #owners = new Map<string, string[]>()
  #dependents = new Map<string, Set<string>>()

  /** The living object of that uid. */
  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid)
  }

  /** Living objects that name the uid as an owner, whether it lives or not. */
  dependentsOf(uid: string | undefined): GraphNode[] {
    return [...(this.#dependents.get(uid ?? '') ?? [])].map((dependent) => this.#nodes.get(dependent)!)
  }

  set(node: GraphNode, ownerReferences: readonly OwnerReference[] = []): void {
    this.#unlink(node.uid)
    this.#nodes.set(node.uid, node)
    if (ownerReferences.length === 0) return
    this.#owners.set(
      node.uid,
      ownerReferences.map(({ uid }) => uid),
    )
    for (const { uid } of ownerReferences) {
      this.#dependents.set(uid, (this.#dependents.get(uid) ?? new Set()).add(node.uid))
    }
  }

  delete(uid: string): void {
    this.#unlink(uid)
    this.#nodes.delete(uid)
  }

  #unlink(uid: string): void {
    for (const owner of this.#owners.get(uid) ?? []) {
      const dependents = this.#dependents.get(owner)
      dependents?.delete(uid)
      if (dependents?.size === 0) this.#dependents.delete(owner)
    }
    this.#owners.delete(uid)
  }
}
