// The shape all Kubernetes-style objects share. Source: Kubernetes API conventions.

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

export interface ObjectMeta {
  name: string
  generateName?: string
  /** Absent on cluster-scoped objects. */
  namespace?: string
  uid?: string
  /** Rising decimal; compare for equality. */
  resourceVersion?: string
  generation?: number
  /** RFC 3339 with second precision. */
  creationTimestamp?: string | null
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  ownerReferences?: OwnerReference[]
  managedFields?: ManagedFieldsEntry[]
}

export interface ManagedFieldsEntry {
  manager?: string
  operation?: string
  apiVersion?: string
  time?: string
  fieldsType?: string
  fieldsV1?: Record<string, unknown>
  subresource?: string
}

/** Any object of the API. Kinds narrow `spec` and `status`. Stored objects are shared: never change one in place. */
export interface Resource {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  spec?: object
  status?: object
}

/** An object as a list names it: `default/orders`, or `orders` when cluster-scoped. */
export function namespacedName(metadata: Pick<ObjectMeta, 'name' | 'namespace'>): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`
}

/** `eventing.knative.dev/v1` → group and version; `v1` is the core group, named `''`. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/')
  if (slash < 0) return { group: '', version: apiVersion }
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

export function apiVersionOf(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`
}

/** The owner reference a controller puts on what it creates. */
export function controllerRef(owner: Resource): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  }
}

/** The owner reference marked `controller: true`, if there is one. */
export function controllerOf(resource: Resource): OwnerReference | undefined {
  return resource.metadata.ownerReferences?.find((owner) => owner.controller === true)
}

/** RFC 3339 with second precision, as Kubernetes writes times. */
export function kubernetesTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
