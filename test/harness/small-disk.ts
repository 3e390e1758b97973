// A file system of its own that is soon full, if this machine lets us have one.
import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface SmallDisk extends AsyncDisposable {
  path: string
  /** False where mounting needs rights that we do not have. */
  isMounted: boolean
}

/** Mounts a tmpfs of that size at a new directory. */
export async function smallDisk(path: string, bytes: number): Promise<SmallDisk> {
  await mkdir(path)
  const isMounted = await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path]).then(
    () => true,
    () => false,
  )
  return {
    path,
    isMounted,
    [Symbol.asyncDispose]: async () => {
      if (isMounted) await run('umount', ['--lazy', path])
    },
  }
}
