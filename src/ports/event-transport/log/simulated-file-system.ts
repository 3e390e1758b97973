// A file system in memory that fails on demand: full, faulty, without power. For tests of the log.
import { dirname } from 'node:path'
import type { Random } from '../../../base/random.ts'
import type { LogFile, LogFileSystem } from './file-system.ts'

/** Hooks that may make a call fail; they see the path. */
export interface Faults {
  /** An error, or how many bytes are written at most. */
  write?: (path: string, bytes: number) => Error | number | undefined
  sync?: (path: string) => Error | undefined
  read?: (path: string) => Error | undefined
}

/** What ends a program: its end alone, or that of the whole machine with what had not reached the medium. */
export type Crash = 'process' | 'power'

/** An error with a system's code: ENOSPC, EIO, … */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code })
}

interface Change {
  position: number
  /** `undefined`: the file ends at `position`. */
  bytes?: Buffer
}

/** Its buffers are never written over, so that copies of the file may share them. */
interface Inode {
  content: Buffer
  /** Room to grow: `bytes` begins with `content`, if that is still the file's. */
  room?: { bytes: Buffer; content: Buffer }
  /** What the medium has, and what is on its way there. */
  safe: Buffer
  unsafe: Change[]
}

/** Loss of power tears writes at these, in bytes. */
const sectorBytes = 512

export class SimulatedFileSystem implements LogFileSystem {
  faults: Faults = {}
  /** Bytes that all files may have together. */
  bytesMax = Infinity
  #random: Random
  #directories: Set<string>
  #files: Map<string, Inode>
  /** Directory entries as the medium has them. */
  #safeFiles: Map<string, Inode>
  #changesLeft = Infinity
  #crash: Crash = 'process'

  constructor(random: Random) {
    this.#random = random
    this.#directories = new Set()
    this.#files = new Map()
    this.#safeFiles = new Map()
  }

  get paths(): string[] {
    return [...this.#files.keys()].sort()
  }

  /** Of all files together. */
  get bytes(): number {
    let bytes = 0
    for (const { content } of this.#files.values()) bytes += content.length
    return bytes
  }

  contentOf(path: string): Buffer {
    return this.#inode(path).content
  }

  /** Replaces a file's bytes behind everybody's back. */
  tamper(path: string, content: Buffer): void {
    const inode = this.#inode(path)
    inode.content = content
    inode.safe = content
    inode.unsafe = []
  }

  /** After so many more changes of files the program is dead: the last one is done in part, calls are not answered. */
  dieAfter(changes: number, crash: Crash): void {
    this.#changesLeft = changes
    this.#crash = crash
  }

  get isDead(): boolean {
    return this.#changesLeft <= 0
  }

  /** What the next program finds. The old one is dead now. */
  afterCrash(crash: Crash): SimulatedFileSystem {
    const next = this.copyAfter(crash)
    this.#changesLeft = 0
    return next
  }

  /** What a program would find if it were started after such a crash now. */
  copyAfter(crash: Crash): SimulatedFileSystem {
    const next = new SimulatedFileSystem(this.#random)
    next.bytesMax = this.bytesMax
    for (const path of this.#directories) next.#directories.add(path)
    const found = crash === 'process' ? this.#files : this.#filesAfterPowerLoss()
    for (const [path, inode] of found) {
      const content = crash === 'process' ? inode.content : contentAfterPowerLoss(inode, this.#random)
      const copy: Inode = { content, safe: content, unsafe: [] }
      if (crash === 'process') {
        copy.safe = inode.safe
        copy.unsafe = [...inode.unsafe]
      }
      next.#files.set(path, copy)
      if (crash === 'power' || this.#safeFiles.has(path)) next.#safeFiles.set(path, copy)
    }
    return next
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#alive()
    for (let at = path; !this.#directories.has(at) && at !== dirname(at); at = dirname(at)) this.#directories.add(at)
  }

  async list(path: string): Promise<string[]> {
    await this.#alive()
    const prefix = `${path}/`
    const below = [...this.#files.keys(), ...this.#directories].filter((one) => one.startsWith(prefix))
    return [...new Set(below.map((one) => one.slice(prefix.length).split('/')[0]!))]
  }

  async open(path: string, { synced }: { synced: boolean }): Promise<LogFile> {
    await this.#alive()
    let inode = this.#files.get(path)
    if (inode === undefined) {
      await this.#change()
      inode = { content: Buffer.alloc(0), safe: Buffer.alloc(0), unsafe: [] }
      this.#files.set(path, inode)
    }
    return this.#handle(path, inode, synced)
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#change()
    const moved = [...this.#files].filter(([path]) => path === from || path.startsWith(`${from}/`))
    if (moved.length === 0 && !this.#directories.has(from)) throw systemError('ENOENT')
    if (this.#directories.delete(from)) this.#directories.add(to)
    for (const [path, inode] of moved) {
      this.#files.delete(path)
      this.#files.set(to + path.slice(from.length), inode)
    }
  }

  async remove(path: string): Promise<void> {
    await this.#change()
    this.#directories.delete(path)
    for (const one of this.paths) if (one === path || one.startsWith(`${path}/`)) this.#files.delete(one)
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#change()
    const error = this.faults.sync?.(path)
    if (error !== undefined) throw error
    for (const one of this.#safeFiles.keys()) {
      const isGone = dirname(one) === path || (one.startsWith(`${path}/`) && !this.#directories.has(dirname(one)))
      if (isGone && !this.#files.has(one)) this.#safeFiles.delete(one)
    }
    for (const [one, inode] of this.#files) if (dirname(one) === path) this.#safeFiles.set(one, inode)
  }

  #handle(path: string, inode: Inode, synced: boolean): LogFile {
    return {
      size: async () => {
        await this.#alive()
        return inode.content.length
      },
      read: async (target, position) => {
        await this.#alive()
        const error = this.faults.read?.(path)
        if (error !== undefined) throw error
        return inode.content.copy(target, 0, position)
      },
      write: async (source, position) => {
        const dies = await this.#change('write')
        const fault = this.faults.write?.(path, source.length)
        if (fault instanceof Error) throw fault
        let length = Math.min(source.length, fault ?? source.length, this.#roomFor(inode, position, source.length))
        if (length === 0 && source.length > 0) throw systemError('ENOSPC')
        if (dies) length = Math.floor(this.#random.next() * (length + 1))
        apply(inode, { position, bytes: Buffer.from(source.subarray(0, length)) })
        // A write that was under way when the power went may have reached the medium in any part.
        if (synced && !(dies && this.#crash === 'power')) flush(inode)
        if (dies) await never
        return length
      },
      sync: async () => {
        await this.#change()
        const error = this.faults.sync?.(path)
        if (error !== undefined) throw error
        flush(inode)
      },
      truncate: async (bytes) => {
        await this.#change()
        apply(inode, { position: bytes })
      },
      close: () => this.#alive(),
    }
  }

  #inode(path: string): Inode {
    const inode = this.#files.get(path)
    if (inode === undefined) throw systemError('ENOENT')
    return inode
  }

  #roomFor(inode: Inode, position: number, bytes: number): number {
    const free = Math.max(0, this.bytesMax - this.bytes)
    return Math.min(bytes, Math.max(0, inode.content.length - position) + free)
  }

  async #alive(): Promise<void> {
    if (this.isDead) await never
  }

  /** @returns whether the change is the last one, to be done in part; others than writes are then not done at all. */
  async #change(kind?: 'write'): Promise<boolean> {
    await this.#alive()
    this.#changesLeft--
    if (this.isDead && kind !== 'write') await never
    return this.isDead
  }

  /** Entries that were not synced are there as before or as after, each for itself. */
  #filesAfterPowerLoss(): Map<string, Inode> {
    const files = new Map<string, Inode>()
    for (const path of new Set([...this.#files.keys(), ...this.#safeFiles.keys()])) {
      const [now, before] = [this.#files.get(path), this.#safeFiles.get(path)]
      const inode = now === before || this.#random.next() < 0.5 ? now : before
      if (inode !== undefined) files.set(path, inode)
    }
    return files
  }
}

const never = new Promise<never>(() => undefined)

function apply(inode: Inode, change: Change): void {
  inode.content = appended(inode, change) ?? changed(inode.content, change)
  inode.unsafe.push(change)
}

function flush(inode: Inode): void {
  inode.safe = inode.content
  inode.unsafe = []
}

/** The content with bytes put at its end, most often without copying it; `undefined` for another change. */
function appended(inode: Inode, { position, bytes }: Change): Buffer | undefined {
  const { content } = inode
  if (bytes === undefined || position !== content.length) return undefined
  const end = position + bytes.length
  let room = inode.room?.content === content ? inode.room.bytes : undefined
  if (room === undefined || end > room.length) {
    room = Buffer.allocUnsafe(2 * end)
    content.copy(room)
  }
  bytes.copy(room, position)
  inode.room = { bytes: room, content: room.subarray(0, end) }
  return inode.room.content
}

function changed(content: Buffer, { position, bytes }: Change): Buffer {
  if (bytes === undefined) return Buffer.concat([content], position)
  const result = Buffer.alloc(Math.max(content.length, position + bytes.length))
  content.copy(result)
  bytes.copy(result, position)
  return result
}

/** Of the writes that were not synced each sector is there or not. */
function contentAfterPowerLoss({ safe, unsafe }: Inode, random: Random): Buffer {
  let content = safe
  for (const change of unsafe) {
    if (change.bytes === undefined) {
      if (random.next() < 0.5) content = changed(content, change)
      continue
    }
    for (let at = 0; at < change.bytes.length; at += sectorBytes) {
      const bytes = change.bytes.subarray(at, at + sectorBytes)
      if (random.next() < 0.5) content = changed(content, { position: change.position + at, bytes })
    }
  }
  return content
}
