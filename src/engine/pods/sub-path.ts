// Part of a volume that is mounted instead of all of it: it stays inside of the volume, whatever a program has put there.
// Source: kubernetes/kubernetes pkg/volume/util/subpath.
import { chmod, mkdir, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { KnodeError } from '../../base/errors.ts'

/** Whoever the containers run as may write to it, as to the volume. */
const madeMode = 0o777

/** @throws {KnodeError} WORKLOAD_FAILED for a path that would lead out of the volume */
export function checkSubPath(subPath: string): void {
  if (!subPath.startsWith('/') && !subPath.split('/').includes('..')) return
  throw new KnodeError('WORKLOAD_FAILED', `subPath "${subPath}" must be a relative path and must not contain '..'`)
}

/**
 * Looks that the path leads to something inside of the folder `volume`, links included. Folders that are missing are made
 * where `mayMake`; else who mounts it says that they are.
 * @throws {KnodeError} WORKLOAD_FAILED
 */
export async function keepSubPathInside(volume: string, subPath: string, mayMake: boolean): Promise<void> {
  checkSubPath(subPath)
  const root = await realpath(volume)
  let at = root
  for (const part of subPath.split('/').filter((name) => name !== '' && name !== '.')) {
    const next = join(at, part)
    const real = await realpath(next).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code === 'ENOENT') return undefined
      throw thrown
    })
    if (real === undefined) {
      if (!mayMake) return
      await mkdir(next)
      await chmod(next, madeMode)
      at = next
      continue
    }
    if (real !== root && !real.startsWith(root + sep)) {
      throw new KnodeError('WORKLOAD_FAILED', `subPath "${subPath}" leads outside of its volume`)
    }
    at = real
  }
}
