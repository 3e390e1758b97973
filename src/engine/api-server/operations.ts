// What the API can do to objects, whoever asks: the HTTP front and the reconcilers use the same operations.
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { Change, StoreRevision } from '../../ports/resource-store/port.ts'
import type { KindDefinition, UserInfo } from '../kind.ts'

/** A kind in one of its versions. */
export interface KindTarget {
  kind: KindDefinition
  /** Requests and answers are in this version. */
  version: string
}

export interface WriteOptions {
  user: UserInfo
  /** @default 'unknown' */
  fieldManager?: string
  /** What happens with fields the schema does not know. @default 'Warn' */
  fieldValidation?: 'Strict' | 'Warn' | 'Ignore'
  /** Everything but storing. @default false */
  dryRun?: boolean
  /** Server-side apply takes over fields of other managers. @default false */
  force?: boolean
}

export interface WriteResult {
  object: Resource
  created: boolean
  /** For `Warning:` headers. */
  warnings: string[]
}

export interface DeleteOptions {
  user: UserInfo
  dryRun?: boolean
  preconditions?: { uid?: string; resourceVersion?: string }
  /** @default 'Background' */
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  gracePeriodSeconds?: number
}

export interface DeleteResult {
  /** The last, or lingering, state. */
  object: Resource
  /** False while finalizers keep it. */
  gone: boolean
}

export type PatchType = 'merge' | 'json' | 'strategic' | 'apply'
export type Subresource = 'status' | 'scale' | 'finalize'

/**
 * Every call throws `StatusError` with Kubernetes' codes, reasons and messages (kubernetes-api reference §10).
 * `namespace` is `''` for cluster-scoped kinds.
 */
export interface Operations {
  /** The newest revision of the store. */
  revision(): Promise<StoreRevision>
  get(target: KindTarget, namespace: string, name: string): Promise<Resource>
  /** All objects of the namespace, or of all when absent; selection and chunking are the caller's. */
  list(target: KindTarget, namespace?: string): Promise<{ items: Resource[]; revision: StoreRevision }>
  create(target: KindTarget, namespace: string, body: unknown, options: WriteOptions): Promise<WriteResult>
  update(
    target: KindTarget,
    namespace: string,
    name: string,
    body: unknown,
    options: WriteOptions & { subresource?: Subresource },
  ): Promise<WriteResult>
  patch(
    target: KindTarget,
    namespace: string,
    name: string,
    patch: { type: PatchType; body: unknown },
    options: WriteOptions & { subresource?: Subresource },
  ): Promise<WriteResult>
  delete(target: KindTarget, namespace: string, name: string, options: DeleteOptions): Promise<DeleteResult>
  /** Changes after `from`, objects converted to the target's version. @throws GoneError as the store does. */
  watch(
    target: KindTarget,
    namespace: string | undefined,
    options: { from: StoreRevision; signal: AbortSignal },
  ): AsyncIterable<Change>
}
