// The directory that holds everything Knode keeps, and the lock that lets one process at a time use it.
import { link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { KnodeError, messageOf } from '../base/errors.ts'
import { systemRandom } from '../base/random.ts'
import { isAlive, ownIdentity } from './process-identity.ts'
import type { ProcessIdentity } from './process-identity.ts'

export interface DataDir extends AsyncDisposable {
  /** Absolute. */
  readonly path: string
}

/**
 * Creates the directory (mode 0700) if need be and locks it until disposed. The lock of a process that is gone is taken
 * over. @throws {KnodeError} DATA_DIR_IN_USE, DATA_DIR_NOT_WRITABLE
 */
export async function openDataDir(directory: string): Promise<DataDir> {
  const path = resolve(directory)
  try {
    await makeDirectory(path)
    const lock = await takeLock(path)
    let released: Promise<void> | undefined
    return { path, [Symbol.asyncDispose]: () => (released ??= lock.release()) }
  } catch (error) {
    if (error instanceof KnodeError) throw error
    throw new KnodeError('DATA_DIR_NOT_WRITABLE', `cannot write to data directory ${path}: ${reason(error)}`, {
      hint: 'mend its permissions, choose another one with --data-dir, or keep nothing with --memory',
      cause: error,
    })
  }
}

/** With its parents. Node's own recursive mkdir tries for ever where a directory takes no new ones, like /proc. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (await isDirectory(path)) return
    const parent = dirname(path)
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT' && parent !== path
    if (!isMissing || (await isDirectory(parent))) throw error
    await makeDirectory(parent)
    await makeDirectory(path)
  }
}

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )

interface Lock {
  release(): Promise<void>
}

/** Lost races after which a start gives up; each means that another process won. */
const racesMax = 50

/**
 * Locks are numbered, and the highest number decides: it belongs to the owner, or to a dead one. Taking over means to
 * create the next number, which only one of several processes can; the highest file is never removed by anyone but the
 * owner of a higher one. So nobody ever has to remove a lock that somebody else may just have taken.
 */
async function takeLock(path: string): Promise<Lock> {
  const draft = join(path, `lock-draft-${process.pid}-${systemRandom.uuid()}`)
  await writeFile(draft, JSON.stringify(await ownIdentity()), { flag: 'wx', mode: 0o600 })
  try {
    for (let race = 0; race < racesMax; race++) {
      const highest = Math.max(0, ...(await lockNumbers(path)))
      const owner = highest === 0 ? undefined : await readOwner(join(path, lockName(highest)))
      if (owner !== undefined && (await isAlive(owner))) throw inUse(path, owner)
      const number = highest + 1
      const file = join(path, lockName(number))
      // A link appears with its content, and only if there is none yet.
      if (!(await linked(draft, file))) continue
      const numbers = await lockNumbers(path)
      if (numbers.some((other) => other > number)) {
        // While we looked, others took and left higher ones: ours is worth nothing.
        await rm(file, { force: true })
        continue
      }
      for (const other of numbers) if (other < number) await rm(join(path, lockName(other)), { force: true })
      await removeOldDrafts(path)
      return { release: () => release(file) }
    }
    throw new KnodeError('DATA_DIR_IN_USE', `data directory ${path} is being opened by other processes`, {
      retryable: true,
      hint: 'try again, or choose another one with --data-dir',
    })
  } finally {
    await rm(draft, { force: true })
  }
}

/** Removes what starts left behind that were killed half-way. */
async function removeOldDrafts(path: string): Promise<void> {
  for (const name of await readdir(path)) {
    const pid = /^lock-draft-(\d+)-/.exec(name)?.[1]
    if (pid !== undefined && !(await isAlive({ pid: Number(pid) }))) await rm(join(path, name), { force: true })
  }
}

/** Marks the lock as left, without ever removing the highest number. */
async function release(file: string): Promise<void> {
  const draft = `${file}-left`
  await writeFile(draft, JSON.stringify(nobody)).catch(() => undefined)
  // When this fails the lock is stale as soon as the process has ended.
  await rename(draft, file).catch(() => undefined)
}

const nobody: ProcessIdentity = { pid: 0 }

async function readOwner(file: string): Promise<ProcessIdentity | undefined> {
  try {
    const owner = JSON.parse(await readFile(file, 'utf8')) as ProcessIdentity
    return owner.pid === nobody.pid ? undefined : owner
  } catch (error) {
    // Gone since we looked, or cut by a power failure: then its process is dead, too.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function linked(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

const lockName = (number: number): string => `lock-${number}`

async function lockNumbers(path: string): Promise<number[]> {
  const names = await readdir(path)
  return names.map((name) => /^lock-(\d+)$/.exec(name)?.[1]).flatMap((digits) => (digits ? [Number(digits)] : []))
}

function inUse(path: string, { pid }: ProcessIdentity): KnodeError {
  return new KnodeError('DATA_DIR_IN_USE', `data directory ${path} is in use by process ${pid}`, {
    hint: `stop it (kill ${pid}), or choose another one with --data-dir`,
  })
}

/** What the system said, without the call and the path that Node adds. */
const reason = (error: unknown): string =>
  messageOf(error)
    .replace(/^[A-Z]+: /, '')
    .replace(/, \w+ '.*$/, '')
