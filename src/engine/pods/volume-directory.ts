// The volumes of one Pod on disk. Files change all at once, by one rename, as in Kubernetes
// (pkg/volume/util/atomic_writer.go): `KEY → ..data/KEY`, `..data → ..N`.
import { chmod, lstat, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { KnodeError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import type { VolumeFile, VolumeFiles } from './volume-content.ts'

const dataLink = '..data'
/** A link on its way to its place. No file of a volume begins with two dots. */
const nextLink = '..next'

/** Whoever may not enter the Pod's directory reads none of its files, whatever their own permissions. */
const podDirectoryMode = 0o700

export class VolumeDirectory {
  #root: string
  #random: Random
  #written = new Map<string, VolumeFiles>()

  /** @param root the Pod's own directory; it need not exist yet */
  constructor(root: string, random: Random) {
    this.#root = root
    this.#random = random
  }

  /** Where a volume is, for mounts. */
  pathOf(volume: string): string {
    return join(this.#root, volume)
  }

  /** Makes sure that the volume has these files and no others; says whether anything changed. */
  async write(volume: string, files: VolumeFiles): Promise<boolean> {
    if (areEqual(this.#written.get(volume), files)) return false
    const directory = await this.make(volume)
    const version = `..${this.#random.uuid()}`
    try {
      await writeFiles(join(directory, version), files)
    } catch (thrown) {
      await rm(join(directory, version), { recursive: true, force: true })
      throw thrown
    }
    await this.#point(directory, dataLink, version)
    const names = new Set([...files.keys()].map((path) => path.split('/')[0]!))
    for (const name of names) {
      if (!(await exists(join(directory, name)))) await this.#point(directory, name, join(dataLink, name))
    }
    for (const name of await readdir(directory)) {
      if (name !== dataLink && name !== version && !names.has(name)) {
        await rm(join(directory, name), { recursive: true, force: true })
      }
    }
    this.#written.set(volume, files)
    return true
  }

  /** Makes an empty directory for the volume unless it is there; whoever the containers run as may write to it. */
  async make(volume: string): Promise<string> {
    await mkdir(this.#root, { recursive: true, mode: podDirectoryMode })
    const directory = this.pathOf(volume)
    await mkdir(directory, { recursive: true })
    await chmod(directory, 0o777)
    return directory
  }

  /** Removes the files that {@link write} has made; directories of the Pod's own stay. */
  async removeWritten(): Promise<void> {
    const volumes = [...this.#written.keys()]
    this.#written.clear()
    await Promise.all(volumes.map((volume) => rm(this.pathOf(volume), { recursive: true, force: true })))
  }

  async removeAll(): Promise<void> {
    this.#written.clear()
    await rm(this.#root, { recursive: true, force: true })
  }

  async #point(directory: string, name: string, target: string): Promise<void> {
    const next = join(directory, nextLink)
    await rm(next, { force: true })
    await symlink(target, next)
    await rename(next, join(directory, name))
  }
}

async function writeFiles(folder: string, files: VolumeFiles): Promise<void> {
  for (const path of files.keys()) checkPath(path)
  await mkdir(folder, { recursive: true })
  for (const [path, { content, mode }] of files) {
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content, { mode: 0o600 })
    await chmod(file, mode)
  }
}

/** Admission refuses such paths, but not those of objects that are older than its rules. */
function checkPath(path: string): void {
  if (path !== '' && !path.startsWith('..') && !path.startsWith('/') && !path.split('/').includes('..')) return
  throw new KnodeError('WORKLOAD_FAILED', `path "${path}" does not name a file inside of its volume`)
}

function areEqual(a: VolumeFiles | undefined, b: VolumeFiles): boolean {
  if (a === undefined || a.size !== b.size) return false
  const isSame = (file: VolumeFile | undefined, other: VolumeFile): boolean =>
    file !== undefined && file.mode === other.mode && file.content.equals(other.content)
  return [...b].every(([path, file]) => isSame(a.get(path), file))
}

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  )
