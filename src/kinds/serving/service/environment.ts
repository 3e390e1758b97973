// The environment of a Revision's program. Source: Kubernetes API, EnvVar and EnvFromSource; Knative runtime contract.
import { KnodeError } from '../../../base/errors.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { Container, EnvFromSource, EnvVar } from '../../../model/serving/container-schema.ts'

interface DataObject extends Resource {
  /** Of a Secret in base64. */
  data?: Record<string, string>
}

export type SourceKind = 'ConfigMap' | 'Secret'
/** Finds an object that variables come from, in the Service's namespace. */
export type FindSource = (kind: SourceKind, name: string) => Resource | undefined

/** The user's variables, later ones before earlier ones, and above all those of the contract. */
export function makeEnvironment(
  container: Container,
  names: { service: string; revision: string },
  find: FindSource,
): Record<string, string> {
  const env: Record<string, string> = {}
  for (const source of container.envFrom ?? []) Object.assign(env, readAll(source, find))
  for (const variable of container.env ?? []) {
    const value = readOne(variable, env, find)
    if (value !== undefined) env[variable.name ?? ''] = value
  }
  return { ...env, K_SERVICE: names.service, K_CONFIGURATION: names.service, K_REVISION: names.revision }
}

/** The ConfigMaps and Secrets that variables come from. */
export function sourcesOf({ env = [], envFrom = [] }: Container): { kind: SourceKind; name: string }[] {
  const configMaps = [
    ...envFrom.map(({ configMapRef }) => configMapRef?.name),
    ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
  ]
  const secrets = [
    ...envFrom.map(({ secretRef }) => secretRef?.name),
    ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
  ]
  const named = (kind: SourceKind, names: (string | undefined)[]) =>
    [...new Set(names)].filter((name) => name !== undefined).map((name) => ({ kind, name }))
  return [...named('ConfigMap', configMaps), ...named('Secret', secrets)]
}

function readAll({ prefix = '', configMapRef, secretRef }: EnvFromSource, find: FindSource): Record<string, string> {
  const kind = configMapRef === undefined ? 'Secret' : 'ConfigMap'
  const { name = '', optional = false } = configMapRef ?? secretRef ?? {}
  const data = dataOf(kind, find(kind, name))
  if (data === undefined && !optional) throw notFound(kind, name)
  return Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [prefix + key, value]))
}

function readOne(
  { value, valueFrom }: EnvVar,
  before: Readonly<Record<string, string>>,
  find: FindSource,
): string | undefined {
  const { configMapKeyRef, secretKeyRef } = valueFrom ?? {}
  const reference = configMapKeyRef ?? secretKeyRef
  if (reference === undefined) return expand(value ?? '', before)
  const kind = configMapKeyRef === undefined ? 'Secret' : 'ConfigMap'
  const { name = '', key = '', optional = false } = reference
  const object = find(kind, name)
  const found = dataOf(kind, object)?.[key]
  if (found !== undefined || optional) return found
  if (object === undefined) throw notFound(kind, name)
  const at = `${object.metadata.namespace}/${name}`
  throw new KnodeError('WORKLOAD_FAILED', `couldn't find key ${key} in ${kind} ${at}`)
}

function dataOf(kind: SourceKind, object: DataObject | undefined): Record<string, string> | undefined {
  if (object === undefined) return undefined
  const entries = Object.entries(object.data ?? {})
  if (kind === 'ConfigMap') return Object.fromEntries(entries)
  return Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
}

const notFound = (kind: SourceKind, name: string): KnodeError =>
  new KnodeError('WORKLOAD_FAILED', `${kind.toLowerCase()} "${name}" not found`)

/** `$(NAME)` is a variable set before, when there is one; `$$` is a dollar. */
const expand = (text: string, before: Readonly<Record<string, string>>): string =>
  text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (before[name] ?? whole),
  )
