// The embedded store on a disk that fills up, loses what was not synced, fails syncs and forgets renames.
import assert from 'node:assert/strict'
import { basename, dirname } from 'node:path'
import { describe, it } from 'node:test'
import { KnodeError } from '../../../base/errors.ts'
import { seededRandom } from '../../../base/random.ts'
import type { Random } from '../../../base/random.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { ResourceKey, ResourceStore } from '../port.ts'
import type { Disk, DiskFile } from './disk.ts'
import { openJournalStore } from './open.ts'

describe('journal store on a bad disk', () => {
  it('rejects a put that finds the disk full, shows nothing of it, and heals when there is space', async () => {
    const disk = new SimulatedDisk(seededRandom(1))
    await using store = await openOn(disk)
    await store.put(key('a'), aConfigMap('one'))
    disk.isFull = true
    await assert.rejects(store.put(key('a'), aConfigMap('two')), {
      code: 'STORE_FAILED',
      message: 'cannot store configmaps default/a: ENOSPC: no space left on device',
      hint: 'free some disk space; no restart is needed',
      retryable: true,
    })
    await assert.rejects(store.delete(key('a')), { code: 'STORE_FAILED' })
    assert.deepEqual((await store.get(key('a')))?.spec, { text: 'one' })
    disk.isFull = false
    await store.put(key('a'), aConfigMap('three'))
    disk.crash()
    await using again = await openOn(disk)
    assert.deepEqual((await again.get(key('a')))?.spec, { text: 'three' })
  })

  it('lets small puts through when only a large one does not fit', async () => {
    const disk = new SimulatedDisk(seededRandom(2))
    await using store = await openOn(disk)
    disk.bytesFree = 2_000
    const results = await Promise.allSettled([
      store.put(key('a'), aConfigMap('small')),
      store.put(key('b'), aConfigMap('x'.repeat(5_000))),
      store.put(key('b'), aConfigMap('on top of the one that fails')),
      store.put(key('c'), aConfigMap('small')),
    ])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
    )
    assert.equal(await store.get(key('b')), undefined)
    await assert.rejects(store.put(key('b'), aConfigMap('x'.repeat(5_000))))
    await store.put(key('c'), aConfigMap('smaller'))
    assert.match(
      disk.content('resources-0000000001.journal'),
      /^(?:[0-9a-f]{8} \{.+\}\n){4}$/,
      'nothing half-written stays',
    )
  })

  it('trusts no byte of a file after a failed sync', async () => {
    const disk = new SimulatedDisk(seededRandom(3))
    await using store = await openOn(disk)
    await store.put(key('a'), aConfigMap('one'))
    disk.syncsToFail = 1
    await assert.rejects(store.put(key('b'), aConfigMap('two')), { code: 'STORE_FAILED', message: /EIO/ })
    await store.put(key('c'), aConfigMap('three'))
    assert.deepEqual(disk.fileNames, ['resources-0000000002.journal'])
  })

  it('goes on with the long journal when there is no space for a shorter one', async () => {
    const disk = new SimulatedDisk(seededRandom(4))
    await using store = await openJournalStore({ directory: '/data', disk, outdatedBytesMax: 1_000 })
    for (let index = 0; index < 8; index++) await store.put(key('a'), aConfigMap(`${index}`))
    disk.createsToFail = 1
    for (let index = 0; index < 40; index++) await store.put(key('a'), aConfigMap(`${index}`))
    assert.deepEqual((await store.get(key('a')))?.spec, { text: '39' })
  })

  it('opens a new store only when it can be written', async () => {
    const disk = new SimulatedDisk(seededRandom(5))
    disk.isFull = true
    await assert.rejects(openOn(disk), { code: 'STORE_FAILED', hint: 'free some disk space; no restart is needed' })
  })

  const histories = 400
  it(`keeps every acknowledged change through ${histories} random histories of faults and power cuts`, async () => {
    for (let seed = 1; seed <= histories; seed++) {
      try {
        await playHistory(seed)
      } catch (error) {
        throw new Error(`history ${seed}: ${String(error)}`, { cause: error })
      }
    }
  })
})

const openOn = (disk: Disk): Promise<ResourceStore> => openJournalStore({ directory: '/data', disk })
const key = (name: string): ResourceKey => ({ resource: 'configmaps', namespace: 'default', name })
const aConfigMap = (text: string): Resource => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c' },
  spec: { text },
})
const textOf = (resource: Resource | undefined): string | undefined =>
  (resource?.spec as { text: string } | undefined)?.text

async function playHistory(seed: number): Promise<void> {
  const random = seededRandom(seed)
  const disk = new SimulatedDisk(random)
  const names = ['a', 'b', 'c', 'd']
  /** What each object may be after a crash: the last acknowledged state first, then states of rejected changes. */
  const possible = new Map<string, (string | undefined)[]>(names.map((name) => [name, [undefined]]))
  let revision = 0
  for (let life = 0; life < 5; life++) {
    const store = await openJournalStore({ directory: '/data', disk, outdatedBytesMax: 600 })
    assert.ok(Number(await store.revision()) >= revision, 'revisions never go back')
    for (const name of names) {
      const found = textOf(await store.get(key(name)))
      assert.ok(possible.get(name)!.includes(found), `${name} is ${found}, not one of ${possible.get(name)!.join()}`)
      possible.set(name, [found])
    }
    disk.faultShare = 0.15
    for (let step = 0; step < 12; step++) {
      const changes = names
        .filter(() => random.next() < 0.5)
        .map(async (name) => {
          const text = random.next() < 0.2 ? undefined : `${life}-${step}-${'x'.repeat(random.next() * 200)}`
          try {
            const stored = await (text === undefined ? store.delete(key(name)) : store.put(key(name), aConfigMap(text)))
            revision = Math.max(revision, Number(stored?.metadata.resourceVersion ?? 0))
            possible.set(name, [text])
          } catch (error) {
            assert.ok(error instanceof KnodeError && error.code === 'STORE_FAILED', String(error))
            possible.get(name)!.push(text)
          }
          assert.equal(textOf(await store.get(key(name))), possible.get(name)![0], 'only acknowledged states show')
        })
      await Promise.all(changes)
    }
    disk.faultShare = 0
    disk.crash()
  }
}

interface SimulatedFile {
  /** What the process reads. */
  seen: Buffer
  /** What is on the platters. */
  safe: Buffer
  /** Writes on their way, in pieces that arrive or not one by one. */
  pending: { position: number; bytes: Buffer }[]
}

const sectorBytes = 64

/** One directory. Bytes are safe after a sync, names after a directory sync; a crash keeps a random part of the rest. */
class SimulatedDisk implements Disk {
  isFull = false
  bytesFree = Number.POSITIVE_INFINITY
  syncsToFail = 0
  createsToFail = 0
  /** Share of operations that fail. */
  faultShare = 0
  #random: Random
  #files = new Map<string, SimulatedFile>()
  #safeFiles = new Map<string, SimulatedFile>()

  constructor(random: Random) {
    this.#random = random
  }

  get fileNames(): string[] {
    return [...this.#files.keys()]
  }

  content(name: string): string {
    return this.#files.get(name)!.seen.toString()
  }

  /** Power is cut: everything that was not synced may or may not be there. */
  crash(): void {
    if (this.#random.next() < 0.5) this.#safeFiles = new Map(this.#files)
    this.#files = new Map(this.#safeFiles)
    for (const file of this.#files.values()) {
      this.#loseSome(file)
      file.seen = Buffer.from(file.safe)
    }
  }

  async open(path: string, how: 'create' | 'existing'): Promise<DiskFile> {
    if (how === 'create') {
      if (this.createsToFail-- > 0) throw diskFailure('EIO', 'i/o error')
      this.#files.set(basename(path), { seen: Buffer.alloc(0), safe: Buffer.alloc(0), pending: [] })
    }
    const file = this.#files.get(basename(path))
    if (file === undefined) throw diskFailure('ENOENT', 'no such file or directory')
    return {
      write: async (bytes, position) => this.#write(file, bytes, position),
      read: async (bytes, position) => file.seen.copy(bytes, 0, position),
      truncate: async (size) => {
        this.#mayFail()
        file.seen = file.seen.subarray(0, size)
        file.safe = file.safe.subarray(0, size)
        file.pending = file.pending.filter(({ position }) => position < size)
      },
      sync: async () => {
        if (this.syncsToFail-- > 0 || this.#random.next() < this.faultShare) {
          // The kernel gives up on the pages and calls them clean: later syncs will not write them.
          this.#loseSome(file)
          throw diskFailure('EIO', 'i/o error')
        }
        file.safe = Buffer.from(file.seen)
        file.pending = []
      },
      close: async () => undefined,
    }
  }

  async rename(from: string, to: string): Promise<void> {
    this.#mayFail()
    this.#files.set(basename(to), this.#files.get(basename(from))!)
    this.#files.delete(basename(from))
  }

  async remove(path: string): Promise<void> {
    this.#mayFail()
    this.#files.delete(basename(path))
  }

  async names(): Promise<string[]> {
    return this.fileNames
  }

  async syncDirectory(directory: string): Promise<void> {
    assert.equal(directory, dirname(`${directory}/x`))
    this.#mayFail()
    this.#safeFiles = new Map(this.#files)
  }

  #write(file: SimulatedFile, bytes: Buffer, position: number): void {
    const fails = this.isFull || bytes.length > this.bytesFree || this.#random.next() < this.faultShare
    const written = fails ? bytes.subarray(0, Math.floor(this.#random.next() * bytes.length)) : bytes
    this.bytesFree -= fails ? 0 : written.length
    file.seen = overlaid(file.seen, written, position)
    for (let at = 0; at < written.length; at += sectorBytes) {
      file.pending.push({ position: position + at, bytes: Buffer.from(written.subarray(at, at + sectorBytes)) })
    }
    if (fails) throw diskFailure('ENOSPC', 'no space left on device')
  }

  #loseSome(file: SimulatedFile): void {
    for (const { position, bytes } of file.pending) {
      if (this.#random.next() < 0.5) file.safe = overlaid(file.safe, bytes, position)
    }
    file.pending = []
  }

  #mayFail(): void {
    if (this.#random.next() < this.faultShare) throw diskFailure('EIO', 'i/o error')
  }
}

function overlaid(content: Buffer, bytes: Buffer, position: number): Buffer {
  const result = Buffer.alloc(Math.max(content.length, position + bytes.length))
  content.copy(result)
  bytes.copy(result, position)
  return result
}

const diskFailure = (code: string, text: string): Error => Object.assign(new Error(`${code}: ${text}`), { code })
