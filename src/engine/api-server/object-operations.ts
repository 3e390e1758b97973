// What the API can do to objects: each verb from request to answer. Source: Kubernetes API conventions and concepts.
import { isDeepStrictEqual } from 'node:util'
import { ConflictError } from '../../base/errors.ts'
import { kubernetesTime } from '../../model/kubernetes/resource.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import type { Change, ResourceScope, ResourceStore, StoreRevision } from '../../ports/resource-store/port.ts'
import { hasStatus, resourceName } from '../kind.ts'
import type { KindDefinition } from '../kind.ts'
import { conflict, invalid, noSuchSubresource, notFound } from './api-errors.ts'
import { trackUpdate } from './apply/track-update.ts'
import type { Writer } from './apply/track-update.ts'
import { convertTo } from './convert.ts'
import { decode } from './decode.ts'
import { isNamespaceKind, refuseImmortal } from './namespace-rules.ts'
import { decideDeletion } from './object-deletion.ts'
import { ObjectWriter, keyOf } from './object-writer.ts'
import type { WriterDeps } from './object-writer.ts'
import type {
  DeleteOptions,
  DeleteResult,
  KindTarget,
  Operations,
  PatchType,
  Subresource,
  WriteOptions,
  WriteResult,
} from './operations.ts'
import { appliedDraft, patchedDraft } from './patched-draft.ts'
import { patchedScale, rescaled, scaleOf } from './scale.ts'
import type { Scale } from './scale.ts'

/** How often a write is repeated when others write the object at the same time and it does not mind. */
const writeAttemptsMax = 20

/** The operations of one server, over a store that the caller closes. */
export const createOperations = (deps: WriterDeps): Operations => new ObjectOperations(deps)

type UpdateOptions = WriteOptions & { subresource?: Subresource }

class ObjectOperations implements Operations {
  #deps: WriterDeps
  #store: ResourceStore
  #writer: ObjectWriter

  constructor(deps: WriterDeps) {
    this.#deps = deps
    this.#store = deps.store
    this.#writer = new ObjectWriter(deps)
  }

  revision(): Promise<StoreRevision> {
    return this.#store.revision()
  }

  async get({ kind, version }: KindTarget, namespace: string, name: string): Promise<Resource> {
    const stored = await this.#find(kind, namespace, name)
    if (stored === undefined) throw notFound(kind, name)
    return convertTo(kind, stored, version)
  }

  async list(
    { kind, version }: KindTarget,
    namespace?: string,
  ): Promise<{ items: Resource[]; revision: StoreRevision }> {
    const { items, revision } = await this.#store.list(scopeOf(kind, namespace))
    return { items: items.map((item) => convertTo(kind, item, version)), revision }
  }

  async create(target: KindTarget, namespace: string, body: unknown, options: WriteOptions): Promise<WriteResult> {
    const { object, warnings } = decode(target, body, { namespace }, options.fieldValidation)
    const managedFields = trackUpdate(this.#fieldWriter(target, options), undefined, object)
    return this.#writer.create(target, { object, warnings, managedFields }, options)
  }

  async update(
    target: KindTarget,
    namespace: string,
    name: string,
    body: unknown,
    options: UpdateOptions,
  ): Promise<WriteResult> {
    checkSubresource(target.kind, options.subresource)
    if (options.subresource === 'scale') return this.#rescale(target, namespace, name, () => body, options)
    const decoded = decode(target, body, { namespace, name }, options.fieldValidation)
    if (target.kind.builtIn !== true && options.subresource === undefined) requireRevision(target.kind, decoded.object)
    return this.#attempt(target.kind, name, async () => {
      const stored = await this.#find(target.kind, namespace, name)
      if (stored === undefined) throw notFound(target.kind, name)
      const live = convertTo(target.kind, stored, target.version)
      const managedFields = trackUpdate(this.#fieldWriter(target, options), live, decoded.object)
      return this.#writer.replace(target, stored, { ...decoded, managedFields }, options)
    })
  }

  async patch(
    target: KindTarget,
    namespace: string,
    name: string,
    patch: { type: PatchType; body: unknown },
    options: UpdateOptions,
  ): Promise<WriteResult> {
    const { kind } = target
    checkSubresource(kind, options.subresource)
    if (options.subresource === 'scale') {
      return this.#rescale(target, namespace, name, (scale) => patchedScale(scale, patch), options)
    }
    return this.#attempt(kind, name, async () => {
      const place = { namespace, name }
      const writer = this.#fieldWriter(target, options)
      const stored = await this.#find(kind, namespace, name)
      if (stored !== undefined) {
        const draft = patchedDraft(target, convertTo(kind, stored, target.version), place, patch, writer, options)
        return this.#writer.replace(target, stored, draft, options)
      }
      if (patch.type !== 'apply' || options.subresource !== undefined) throw notFound(kind, name)
      const draft = appliedDraft(target, undefined, place, patch.body, writer, options)
      return this.#writer.create(target, draft, options).catch(conflictWhenTaken)
    })
  }

  async delete(
    { kind, version }: KindTarget,
    namespace: string,
    name: string,
    options: DeleteOptions,
  ): Promise<DeleteResult> {
    const { dryRun = false } = options
    refuseImmortal(kind, name)
    return this.#attempt(kind, name, async () => {
      const stored = await this.#find(kind, namespace, name)
      if (stored === undefined) throw notFound(kind, name)
      const deletion = decideDeletion(kind, stored, options, this.#deps.clock.now())
      if (deletion.kind === 'remove') {
        const last = await this.#writer.remove(kind, stored, { dryRun })
        return { object: convertTo(kind, last, version), gone: true }
      }
      const { next } = deletion
      const lingering = isDeepStrictEqual(next, stored)
        ? stored
        : await this.#writer.overwrite(kind, stored, next, dryRun)
      return { object: convertTo(kind, lingering, version), gone: false }
    })
  }

  async *watch(
    { kind, version }: KindTarget,
    namespace: string | undefined,
    options: { from: StoreRevision; signal: AbortSignal },
  ): AsyncGenerator<Change> {
    for await (const change of this.#store.watch(scopeOf(kind, namespace), options)) {
      const resource = convertTo(kind, change.resource, version)
      const { previous } = change
      yield previous === undefined
        ? { ...change, resource }
        : { ...change, resource, previous: convertTo(kind, previous, version) }
    }
  }

  /** Writes what `change` makes of the object's scale. Answers with the new scale. */
  #rescale(
    target: KindTarget,
    namespace: string,
    name: string,
    change: (scale: Scale) => unknown,
    options: UpdateOptions,
  ): Promise<WriteResult> {
    const { kind, version } = target
    return this.#attempt(kind, name, async () => {
      const stored = await this.#find(kind, namespace, name)
      if (stored === undefined) throw notFound(kind, name)
      const live = convertTo(kind, stored, version)
      const object = rescaled(live, change(scaleOf(kind, live)))
      const managedFields = trackUpdate(this.#fieldWriter(target, options), live, object)
      const { subresource: _, ...whole } = options
      const result = await this.#writer.replace(target, stored, { object, warnings: [], managedFields }, whole)
      return { ...result, object: scaleOf(kind, result.object) }
    })
  }

  #fieldWriter({ kind, version }: KindTarget, options: UpdateOptions): Writer {
    const { fieldManager = 'unknown', subresource = '' } = options
    return { kind, version, manager: fieldManager, subresource, time: kubernetesTime(this.#deps.clock.now()) }
  }

  #find(kind: KindDefinition, namespace: string, name: string): Promise<Resource | undefined> {
    return this.#store.get(keyOf(kind, namespace, name))
  }

  /** Repeats from the read on when somebody else wrote in between; who named a revision is refused by that read. */
  async #attempt<Result>(kind: KindDefinition, name: string, write: () => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await write()
      } catch (thrown) {
        if (!(thrown instanceof ConflictError)) throw thrown
        if (attempt === writeAttemptsMax) throw conflict(kind, name)
      }
    }
  }
}

/** An apply that finds the object created meanwhile starts over and updates it. */
function conflictWhenTaken(thrown: unknown): never {
  if (thrown instanceof StatusError && thrown.reason === 'AlreadyExists') throw new ConflictError(thrown.message)
  throw thrown
}

const scopeOf = (kind: KindDefinition, namespace: string | undefined): ResourceScope => {
  const resource = resourceName(kind)
  return namespace === undefined || namespace === '' ? { resource } : { resource, namespace }
}

function checkSubresource(kind: KindDefinition, subresource: Subresource | undefined): void {
  const served =
    subresource === undefined ||
    (subresource === 'status' && hasStatus(kind)) ||
    (subresource === 'scale' && kind.scale !== undefined) ||
    (subresource === 'finalize' && isNamespaceKind(kind))
  if (!served) throw noSuchSubresource()
}

/** Custom kinds have no unconditional update. Source: kubernetes/apiextensions-apiserver, custom resource strategy. */
function requireRevision(kind: KindDefinition, { metadata }: Resource): void {
  if ((metadata.resourceVersion ?? '') !== '') return
  const message = 'Invalid value: 0x0: must be specified for an update'
  throw invalid(kind, metadata.name, [{ reason: 'FieldValueInvalid', message, field: 'metadata.resourceVersion' }])
}
