// ConfigMaps and Secrets that a Pod takes variables and files from.
import { KnodeError } from '../../base/errors.ts'
import type { Container } from '../../model/kubernetes/pod/container-schema.ts'
import type { PodSpec } from '../../model/kubernetes/pod/pod-spec-schema.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'

interface DataObject extends Resource {
  /** Of a Secret in base64. */
  data?: Record<string, string>
  /** Of a ConfigMap, in base64. */
  binaryData?: Record<string, string>
}

export type SourceKind = 'ConfigMap' | 'Secret'
/** Finds an object that variables or files come from, in the Pod's namespace. */
export type FindSource = (kind: SourceKind, name: string) => Resource | undefined

export interface SourceName {
  kind: SourceKind
  name: string
}

/** The ConfigMaps and Secrets that a Pod names, each once. */
export function sourcesOf({
  containers = [],
  initContainers = [],
  volumes = [],
  imagePullSecrets = [],
}: PodSpec): SourceName[] {
  const projected = volumes.flatMap((volume) => volume.projected?.sources ?? [])
  const configMaps = [
    ...[...initContainers, ...containers].flatMap(configMapsOf),
    ...volumes.map(({ configMap }) => configMap?.name),
    ...projected.map(({ configMap }) => configMap?.name),
  ]
  const secrets = [
    ...[...initContainers, ...containers].flatMap(secretsOf),
    ...volumes.map(({ secret }) => secret?.secretName),
    ...projected.map(({ secret }) => secret?.name),
    ...imagePullSecrets.map(({ name }) => name),
  ]
  const named = (kind: SourceKind, names: (string | undefined)[]): SourceName[] =>
    [...new Set(names)].filter((name) => name !== undefined && name !== '').map((name) => ({ kind, name: name! }))
  return [...named('ConfigMap', configMaps), ...named('Secret', secrets)]
}

/** Whether files of its volumes hold what may change of the Pod itself: its labels and annotations. */
export const tellsOfItself = ({ volumes = [] }: PodSpec): boolean =>
  volumes.some(
    ({ downwardAPI, projected }) =>
      downwardAPI !== undefined || (projected?.sources ?? []).some((source) => source.downwardAPI !== undefined),
  )

const configMapsOf = ({ env = [], envFrom = [] }: Container): (string | undefined)[] => [
  ...envFrom.map(({ configMapRef }) => configMapRef?.name),
  ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
]

const secretsOf = ({ env = [], envFrom = [] }: Container): (string | undefined)[] => [
  ...envFrom.map(({ secretRef }) => secretRef?.name),
  ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
]

/** The content of a ConfigMap or Secret by key; `undefined` when there is no such object. */
export function dataOf(kind: SourceKind, object: DataObject | undefined): Map<string, Buffer> | undefined {
  if (object === undefined) return undefined
  const encoding = kind === 'ConfigMap' ? 'utf8' : 'base64'
  const text = Object.entries(object.data ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)] as const)
  const binary = Object.entries(object.binaryData ?? {})
  return new Map([...text, ...binary.map(([key, value]) => [key, Buffer.from(value, 'base64')] as const)])
}

/** In the kubelet's words. */
export const notFound = (kind: SourceKind, name: string): KnodeError =>
  new KnodeError('WORKLOAD_FAILED', `${kind.toLowerCase()} "${name}" not found`)

/** In the kubelet's words. */
export function missingKey(kind: SourceKind, { metadata }: Resource, key: string): KnodeError {
  const at = `${metadata.namespace}/${metadata.name}`
  return new KnodeError('WORKLOAD_FAILED', `couldn't find key ${key} in ${kind} ${at}`)
}
