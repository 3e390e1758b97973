// What a kind tells the machinery: its names, shape and rules, and who reconciles it.
import type { FieldError } from '../model/kubernetes/field-error.ts'
import type { Resource } from '../model/kubernetes/resource.ts'
import type { Schema } from '../model/kubernetes/schema.ts'
import type { KindDeps, Reconciler } from './reconciler.ts'

/** `Broker.eventing.knative.dev`; core kinds have no group: `ConfigMap`. */
export type KindId = string

export interface PrinterColumn {
  /** As upstream's CRD writes it, e.g. `Age`; tables show it upper-case. */
  name: string
  /** JSONPath below the object, e.g. `.status.conditions[?(@.type=="Ready")].status`; `''` when `print` is given. */
  jsonPath: string
  /** Computes the cell where no JSONPath can; `undefined` prints nothing. */
  print?(object: Resource, nowMs: number): string | number | boolean | undefined
  /** @default 'string' */
  type?: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  description?: string
  /** Above 0 only `-o wide` shows it. @default 0 */
  priority?: number
}

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch'

export interface KindVersion {
  /** `v1`, `v1beta2`, … */
  name: string
  /** Schema of the whole object's fields beside apiVersion, kind and metadata: `{ spec, status }` or `{ data }`. */
  schema: Record<string, Schema>
  /** A column called `Name` takes the place of the usual first one. */
  columns: PrinterColumn[]
  /** Sent as a `Warning:` header by requests to this version. */
  deprecationWarning?: string
}

/**
 * `dns-subdomain`: lower case parts joined by dots; `dns-label`: one part (Namespace); `dns-1035`: one that starts with a
 * letter (core Service); `path-segment`: anything that fits between two slashes (RBAC kinds, core Events).
 */
export type NameFormat = 'dns-subdomain' | 'dns-label' | 'dns-1035' | 'path-segment'

export interface UserInfo {
  username: string
  groups?: string[]
}

/** Reads ConfigMaps live. */
export interface ConfigReader {
  /** The `data` of a ConfigMap, empty when it does not exist. */
  data(namespace: string, name: string): Readonly<Record<string, string>>
}

export interface AdmissionContext<Object extends Resource = Resource> {
  operation: 'create' | 'update'
  /** The stored object, on update. */
  old?: Object
  user: UserInfo
  config: ConfigReader
}

/** What `/scale` shows beside `spec.replicas`. Source: kubernetes/api autoscaling/v1 Scale. */
export interface ScaleRules<Object extends Resource = Resource> {
  /** Pods there are. */
  replicas(object: Object): number
  /** Which Pods are meant, as `kubectl -l` takes it. */
  selector(object: Object): string
}

/** An object that reconcilers would make later, for a dry run to be refused where it would be. */
export interface DryRunSample {
  kind: KindId
  /** In that kind's storage version; nobody else holds it. */
  object: Resource
  /** The field it comes from. */
  path: string
}

/** One kind. Lists are in upstream's order. Build it with {@link defineKind}. */
export interface KindDefinition<Object extends Resource = Resource> {
  /** `''` for core. */
  group: string
  kind: string
  /** One sentence for `kubectl explain`. */
  description?: string
  plural: string
  /** @default the kind in lower case */
  singular?: string
  shortNames?: string[]
  categories?: string[]
  /** @default 'Namespaced' */
  scope?: 'Namespaced' | 'Cluster'
  /** Preferred version first; the one objects are stored in is `storageVersion`. */
  versions: KindVersion[]
  /** @default the first version's name */
  storageVersion?: string
  /** Rewrites an object of another version, apiVersion included. Without it only apiVersion changes. */
  convert?(object: Resource, toVersion: string): Resource
  /** Kubernetes' own kinds: no CRD, no generation, strategic merge, protobuf bodies, unconditional updates. */
  builtIn?: boolean
  /** What a name of this kind may look like. @default 'dns-subdomain' */
  nameFormat?: NameFormat
  /** Has a `/status` subresource. @default true for custom kinds, false for built-in ones */
  statusSubresource?: boolean
  /** Has a `metadata.generation` that grows with its spec. @default true for custom kinds, false for built-in ones */
  countsGenerations?: boolean
  /** Has a `/scale` subresource, which shows `spec.replicas`. */
  scale?: ScaleRules<Object>
  /** How long an object may take to end when it is deleted, in seconds, if the one who deletes it says nothing. @default 0 */
  deletionGraceSeconds?(object: Object): number
  /** What clients may do with it; reconcilers may do all. @default all verbs */
  verbs?: readonly Verb[]
  /** Fields that `--field-selector` knows beside metadata.name and .namespace: its name → dotted path. */
  selectableFields?: Readonly<Record<string, string>>
  /** Labels and annotations of the CustomResourceDefinition that lists the kind. */
  crd?: { labels?: Record<string, string>; annotations?: Record<string, string> }
  /** Names of upstream's webhooks, for the texts of refusals. */
  webhooks?: { mutating: string; validating: string }
  /** Fills defaults into the draft, in place. Idempotent. */
  setDefaults?(draft: Object, context: AdmissionContext<Object>): void
  /** What the schema cannot say; also what may not change. */
  validate?(object: Object, context: AdmissionContext<Object>): FieldError[]
  /** What a server-side dry run admits as well, when the object itself may be. */
  dryRunSample?(object: Object): DryRunSample | undefined
  /** Names of Knode's own annotations (`knode.dev/…`) that objects may have. @default any, unchecked */
  ownAnnotations?: readonly string[]
  /** Runs the kind. */
  reconciler?(deps: KindDeps): Reconciler<Object>
}

/** Checks that a descriptor is consistent, and types it. */
export function defineKind<Object extends Resource>(definition: KindDefinition<Object>): KindDefinition {
  const storage = definition.storageVersion ?? definition.versions[0]?.name
  if (!definition.versions.some(({ name }) => name === storage)) {
    throw new Error(`${definition.kind}: no version ${storage}`)
  }
  // Callbacks take the narrowed object; the machinery only ever hands them objects of this kind.
  return definition
}

export const kindId = (kind: Pick<KindDefinition, 'group' | 'kind'>): KindId =>
  kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`

/** The resource name of the store: `triggers.eventing.knative.dev`, `configmaps`. */
export const resourceName = (kind: Pick<KindDefinition, 'group' | 'plural'>): string =>
  kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`

export const storageVersion = (kind: KindDefinition): string => kind.storageVersion ?? kind.versions[0]!.name
export const isNamespaced = (kind: KindDefinition): boolean => kind.scope !== 'Cluster'
export const hasGeneration = (kind: KindDefinition): boolean => kind.countsGenerations ?? kind.builtIn !== true
export const hasStatus = (kind: KindDefinition): boolean => kind.statusSubresource ?? kind.builtIn !== true

/** The JSONPath columns that nearly every Knative kind shows. */
export const columns = {
  url: { name: 'URL', jsonPath: '.status.address.url' },
  sink: { name: 'Sink', jsonPath: '.status.sinkUri' },
  age: { name: 'Age', jsonPath: '.metadata.creationTimestamp', type: 'date' },
  ready: { name: 'Ready', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  reason: { name: 'Reason', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
} as const satisfies Record<string, PrinterColumn>
