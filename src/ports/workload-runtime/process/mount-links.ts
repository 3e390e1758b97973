// Mounts for processes: a folder per instance, whose links lead from mount paths to what is mounted.
import { mkdir, rm, symlink } from 'node:fs/promises'
import { dirname, join, normalize, resolve, sep } from 'node:path'
import { KnodeError } from '../../../base/errors.ts'
import type { WorkloadMount } from '../port.ts'

/** Environment variable with the folder under which a process finds its mounts: file `/etc/x` is `$KNODE_MOUNTS/etc/x`. */
export const mountsVariable = 'KNODE_MOUNTS'

/**
 * Makes `folder` with a link for each mount.
 * @throws {KnodeError} WORKLOAD_FAILED when a mount lies inside another one, which links cannot show.
 */
export async function linkMounts(folder: string, mounts: readonly WorkloadMount[]): Promise<void> {
  const paths = mounts.map(({ mountPath }) => normalize(mountPath))
  for (const inner of paths) {
    const outer = paths.find((path) => path !== inner && inner.startsWith(path.endsWith(sep) ? path : path + sep))
    if (outer !== undefined) throw cannot(inner, `it lies inside ${outer}, and a process gets its mounts as links`)
    if (paths.indexOf(inner) !== paths.lastIndexOf(inner)) throw cannot(inner, 'it is mounted twice')
  }
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await Promise.all(
    mounts.map(async ({ hostPath, mountPath, subPath = '' }) => {
      // `normalize` of an absolute path cannot climb above the root, so `join` stays inside the folder.
      const link = join(folder, normalize(join(sep, mountPath)))
      await mkdir(dirname(link), { recursive: true, mode: 0o700 })
      await symlink(resolve(join(hostPath, subPath)), link)
    }),
  )
}

export async function unlinkMounts(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}

const cannot = (path: string, why: string): KnodeError =>
  new KnodeError('WORKLOAD_FAILED', `${path} cannot be mounted: ${why}`)
