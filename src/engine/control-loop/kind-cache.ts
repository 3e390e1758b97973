// The known objects of one kind, by namespace and name, and by who controls them.
import { controllerOf } from '../../model/kubernetes/resource.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'

interface NamespaceObjects {
  byName: Map<string, Resource>
  /** Sorted by name; made when first asked for. */
  sorted: Resource[] | undefined
}

export class KindCache {
  #namespaces = new Map<string, NamespaceObjects>()
  #all: Resource[] | undefined
  /** By the uid of their controller. */
  #children = new Map<string, Set<Resource>>()

  get(namespace: string, name: string): Resource | undefined {
    return this.#namespaces.get(namespace)?.byName.get(name)
  }

  /** Sorted by name, or over all namespaces by namespace and name. The caller may keep the list. */
  list(namespace?: string): Resource[] {
    if (namespace !== undefined) return [...this.#sorted(this.#namespaces.get(namespace))]
    this.#all ??= [...this.#namespaces]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, objects]) => this.#sorted(objects))
    return [...this.#all]
  }

  /** Objects whose controller has that uid, by namespace and name. */
  controlledBy(uid: string): Resource[] {
    const path = ({ metadata }: Resource): string => `${metadata.namespace ?? ''}/${metadata.name}`
    return [...(this.#children.get(uid) ?? [])].sort((a, b) => (path(a) < path(b) ? -1 : 1))
  }

  set(resource: Resource): void {
    const { namespace = '', name } = resource.metadata
    this.#unlink(this.get(namespace, name))
    const controller = controllerOf(resource)?.uid
    if (controller !== undefined) {
      this.#children.set(controller, (this.#children.get(controller) ?? new Set()).add(resource))
    }
    const objects = this.#namespaces.get(namespace) ?? { byName: new Map<string, Resource>(), sorted: undefined }
    this.#namespaces.set(namespace, objects)
    objects.byName.set(name, resource)
    objects.sorted = this.#all = undefined
  }

  delete({ metadata: { namespace = '', name } }: Resource): void {
    const objects = this.#namespaces.get(namespace)
    if (objects === undefined) return
    this.#unlink(objects.byName.get(name))
    objects.byName.delete(name)
    objects.sorted = this.#all = undefined
    if (objects.byName.size === 0) this.#namespaces.delete(namespace)
  }

  #unlink(known: Resource | undefined): void {
    const controller = known && controllerOf(known)?.uid
    if (controller === undefined) return
    const children = this.#children.get(controller)
    children?.delete(known!)
    if (children?.size === 0) this.#children.delete(controller)
  }

  #sorted(objects: NamespaceObjects | undefined): readonly Resource[] {
    if (objects === undefined) return []
    objects.sorted ??= [...objects.byName.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    return objects.sorted
  }
}
