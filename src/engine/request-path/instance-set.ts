// Keeps a wanted number of instances of one workload running: starts, restarts with back-off, drains and stops them.
import { Pool } from 'undici'
import type { CancelTimer, Clock } from '../../base/clock.ts'
import { KnodeError, messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { Workload, WorkloadExit, WorkloadRuntime, WorkloadSpec } from '../../ports/workload-runtime/port.ts'
import type { Candidate } from './choose-instance.ts'

/** Why the last start did not come to a ready instance. */
export interface StartFailure {
  kind: 'missing' | 'exited' | 'not-started' | 'not-listening'
  /** Of `exited`. */
  exit?: WorkloadExit
  message: string
  /** The last lines it printed. */
  output: string
}

/** A ready instance. */
export interface Instance extends Candidate {
  readonly workload: Workload
  /** Connections to it. */
  readonly connections: Pool
  readonly readyAtMs: number
}

export interface InstanceSetOptions {
  /** What to start; asked at each start. `name` is made unique by the set. @throws when it cannot be told now. */
  workload: () => WorkloadSpec | Promise<WorkloadSpec>
  /** Longest time from start to ready, in milliseconds. */
  readyMs: number
  /** What an instance gets between SIGTERM and SIGKILL, in milliseconds. */
  stopGraceMs: number
  /** Called whenever `ready`, `failure` or the number of instances has changed. Must not throw. */
  onChange: () => void
  runtime: WorkloadRuntime
  clock: Clock
  random: Random
  log: Logger
}

/** Waits before a restart after a failure: doubled each time, in milliseconds. */
const backoffMsMin = 1_000
const backoffMsMax = 60_000
/** An instance that ends by itself within this time counts as failed, in milliseconds. */
const steadyMs = 10_000
/** Lines of a failed program's output that its failure tells. */
const outputLinesMax = 10
const outputCharactersMax = 2_048
/** Connections to one instance; more requests wait for one. */
const connectionsMax = 1_000

export class InstanceSet implements AsyncDisposable {
  #options: InstanceSetOptions
  #ready: Instance[] = []
  #readyMost = 0
  #starting = 0
  #wanted = 0
  #failure: StartFailure | undefined
  /** Instances in a row that failed to start, or ended soon after. */
  #failuresInRow = 0
  #cancelBackoff: CancelTimer | undefined
  /** Instances on their way out, and starts that are under way. */
  #busy = new Set<Promise<void>>()
  #onIdle = new WeakMap<Instance, () => void>()
  #closing = new AbortController()
  #closed = new Promise<void>((resolve) => this.#closing.signal.addEventListener('abort', () => resolve()))

  constructor(options: InstanceSetOptions) {
    this.#options = options
  }

  get ready(): readonly Instance[] {
    return this.#ready
  }

  /** Set while the last start has failed; cleared by the next that succeeds. */
  get failure(): StartFailure | undefined {
    return this.#failure
  }

  get failuresInRow(): number {
    return this.#failuresInRow
  }

  /** It waits before it starts the next instance. */
  get isBackingOff(): boolean {
    return this.#cancelBackoff !== undefined
  }

  /** The most instances that were ever ready at once. */
  get readyMost(): number {
    return this.#readyMost
  }

  /** Sets how many instances there should be. */
  want(count: number): void {
    if (this.#isClosing || count === this.#wanted) return
    this.#wanted = count
    // Somebody asks anew: what was given up before gets another chance.
    if (count > 0 && this.#cancelBackoff === undefined) this.#fill()
    while (this.#ready.length > this.#wanted) this.#retire(this.#leastBusy())
  }

  /** Does not wait any longer before the next start: what made the last one fail has changed. */
  retry(): void {
    this.#cancelBackoff?.()
    this.#cancelBackoff = undefined
    this.#fill()
  }

  /** A request has left the instance. */
  release(instance: Instance): void {
    instance.inFlight--
    if (instance.inFlight === 0) this.#onIdle.get(instance)?.()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    this.#wanted = 0
    this.#cancelBackoff?.()
    for (const instance of this.#ready) this.#retire(instance)
    while (this.#busy.size > 0) await Promise.all(this.#busy)
  }

  #fill(): void {
    while (!this.#isClosing && this.#ready.length + this.#starting < this.#wanted) this.#track(this.#start())
  }

  async #start(): Promise<void> {
    const { runtime, log, onChange, readyMs, stopGraceMs } = this.#options
    this.#starting++
    let workload: Workload | undefined
    let spec: WorkloadSpec | undefined
    try {
      spec = await this.#nextSpec()
      const objection = runtime.objection(spec)
      if (objection !== undefined) return this.#onFailure({ kind: 'missing', message: objection, output: '' })
      workload = await runtime.start(spec)
      log.info('instance started', { instance: spec.name })
      await Promise.race([workload.ready({ timeoutMs: readyMs }), this.#closed])
    } catch (thrown) {
      const failure = await failureOf(thrown, workload)
      await workload?.stop({ graceMs: stopGraceMs })
      log.warn('instance failed to start', { instance: spec?.name, err: thrown })
      return this.#onFailure(failure)
    } finally {
      this.#starting--
    }
    const instance = this.#adopt(workload)
    // It may have become superfluous while it started.
    if (this.#isClosing || this.#ready.length > this.#wanted) this.#retire(instance)
    else onChange()
  }

  async #nextSpec(): Promise<WorkloadSpec> {
    const spec = await this.#options.workload()
    const { random } = this.#options
    const suffix = Array.from({ length: 5 }, () => suffixLetters[Math.floor(random.next() * suffixLetters.length)])
    return { ...spec, name: `${spec.name}-${suffix.join('')}` }
  }

  #adopt(workload: Workload): Instance {
    const { host, port } = workload
    const origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
    const connections = new Pool(origin, {
      connections: connectionsMax,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: 1_048_576,
    })
    const instance: Instance = { workload, connections, inFlight: 0, readyAtMs: this.#options.clock.monotonicMs() }
    this.#ready.push(instance)
    this.#readyMost = Math.max(this.#readyMost, this.#ready.length)
    this.#failure = undefined
    void workload.exited.then((exit) => this.#onExit(instance, exit))
    return instance
  }

  /** An instance that nobody asked to end. */
  #onExit(instance: Instance, exit: WorkloadExit): void {
    if (!this.#ready.includes(instance)) return
    const { log, onChange, clock } = this.#options
    log.warn('instance ended by itself', { instance: instance.workload.spec.name, ...exit })
    this.#ready = this.#ready.filter((other) => other !== instance)
    this.#track(instance.connections.destroy())
    if (clock.monotonicMs() - instance.readyAtMs < steadyMs) this.#retryLater()
    else {
      this.#failuresInRow = 0
      this.#fill()
    }
    onChange()
  }

  #onFailure(failure: StartFailure): void {
    this.#failure = failure
    this.#retryLater()
    this.#options.onChange()
  }

  #retryLater(): void {
    if (this.#isClosing) return
    const delayMs = Math.min(backoffMsMin * 2 ** this.#failuresInRow++, backoffMsMax)
    this.#cancelBackoff?.()
    this.#cancelBackoff = this.#options.clock.setTimer(delayMs, () => {
      this.#cancelBackoff = undefined
      this.#fill()
    })
  }

  /** Takes no more requests, finishes those it has, ends. */
  #retire(instance: Instance): void {
    this.#ready = this.#ready.filter((other) => other !== instance)
    this.#track(this.#end(instance))
    this.#options.onChange()
  }

  async #end(instance: Instance): Promise<void> {
    const { workload, connections } = instance
    if (instance.inFlight > 0) {
      const idle = new Promise<void>((resolve) => this.#onIdle.set(instance, resolve))
      await Promise.race([idle, workload.exited, this.#closed])
    }
    await workload.stop({ graceMs: this.#options.stopGraceMs })
    await connections.destroy()
    this.#options.log.info('instance stopped', { instance: workload.spec.name })
  }

  get #isClosing(): boolean {
    return this.#closing.signal.aborted
  }

  #leastBusy(): Instance {
    return this.#ready.reduce((least, other) => (other.inFlight < least.inFlight ? other : least))
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((err: unknown) => this.#options.log.error('an instance could not be handled', { err }))
      .finally(() => this.#busy.delete(tracked))
    this.#busy.add(tracked)
  }
}

/** As Kubernetes' generated names: no vowels, no look-alikes. */
const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789'

async function failureOf(thrown: unknown, workload: Workload | undefined): Promise<StartFailure> {
  const message = messageOf(thrown)
  if (workload === undefined) return { kind: 'not-started', message, output: '' }
  const isTimeout = thrown instanceof KnodeError && thrown.code === 'TIMED_OUT'
  const lines: string[] = []
  for await (const { text } of workload.logs({ tailLines: outputLinesMax })) lines.push(text)
  const output = lines.join('\n').slice(-outputCharactersMax)
  if (isTimeout) return { kind: 'not-listening', message, output }
  return { kind: 'exited', exit: await workload.exited, message, output }
}
