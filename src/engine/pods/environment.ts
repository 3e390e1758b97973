// The environment of a container. Source: Kubernetes API, EnvVar and EnvFromSource.
import { availableParallelism, totalmem } from 'node:os'
import { KnodeError } from '../../base/errors.ts'
import type { Container, EnvFromSource, EnvVar } from '../../model/kubernetes/pod/container-schema.ts'
import type { Pod } from '../../model/kubernetes/pod/pod.ts'
import { own } from '../../model/own.ts'
import { podField, resourceField } from './pod-facts.ts'
import { dataOf, missingKey, notFound } from './pod-sources.ts'
import type { FindSource } from './pod-sources.ts'

/**
 * The variables of one container of a Pod, later ones before earlier ones.
 * @throws {KnodeError} WORKLOAD_FAILED in Kubernetes' words when something they come from is missing
 */
export function makeEnvironment(container: Container, pod: Pod, find: FindSource): Record<string, string> {
  const env = new Map<string, string>()
  for (const source of container.envFrom ?? []) {
    for (const [name, value] of readAll(source, find)) env.set(name, value)
  }
  for (const variable of container.env ?? []) {
    const value = readOne(variable, env, { container, pod, find })
    if (value !== undefined) env.set(variable.name ?? '', value)
  }
  for (const [name, value] of env) {
    // Whoever starts the program would say so, too, but show the value, which may be a Secret's.
    if (value.includes('\0')) throw new KnodeError('WORKLOAD_FAILED', `variable ${name} holds a null byte`)
  }
  return Object.fromEntries(env)
}

/** `$(NAME)` is a variable that is set, when there is one; `$$` is a dollar. */
export const expand = (text: string, env: Readonly<Record<string, string>>): string =>
  substituted(text, (name) => own(env, name))

const substituted = (text: string, valueOf: (name: string) => string | undefined): string =>
  text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (valueOf(name) ?? whole),
  )

function readAll({ prefix = '', configMapRef, secretRef }: EnvFromSource, find: FindSource): [string, string][] {
  const kind = configMapRef === undefined ? 'Secret' : 'ConfigMap'
  const { name = '', optional = false } = configMapRef ?? secretRef ?? {}
  const data = dataOf(kind, find(kind, name))
  if (data === undefined && !optional) throw notFound(kind, name)
  return [...(data ?? [])].map(([key, value]) => [prefix + key, value.toString()])
}

function readOne(
  { value, valueFrom }: EnvVar,
  before: ReadonlyMap<string, string>,
  { container, pod, find }: { container: Container; pod: Pod; find: FindSource },
): string | undefined {
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef, fileKeyRef } = valueFrom ?? {}
  if (fieldRef !== undefined) return podField(pod, fieldRef.fieldPath ?? '')
  if (resourceFieldRef !== undefined) return resourceField(pod, container, resourceFieldRef, machine)
  if (fileKeyRef !== undefined) throw new KnodeError('WORKLOAD_FAILED', 'variables from files are not supported')
  const reference = configMapKeyRef ?? secretKeyRef
  if (reference === undefined) return substituted(value ?? '', (name) => before.get(name))
  const kind = configMapKeyRef === undefined ? 'Secret' : 'ConfigMap'
  const { name = '', key = '', optional = false } = reference
  const object = find(kind, name)
  const found = dataOf(kind, object)?.get(key)
  if (found !== undefined) return found.toString()
  if (optional) return undefined
  throw object === undefined ? notFound(kind, name) : missingKey(kind, object, key)
}

const machine = { cpus: availableParallelism(), memoryBytes: totalmem() }
