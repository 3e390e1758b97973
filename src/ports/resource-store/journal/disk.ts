// The few file operations a journal needs, so that tests can make them fail.
import { open, readdir, rename, rm, mkdir } from 'node:fs/promises'

export interface DiskFile {
  /** Writes all bytes or throws. */
  write(bytes: Buffer, position: number): Promise<void>
  /** Up to `bytes.length` bytes from `position`; 0 at the end. */
  read(bytes: Buffer, position: number): Promise<number>
  truncate(size: number): Promise<void>
  /** Resolves when what was written survives a power failure. */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface Disk {
  /** Opens for reading and writing. */
  open(path: string, how: 'create' | 'existing'): Promise<DiskFile>
  rename(from: string, to: string): Promise<void>
  /** Fine when there is none. */
  remove(path: string): Promise<void>
  /** Names in a directory, which is created if need be. */
  names(directory: string): Promise<string[]>
  /** Makes creations, renames and removals in the directory safe. */
  syncDirectory(directory: string): Promise<void>
}

const privateFile = 0o600
const privateDirectory = 0o700

/** The machine's file system. Files are readable by their owner only: Secrets are stored, too. */
export const machineDisk: Disk = {
  async open(path, how) {
    const handle = await open(path, how === 'create' ? 'w+' : 'r+', privateFile)
    return {
      async write(bytes, position) {
        for (let written = 0; written < bytes.length;) {
          const step = await handle.write(bytes, written, bytes.length - written, position + written)
          written += step.bytesWritten
        }
      },
      read: async (bytes, position) => (await handle.read(bytes, 0, bytes.length, position)).bytesRead,
      truncate: (size) => handle.truncate(size),
      sync: () => handle.datasync(),
      close: () => handle.close(),
    }
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  async names(directory) {
    await mkdir(directory, { recursive: true, mode: privateDirectory })
    return readdir(directory)
  },
  async syncDirectory(directory) {
    // Windows has no handle on directories; its file system journals renames by itself.
    if (process.platform === 'win32') return
    const handle = await open(directory, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
}
