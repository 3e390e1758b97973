// The embedded durable transport: a directory of streams.
import { createHash, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { KnodeError, messageOf } from '../../../base/errors.ts'
import { systemRandom } from '../../../base/random.ts'
import type { LogTransportOptions } from '../open.ts'
import type { EventStream, EventTransport, StreamInfo, StreamOptions } from '../port.ts'
import { BufferPool } from './buffer-pool.ts'
import { checkedLine, parseCheckedLine } from './checked-line.ts'
import { isFull, nodeFileSystem, readWhole, writeFully } from './file-system.ts'
import type { LogStream, LogStreamDeps } from './log-stream.ts'
import { openLogStream } from './log-stream.ts'

/** What is written about a stream beside its events. */
interface StreamFacts {
  name: string
  options: StreamOptions
}

const factsName = 'stream'
const deletedPrefix = 'deleted-'
/** What {@link directoryName} makes; others put files of theirs into any directory. */
const streamDirectory = /-[0-9a-f]{16}$/

/** Opens the directory with all streams in it. @throws {KnodeError} TRANSPORT_FAILED when one cannot be read. */
export async function openLogTransport(options: LogTransportOptions): Promise<EventTransport> {
  const { directory, clock, log, durability = 'disk', gatherMsMax = 0 } = options
  const { random = systemRandom, fileSystem = nodeFileSystem } = options
  const deps = { fileSystem, clock, random, log, buffers: new BufferPool(), durability, gatherMsMax }
  const transport = new LogTransport(directory, deps)
  try {
    await transport.openAll()
  } catch (error) {
    throw new KnodeError('TRANSPORT_FAILED', `streams in ${directory} cannot be opened: ${messageOf(error)}`, {
      cause: error,
    })
  }
  return transport
}

class LogTransport implements EventTransport {
  #directory: string
  #deps: LogStreamDeps
  #streams = new Map<string, LogStream>()
  /** Streams that were closed to be deleted, and whose directory could not be put away: to be tried again. */
  #undeleted = new Set<string>()
  /** Creations and deletions, one after the other. */
  #turn: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(directory: string, deps: LogStreamDeps) {
    this.#directory = directory
    this.#deps = deps
  }

  async openAll(): Promise<void> {
    const { fileSystem, log } = this.#deps
    await fileSystem.makeDirectory(this.#directory)
    for (const entry of await fileSystem.list(this.#directory)) {
      const path = join(this.#directory, entry)
      if (entry.startsWith(deletedPrefix)) {
        await fileSystem.remove(path)
        continue
      }
      if (!streamDirectory.test(entry)) continue
      const facts = await this.#readFacts(path)
      if (facts !== undefined)
        this.#streams.set(facts.name, await openLogStream(facts.name, path, facts.options, this.#deps))
      else if (await this.#hasEvents(path))
        log.error('stream has no readable name until it is needed', { code: 'LOG_CORRUPT', path })
      // Nothing more came of it than the directory.
      else await fileSystem.remove(path)
    }
  }

  ensureStream(name: string, options: StreamOptions = {}): Promise<EventStream> {
    return this.#inTurn(async () => {
      if (this.#isClosed) throw new KnodeError('TRANSPORT_CLOSED', 'the event transport is closed')
      const path = join(this.#directory, directoryName(name))
      let stream = this.#streams.get(name)
      if (stream === undefined) {
        await this.#deps.fileSystem.makeDirectory(path)
        await this.#writeFacts(path, { name, options })
        stream = await openLogStream(name, path, options, this.#deps)
        this.#undeleted.delete(name)
        this.#streams.set(name, stream)
      } else {
        const before = JSON.stringify(stream.options)
        stream.setOptions(options)
        if (JSON.stringify(stream.options) !== before) await this.#writeFacts(path, { name, options })
      }
      return stream
    })
  }

  stream(name: string): EventStream | undefined {
    return this.#streams.get(name)
  }

  deleteStream(name: string): Promise<void> {
    return this.#inTurn(async () => {
      const stream = this.#streams.get(name)
      if (stream === undefined && !this.#undeleted.has(name)) return
      this.#streams.delete(name)
      await stream?.close({ keep: false })
      // A removal that is cut short must not leave half a stream behind.
      const { fileSystem } = this.#deps
      const doomed = join(this.#directory, deletedPrefix + randomUUID())
      this.#undeleted.add(name)
      await fileSystem.rename(join(this.#directory, directoryName(name)), doomed)
      this.#undeleted.delete(name)
      await fileSystem.syncDirectory(this.#directory)
      await fileSystem.remove(doomed)
    })
  }

  streams(): StreamInfo[] {
    return [...this.#streams.keys()].sort().map((name) => this.#streams.get(name)!.info())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#inTurn(async () => {
      this.#isClosed = true
      await Promise.all([...this.#streams.values()].map((stream) => stream.close({ keep: true })))
    })
  }

  /** @throws {KnodeError} TRANSPORT_FULL or TRANSPORT_FAILED for errors of the system. */
  #inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(act).catch((error: unknown) => {
      if (error instanceof KnodeError) throw error
      const code = isFull(error) ? 'TRANSPORT_FULL' : 'TRANSPORT_FAILED'
      const message = `streams in ${this.#directory} cannot be changed: ${messageOf(error)}`
      throw new KnodeError(code, message, { retryable: isFull(error), cause: error })
    })
    this.#turn = result.catch(() => undefined)
    return result
  }

  /** Whether the directory holds more than a beginning that was cut short. */
  async #hasEvents(path: string): Promise<boolean> {
    const names = await this.#deps.fileSystem.list(path)
    return names.some((name) => name.endsWith('.log'))
  }

  async #readFacts(path: string): Promise<StreamFacts | undefined> {
    const file = await this.#deps.fileSystem.open(join(path, factsName), { synced: false })
    try {
      return parseCheckedLine((await readWhole(file)).toString().trimEnd()) as StreamFacts | undefined
    } finally {
      await file.close()
    }
  }

  async #writeFacts(path: string, facts: StreamFacts): Promise<void> {
    const { fileSystem } = this.#deps
    const [target, fresh] = [join(path, factsName), join(path, `${factsName}.new`)]
    await fileSystem.remove(fresh)
    const file = await fileSystem.open(fresh, { synced: false })
    try {
      await writeFully(file, checkedLine(facts), 0)
      await file.sync()
    } finally {
      await file.close()
    }
    await fileSystem.rename(fresh, target)
    await fileSystem.syncDirectory(path)
    await fileSystem.syncDirectory(this.#directory)
  }
}

/** A name for files: readable, and distinct for distinct streams. */
function directoryName(stream: string): string {
  const readable = stream.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 60)
  const distinct = createHash('sha256').update(stream).digest('hex').slice(0, 16)
  return `${readable}-${distinct}`
}
