// What the files of a Pod's volumes hold. Source: kubernetes/kubernetes pkg/volume/{configmap,secret,projected,downwardapi}.
import { availableParallelism, totalmem } from 'node:os'
import { KnodeError } from '../../base/errors.ts'
import { defaultFileMode } from '../../model/kubernetes/pod/defaults.ts'
import type { Pod } from '../../model/kubernetes/pod/pod.ts'
import type { DownwardItem, KeyItem, ProjectedSource, Volume } from '../../model/kubernetes/pod/volume-schema.ts'
import { podField, resourceField } from './pod-facts.ts'
import { dataOf, notFound } from './pod-sources.ts'
import type { FindSource, SourceKind } from './pod-sources.ts'

export interface VolumeFile {
  content: Buffer
  /** Permissions. */
  mode: number
}

/** Files by their path in the volume. */
export type VolumeFiles = Map<string, VolumeFile>

export interface VolumeWorld {
  pod: Pod
  find: FindSource
  /** Makes a token of the Pod's service account. */
  token: (request: { audience?: string; expirationSeconds: number }) => string
}

/**
 * The files of a volume that Knode fills; `undefined` for one that is a directory of its own.
 * @throws {KnodeError} WORKLOAD_FAILED when something they come from is missing, or the volume is of a type Knode has not
 */
export function volumeFiles(volume: Volume, world: VolumeWorld): VolumeFiles | undefined {
  const { configMap, secret, downwardAPI, projected, emptyDir, hostPath } = volume
  if (emptyDir !== undefined || hostPath !== undefined) return undefined
  if (configMap !== undefined) return keyFiles('ConfigMap', configMap, configMap.defaultMode, world)
  if (secret !== undefined) {
    const { secretName = '', ...rest } = secret
    return keyFiles('Secret', { ...rest, name: secretName }, secret.defaultMode, world)
  }
  if (downwardAPI !== undefined) return downwardFiles(downwardAPI.items ?? [], downwardAPI.defaultMode, world)
  if (projected !== undefined) {
    // Later sources win.
    const parts = (projected.sources ?? []).map((source) => projectedFiles(source, projected.defaultMode, world))
    return new Map(parts.flatMap((part) => [...part]))
  }
  const type = Object.keys(volume).find((field) => field !== 'name') ?? 'unknown'
  throw new KnodeError('WORKLOAD_FAILED', `volume "${volume.name}": volumes of type ${type} are not supported`)
}

interface KeySource {
  name?: string
  items?: KeyItem[]
  optional?: boolean
}

function keyFiles(
  kind: SourceKind,
  { name = '', items, optional = false }: KeySource,
  mode: number | undefined,
  { find }: VolumeWorld,
): VolumeFiles {
  const data = dataOf(kind, find(kind, name))
  if (data === undefined && !optional) throw notFound(kind, name)
  const fileMode = mode ?? defaultFileMode
  if (items === undefined || items.length === 0) {
    return new Map([...(data ?? [])].map(([key, content]) => [key, { content, mode: fileMode }]))
  }
  const files: VolumeFiles = new Map()
  for (const item of items) {
    const content = data?.get(item.key ?? '')
    if (content !== undefined) files.set(item.path ?? '', { content, mode: item.mode ?? fileMode })
    else if (!optional) {
      throw new KnodeError('WORKLOAD_FAILED', `references non-existent ${kind.toLowerCase()} key: ${item.key}`)
    }
  }
  return files
}

function downwardFiles(items: DownwardItem[], mode: number | undefined, { pod }: VolumeWorld): VolumeFiles {
  const files: VolumeFiles = new Map()
  for (const { path = '', fieldRef, resourceFieldRef, mode: itemMode } of items) {
    const text =
      fieldRef === undefined
        ? resourceField(pod, {}, resourceFieldRef ?? {}, machine)
        : podField(pod, fieldRef.fieldPath ?? '')
    files.set(path, { content: Buffer.from(text), mode: itemMode ?? mode ?? defaultFileMode })
  }
  return files
}

function projectedFiles(source: ProjectedSource, mode: number | undefined, world: VolumeWorld): VolumeFiles {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source
  if (configMap !== undefined) return keyFiles('ConfigMap', configMap, mode, world)
  if (secret !== undefined) return keyFiles('Secret', secret, mode, world)
  if (downwardAPI !== undefined) return downwardFiles(downwardAPI.items ?? [], mode, world)
  if (serviceAccountToken !== undefined) {
    const { audience, expirationSeconds = 3_600, path = 'token' } = serviceAccountToken
    const token = world.token({ expirationSeconds, ...(audience === undefined ? {} : { audience }) })
    return new Map([[path, { content: Buffer.from(token), mode: mode ?? defaultFileMode }]])
  }
  const type = Object.keys(source)[0] ?? 'unknown'
  throw new KnodeError('WORKLOAD_FAILED', `sources of type ${type} are not supported in projected volumes`)
}

const machine = { cpus: availableParallelism(), memoryBytes: totalmem() }
