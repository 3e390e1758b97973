// Creates or updates a child so that it has the fields its owner gives, and no longer those the owner gave before.
import { createHash } from 'node:crypto'
import { ConflictError } from '../../base/errors.ts'
import { namespacedName } from '../../model/kubernetes/resource.ts'
import type { ObjectMeta, OwnerReference, Resource } from '../../model/kubernetes/resource.ts'
import { covers } from '../../model/kubernetes/semantic.ts'
import { kindIdOf } from '../children.ts'
import type { ResourceClient } from '../reconciler.ts'
import { isNotFound } from './api-failure.ts'

/**
 * Remembers on the child what its owner gave, so that a field the owner drops is dropped there too: the idea of
 * kubectl's last-applied-configuration with names and a hash in place of the whole text.
 */
export const appliedAnnotation = 'knode.dev/applied'

interface Applied {
  hash: string
  /** Names given in each part of the object: `spec`, `data`, `labels`, `annotations`, … */
  given: Record<string, string[]>
}

type Part = Record<string, unknown>

/**
 * The unit of ownership is a field right below `spec`, `data`, …: a given one replaces the stored one, others are left
 * to whoever wrote them. Status is never applied. Writes nothing when nothing differs.
 * @throws {ConflictError} or {StatusError} 409 when somebody else was faster.
 */
export async function applyChild<Object extends Resource>(child: Object, client: ResourceClient): Promise<Object> {
  const { namespace = '', name } = child.metadata
  const wanted = withoutStatus(child)
  const applied = appliedBy(wanted)
  const stored = await client.get<Object>(kindIdOf(child), namespace, name)
  if (stored === undefined) return await client.create(marked(wanted, applied))
  // It comes back as a deletion, and then it is created anew.
  if (stored.metadata.deletionTimestamp !== undefined) return stored
  const before = appliedOn(stored)
  if (before?.hash === applied.hash && hasAll(stored, wanted)) return stored
  try {
    return await client.update(marked(merged(stored, wanted, before?.given ?? {}), applied))
  } catch (thrown) {
    if (!isNotFound(thrown)) throw thrown
    throw new ConflictError(`${child.kind} ${namespacedName(child.metadata)} was deleted meanwhile`, { cause: thrown })
  }
}

function withoutStatus<Object extends Resource>(child: Object): Object {
  const { [appliedAnnotation]: _, ...annotations } = child.metadata.annotations ?? {}
  const { status: __, ...rest } = child
  return { ...rest, metadata: { ...child.metadata, annotations } } as unknown as Object
}

const ownParts = (resource: Resource): [string, unknown][] =>
  Object.entries(resource).filter(([part]) => !['apiVersion', 'kind', 'metadata', 'status'].includes(part))

function appliedBy(wanted: Resource): Applied {
  const { labels = {}, annotations = {}, ownerReferences = [] } = wanted.metadata
  const parts = ownParts(wanted)
  const text = JSON.stringify([
    sortedKeys(Object.fromEntries(parts)),
    sortedKeys({ labels, annotations }),
    ownerReferences,
  ])
  const given = Object.fromEntries(
    [...parts, ['labels', labels] as const, ['annotations', annotations] as const]
      .map(([part, value]) => [part, isPart(value) ? Object.keys(value).sort() : []] as const)
      .filter(([part, names]) => names.length > 0 || !['labels', 'annotations'].includes(part)),
  )
  return { hash: createHash('sha256').update(text).digest('hex').slice(0, 16), given }
}

function appliedOn(stored: Resource): Applied | undefined {
  const text = stored.metadata.annotations?.[appliedAnnotation]
  if (text === undefined) return undefined
  try {
    const { hash, given } = JSON.parse(text) as Partial<Applied>
    return typeof hash === 'string' && isPart(given) ? { hash, given } : undefined
  } catch {
    // Somebody edited it: as good as absent.
    return undefined
  }
}

const marked = <Object extends Resource>(object: Object, applied: Applied): Object => ({
  ...object,
  metadata: {
    ...object.metadata,
    annotations: { ...object.metadata.annotations, [appliedAnnotation]: JSON.stringify(applied) },
  },
})

function hasAll(stored: Resource, wanted: Resource): boolean {
  const { labels, annotations, ownerReferences = [] } = wanted.metadata
  return (
    ownParts(wanted).every(([part, value]) => covers((stored as unknown as Part)[part], value)) &&
    covers(stored.metadata.labels, labels) &&
    covers(stored.metadata.annotations, annotations) &&
    ownerReferences.every((owner) => stored.metadata.ownerReferences?.some((other) => covers(other, owner)))
  )
}

function merged<Object extends Resource>(stored: Object, wanted: Object, before: Applied['given']): Object {
  const parts = ownParts(wanted).map(([part, value]) => {
    const old = (stored as unknown as Part)[part]
    return [part, isPart(value) && isPart(old) ? mergedPart(old, value, before[part]) : value]
  })
  const metadata: ObjectMeta = {
    ...stored.metadata,
    labels: mergedPart(stored.metadata.labels, wanted.metadata.labels, before['labels']),
    annotations: mergedPart(stored.metadata.annotations, wanted.metadata.annotations, before['annotations']),
    ownerReferences: mergedOwners(stored.metadata.ownerReferences, wanted.metadata.ownerReferences),
  }
  return { ...stored, ...Object.fromEntries(parts), metadata }
}

function mergedPart<Value>(
  old: Record<string, Value> = {},
  wanted: Record<string, Value> = {},
  before: string[] = [],
): Record<string, Value> {
  const kept = Object.entries(old).filter(([name]) => !before.includes(name) && !Object.hasOwn(wanted, name))
  // A field given as undefined is one that must not be there.
  const given = Object.entries(wanted).filter(([, value]) => value !== undefined)
  return Object.fromEntries([...kept, ...given])
}

function mergedOwners(old: OwnerReference[] = [], wanted: OwnerReference[] = []): OwnerReference[] {
  return [...old.filter(({ uid }) => !wanted.some((owner) => owner.uid === uid)), ...wanted]
}

const isPart = (value: unknown): value is Part => typeof value === 'object' && value !== null && !Array.isArray(value)

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys)
  if (!isPart(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortedKeys(value[key])]),
  )
}
