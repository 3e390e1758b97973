// Objects that a reconciler makes for its own: created once, replaced when they cannot change, removed when surplus.
import { isDeepStrictEqual } from 'node:util'
import { messageOf } from '../base/errors.ts'
import { conditionOf } from '../model/duck/conditions.ts'
import type { Condition } from '../model/duck/types.ts'
import { parseApiVersion } from '../model/kubernetes/resource.ts'
import type { Resource } from '../model/kubernetes/resource.ts'
import type { KindId } from './kind.ts'
import type { ReconcileContext } from './reconciler.ts'

/** A reference as status fields show it. */
export interface ObjectReference {
  apiVersion: string
  kind: string
  name: string
  namespace?: string
}

/** The id of a kind named in an object: `messaging.knative.dev/v1` and `Channel` → `Channel.messaging.knative.dev`. */
export function kindIdOf({ apiVersion, kind }: { apiVersion: string; kind: string }): KindId {
  const { group } = parseApiVersion(apiVersion)
  return group === '' ? kind : `${kind}.${group}`
}

/** Spread into a child's metadata: its owner's namespace. */
export const sameNamespace = ({ metadata }: Resource): { namespace?: string } =>
  metadata.namespace === undefined ? {} : { namespace: metadata.namespace }

export const referenceTo = (object: Resource): ObjectReference => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  name: object.metadata.name,
  ...sameNamespace(object),
})

/** The child as it is, or newly made: for children that must not be changed afterwards. */
export async function createOnce<Child extends Resource>(context: ReconcileContext, child: Child): Promise<Child> {
  const { name, namespace = '' } = child.metadata
  return context.get<Child>(kindIdOf(child), namespace, name) ?? (await context.apply(child))
}

/** Applies the child, and records an Event when that makes it, or fails to. `failed` goes on with the error. */
export async function applyTold<Child extends Resource>(
  context: ReconcileContext,
  child: Child,
  { created, failed }: { created: string; failed: string },
): Promise<Child> {
  const { name, namespace = '' } = child.metadata
  const isNew = context.get(kindIdOf(child), namespace, name) === undefined
  try {
    const applied = await context.apply(child)
    if (isNew) context.event('Normal', 'Created', created)
    return applied
  } catch (thrown) {
    if (isNew) context.event('Warning', 'CreationFailed', `${failed}: ${messageOf(thrown)}`)
    throw thrown
  }
}

/** Applies the child; where `field` of its spec differs, which cannot be changed, it is deleted and made anew. */
export async function applyOrReplace<Child extends Resource>(
  context: ReconcileContext,
  child: Child,
  field: keyof NonNullable<Child['spec']>,
): Promise<Child> {
  const { name, namespace = '' } = child.metadata
  const existing = context.get<Child>(kindIdOf(child), namespace, name)
  const before = (existing?.spec as NonNullable<Child['spec']> | undefined)?.[field]
  const wanted = (child.spec as NonNullable<Child['spec']>)[field]
  if (existing !== undefined && !isDeepStrictEqual(before, wanted)) {
    await context.remove(kindIdOf(child), namespace, name)
  }
  return await context.apply(child)
}

/** Removes children of `owner` whose name is `pattern` with an index (its first group) of `count` or more. */
export async function removeSurplus(
  context: ReconcileContext,
  owner: Resource,
  { kinds, pattern, count }: { kinds: KindId[]; pattern: RegExp; count: number },
): Promise<void> {
  const { namespace = '' } = owner.metadata
  for (const kind of kinds) {
    for (const child of context.children(kind)) {
      const index = pattern.exec(child.metadata.name)?.[1]
      if (index === undefined || Number(index) < count) continue
      await context.remove(kind, namespace, child.metadata.name)
    }
  }
}

/** Removes the children of a kind that are not among those wanted. */
export async function removeOthers(
  context: ReconcileContext,
  kind: KindId,
  wanted: ReadonlySet<string>,
): Promise<void> {
  for (const { metadata } of context.children(kind)) {
    if (!wanted.has(metadata.name)) await context.remove(kind, metadata.namespace ?? '', metadata.name)
  }
}

/** The child's Ready condition; one that says nothing yet is Unknown. */
export function readinessOf(child: Resource): Condition {
  const unsaid = `${child.kind} does not have Ready condition`
  return conditionOf(child, 'Ready') ?? { type: 'Ready', status: 'Unknown', reason: 'NoReady', message: unsaid }
}
