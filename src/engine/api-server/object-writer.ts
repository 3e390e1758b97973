// The way of a draft into the store: system metadata, admission, generation, finalizers; equal writes change nothing.
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../base/clock.ts'
import { ConflictError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { kubernetesTime } from '../../model/kubernetes/resource.ts'
import type { ManagedFieldsEntry, ObjectMeta, Resource } from '../../model/kubernetes/resource.ts'
import type { Schema } from '../../model/kubernetes/schema.ts'
import type { ResourceKey, ResourceStore } from '../../ports/resource-store/port.ts'
import { hasGeneration, hasStatus, isNamespaced, kindId, resourceName, storageVersion } from '../kind.ts'
import type { AdmissionContext, ConfigReader, KindDefinition } from '../kind.ts'
import { admit, tryOut } from './admit.ts'
import type { Admitted } from './admit.ts'
import { alreadyExists, badRequest, conflict, invalid } from './api-errors.ts'
import { convertTo, toStorage } from './convert.ts'
import type { KindRegistry } from './kind-registry.ts'
import { schemasOf } from './metadata-schema.ts'
import {
  changedNamespace,
  checkNamespace,
  finalizedNamespace,
  isNamespaceKind,
  newNamespace,
} from './namespace-rules.ts'
import { isKept } from './object-deletion.ts'
import type { KindTarget, Subresource, WriteOptions, WriteResult } from './operations.ts'
import { schemaErrors } from './schema-check.ts'

/** How often a generated name is made up anew when it is taken. */
const generateNameTriesMax = 8

/** Characters of a generated name that come from `generateName`; the rest is made up. */
const generateBaseCharactersMax = 58
const generatedCharacters = 5
const generatedAlphabet = 'bcdfghjklmnpqrstvwxz2456789'

export interface WriterDeps {
  store: ResourceStore
  registry: KindRegistry
  config: ConfigReader
  clock: Clock
  random: Random
  log: Logger
}

/** What a request wants to be stored, in the request's version, with the managers of its fields. */
export interface Draft {
  object: Resource
  managedFields: ManagedFieldsEntry[] | undefined
  warnings: string[]
}

export class ObjectWriter {
  #deps: WriterDeps

  constructor(deps: WriterDeps) {
    this.#deps = deps
  }

  /** @throws {StatusError} 404 or 403 for the namespace, 409 when the name is taken, 422 and 400 as `admit`. */
  async create(target: KindTarget, draft: Draft, options: WriteOptions): Promise<WriteResult> {
    const { kind } = target
    const { store, registry, clock, random } = this.#deps
    const { resourceVersion = '', ...metadata } = draft.object.metadata
    if (resourceVersion !== '' && resourceVersion !== '0') {
      throw badRequest('resourceVersion should not be set on objects to be created')
    }
    const generateName = metadata.name === '' ? (metadata.generateName ?? '') : ''
    for (let attempt = 1; ; attempt++) {
      const name = generateName === '' ? metadata.name : this.#generatedName(generateName)
      const fresh: ObjectMeta = {
        ...metadata,
        name,
        uid: random.uuid(),
        creationTimestamp: kubernetesTime(clock.now()),
      }
      for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'generation', 'selfLink'] as const) {
        delete (fresh as unknown as Record<string, unknown>)[field]
      }
      if (hasGeneration(kind)) fresh.generation = 1
      let object: Resource = { ...draft.object, metadata: withManagedFields(fresh, draft.managedFields) }
      if (hasStatus(kind)) delete object.status
      if (isNamespaceKind(kind)) object = newNamespace(object)
      else if (registry.get('Namespace') !== undefined) await checkNamespace(store, kind, object)
      const admitted = this.#admit(kind, toStorage(kind, object), { operation: 'create' }, options)
      try {
        const stored = await this.#put(kind, admitted.object, null, options)
        if (!isNamespaceKind(kind) && options.dryRun !== true) await this.#keepInNamespace(kind, stored)
        const warnings = [...draft.warnings, ...admitted.warnings]
        return { object: convertTo(kind, stored, target.version), created: true, warnings }
      } catch (thrown) {
        if (!(thrown instanceof ConflictError)) throw thrown
        if (generateName === '' || attempt === generateNameTriesMax) throw alreadyExists(kind, name)
      }
    }
  }

  /**
   * Replaces `stored` by `draft`, or only its status or finalizers.
   * @throws {ConflictError} when `stored` was changed meanwhile; {StatusError} when the draft is based on another state.
   */
  async replace(
    target: KindTarget,
    stored: Resource,
    draft: Draft,
    options: WriteOptions & { subresource?: Subresource },
  ): Promise<WriteResult> {
    const { kind } = target
    checkBasis(kind, stored, draft.object)
    const { object, warnings } = this.#next(kind, stored, toStorage(kind, draft.object), draft.managedFields, options)
    const result = { created: false, warnings: [...draft.warnings, ...warnings] }
    const expected = stored.metadata.resourceVersion ?? ''
    const next = withGeneration(kind, stored, object)
    if (next.metadata.deletionTimestamp !== undefined && !isKept(kind, next)) {
      const last = await this.remove(kind, stored, options)
      const metadata = { ...next.metadata, resourceVersion: last.metadata.resourceVersion ?? expected }
      return { ...result, object: convertTo(kind, { ...next, metadata }, target.version) }
    }
    const unchanged = isDeepStrictEqual(next, withoutRevision(stored))
    const written = unchanged ? stored : await this.#put(kind, next, expected, options)
    return { ...result, object: convertTo(kind, written, target.version) }
  }

  /** Stores `next` as it is in place of `stored`. @throws {ConflictError} */
  async overwrite(kind: KindDefinition, stored: Resource, next: Resource, dryRun = false): Promise<Resource> {
    const { resourceVersion = '' } = stored.metadata
    return await this.#put(kind, withoutRevision(next), resourceVersion, { dryRun })
  }

  /** Removes the object for good. @throws {ConflictError} */
  async remove(kind: KindDefinition, stored: Resource, { dryRun = false }: { dryRun?: boolean }): Promise<Resource> {
    if (dryRun) return stored
    const { store, log } = this.#deps
    const { resourceVersion = '', namespace = '', name } = stored.metadata
    const last = await store.delete(keyOf(kind, namespace, name), { expected: resourceVersion })
    log.debug('object removed', { kind: kindId(kind), namespace, name })
    return last ?? stored
  }

  /** A namespace that was found empty just before the object came takes it with it, unless the object goes by itself. */
  async #keepInNamespace(kind: KindDefinition, stored: Resource): Promise<void> {
    const { store, registry } = this.#deps
    if (registry.get('Namespace') === undefined) return
    try {
      await checkNamespace(store, kind, stored)
    } catch (refusal) {
      const { namespace = '', name } = stored.metadata
      await store.delete(keyOf(kind, namespace, name))
      throw refusal
    }
  }

  #next(
    kind: KindDefinition,
    stored: Resource,
    draft: Resource,
    managedFields: ManagedFieldsEntry[] | undefined,
    options: WriteOptions & { subresource?: Subresource },
  ): Admitted {
    const { subresource } = options
    if (subresource === 'finalize') return { object: finalizedNamespace(withoutRevision(stored), draft), warnings: [] }
    const current = { ...toStorage(kind, stored) }
    if (subresource === 'status') {
      const { status, ...rest } = { ...current, status: draft.status }
      const object = { ...rest, metadata: withManagedFields(stored.metadata, managedFields) }
      const causes = schemaErrors(status === undefined ? {} : { status }, statusSchema(kind))
      if (causes.length > 0) throw invalid(kind, stored.metadata.name, causes)
      return { object: withoutRevision(status === undefined ? object : { ...object, status }), warnings: [] }
    }
    const metadata = withManagedFields(carriedMetadata(stored.metadata, draft.metadata), managedFields)
    let object: Resource = { ...draft, metadata }
    if (hasStatus(kind)) {
      delete object.status
      if (current.status !== undefined) object.status = current.status
    }
    if (isNamespaceKind(kind)) object = changedNamespace(stored, object)
    const old = withoutRevision(current)
    return this.#admit(kind, object, { operation: 'update', old }, options)
  }

  #admit(
    kind: KindDefinition,
    object: Resource,
    change: Pick<AdmissionContext, 'operation' | 'old'>,
    { user, dryRun = false }: WriteOptions,
  ): Admitted {
    const { config, registry } = this.#deps
    const context = { ...change, user, config }
    const admitted = admit(kind, object, context)
    if (dryRun) tryOut(kind, admitted.object, registry, context)
    return admitted
  }

  async #put(
    kind: KindDefinition,
    object: Resource,
    expected: string | null,
    { dryRun = false }: { dryRun?: boolean },
  ): Promise<Resource> {
    const { store, log } = this.#deps
    const { namespace = '', name } = object.metadata
    const key = keyOf(kind, namespace, name)
    if (dryRun) {
      if (expected === null) {
        if ((await store.get(key)) !== undefined) throw new ConflictError(`${key.resource} ${name} exists`)
        return object
      }
      return { ...object, metadata: { ...object.metadata, resourceVersion: expected } }
    }
    const stored = await store.put(key, object, { expected })
    log.debug('object stored', { kind: kindId(kind), namespace, name, created: expected === null })
    return stored
  }

  #generatedName(base: string): string {
    const { random } = this.#deps
    const made = Array.from(
      { length: generatedCharacters },
      () => generatedAlphabet[Math.floor(random.next() * generatedAlphabet.length)],
    )
    return base.slice(0, generateBaseCharactersMax) + made.join('')
  }
}

export const keyOf = (kind: KindDefinition, namespace: string, name: string): ResourceKey => ({
  resource: resourceName(kind),
  namespace: isNamespaced(kind) ? namespace : '',
  name,
})

/** @throws {StatusError} 409 when the draft names another uid or revision than the stored object has. */
function checkBasis(kind: KindDefinition, stored: Resource, { metadata }: Resource): void {
  const { uid = '', resourceVersion = '' } = metadata
  const actual = stored.metadata
  if (uid !== '' && uid !== actual.uid) {
    const message = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${actual.uid}`
    throw conflict(kind, actual.name, message)
  }
  const pinned = resourceVersion !== '' && resourceVersion !== '0'
  if (pinned && resourceVersion !== actual.resourceVersion) throw conflict(kind, actual.name)
}

/** What a client left out of the metadata that belongs to the server. */
function carriedMetadata(stored: ObjectMeta, draft: ObjectMeta): ObjectMeta {
  const carried: ObjectMeta & { selfLink?: string } = { ...draft }
  delete carried.resourceVersion
  delete carried.generation
  delete carried.selfLink
  const { uid, generation, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds } = stored
  if (uid !== undefined) carried.uid ??= uid
  if (creationTimestamp !== undefined) carried.creationTimestamp ??= creationTimestamp
  if (generation !== undefined) carried.generation = generation
  if (deletionTimestamp !== undefined) carried.deletionTimestamp = deletionTimestamp
  if (deletionGracePeriodSeconds !== undefined) carried.deletionGracePeriodSeconds = deletionGracePeriodSeconds
  return carried
}

function withManagedFields(metadata: ObjectMeta, entries: ManagedFieldsEntry[] | undefined): ObjectMeta {
  const { managedFields: _, ...rest } = metadata
  return entries === undefined || entries.length === 0 ? rest : { ...rest, managedFields: entries }
}

function withoutRevision(object: Resource): Resource {
  const { resourceVersion: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

/** One more when anything outside metadata and status differs; Kubernetes' own kinds count nothing. */
function withGeneration(kind: KindDefinition, stored: Resource, next: Resource): Resource {
  const { generation } = stored.metadata
  if (generation === undefined || isDeepStrictEqual(content(kind, toStorage(kind, stored)), content(kind, next))) {
    return next
  }
  return { ...next, metadata: { ...next.metadata, generation: generation + 1 } }
}

function content(kind: KindDefinition, object: Resource): object {
  const { metadata: _, status, ...rest } = object
  return hasStatus(kind) || status === undefined ? rest : { ...rest, status }
}

const statusSchema = (kind: KindDefinition): Schema => schemasOf(kind, storageVersion(kind)).body
