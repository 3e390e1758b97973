// The little that the log asks of a file system, so that tests can put a failing one below it.
import { constants, fdatasync, fstat, ftruncate, read, write } from 'node:fs'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'

export interface LogFileSystem {
  /** Creates the directory and those above it. */
  makeDirectory(path: string): Promise<void>
  /** Names in the directory. */
  list(path: string): Promise<string[]>
  /**
   * Opens for reading and writing, creating an empty file if need be.
   * @param synced whether a finished write has reached the medium.
   */
  open(path: string, options: { synced: boolean }): Promise<LogFile>
  /** Replaces what is at `to`. */
  rename(from: string, to: string): Promise<void>
  /** Removes a file, or a directory with all in it; fine when there is none. */
  remove(path: string): Promise<void>
  /** Resolves when creations, renames and removals in the directory have reached the medium. */
  syncDirectory(path: string): Promise<void>
}

/** Rejects with errors that carry the system's code: ENOSPC, EIO, … */
export interface LogFile {
  size(): Promise<number>
  /** Fills `target` from `position` on; resolves to the bytes read, fewer only at the end of the file. */
  read(target: Buffer, position: number): Promise<number>
  /** Resolves to the bytes written, which may be fewer. The file does not keep `source`. */
  write(source: Buffer, position: number): Promise<number>
  /** Resolves when everything written has reached the medium. */
  sync(): Promise<void>
  truncate(bytes: number): Promise<void>
  close(): Promise<void>
}

/**
 * Writes all of `source`, or at least its first `bytesMin`, however many calls that takes.
 * @returns the bytes written.
 */
export async function writeFully(
  file: LogFile,
  source: Buffer,
  position: number,
  bytesMin = source.length,
): Promise<number> {
  let done = 0
  while (done < bytesMin) done += await file.write(source.subarray(done), position + done)
  return done
}

/** Reads a file of moderate size whole. */
export async function readWhole(file: LogFile): Promise<Buffer> {
  const content = Buffer.allocUnsafe(await file.size())
  return content.subarray(0, await file.read(content, 0))
}

/** The machine's file system. */
export const nodeFileSystem: LogFileSystem = {
  makeDirectory: async (path) => void (await mkdir(path, { recursive: true })),
  list: (path) => readdir(path),
  rename: (from, to) => rename(from, to),
  remove: (path) => rm(path, { recursive: true, force: true }),
  async open(path, { synced }) {
    const { O_RDWR, O_CREAT, O_DSYNC } = constants
    const syncsItself = synced && O_DSYNC !== undefined
    const handle = await open(path, O_RDWR | O_CREAT | (syncsItself ? O_DSYNC : 0), 0o600)
    const { fd } = handle
    const writeOnce = (source: Buffer, position: number): Promise<number> =>
      new Promise((resolve, reject) => {
        write(fd, source, 0, source.length, position, (error, bytes) => (error ? reject(error) : resolve(bytes)))
      })
    const sync = (): Promise<void> =>
      new Promise((resolve, reject) => fdatasync(fd, (error) => (error ? reject(error) : resolve())))
    return {
      size: () =>
        new Promise((resolve, reject) => fstat(fd, (error, stats) => (error ? reject(error) : resolve(stats.size)))),
      async read(target, position) {
        let done = 0
        while (done < target.length) {
          const bytes = await new Promise<number>((resolve, reject) => {
            const [length, from] = [target.length - done, position + done]
            read(fd, target, done, length, from, (error, count) => (error ? reject(error) : resolve(count)))
          })
          if (bytes === 0) break
          done += bytes
        }
        return done
      },
      async write(source, position) {
        const bytes = await writeOnce(source, position)
        // Where the system cannot sync within the write, a call of its own does it.
        if (synced && !syncsItself) await sync()
        return bytes
      },
      sync,
      truncate: (bytes) =>
        new Promise((resolve, reject) => ftruncate(fd, bytes, (error) => (error ? reject(error) : resolve()))),
      close: () => handle.close(),
    }
  },
  async syncDirectory(path) {
    // Windows cannot open directories; its renames are durable in order.
    if (process.platform === 'win32') return
    const handle = await open(path, constants.O_RDONLY)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
}

/** The system's code of an error, `''` without one. */
const systemCode = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')

/** Whether the medium has no room: this passes when somebody makes some. */
export const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(systemCode(error))
