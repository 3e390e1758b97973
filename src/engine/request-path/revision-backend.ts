// Stands for one version of a program: starts it for its first request, lets requests wait until it is ready, keeps
// their number within bounds, and stops it when it has been idle. Source: knative/serving pkg/activator, pkg/queue.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { CancelTimer, Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { WorkloadRuntime, WorkloadSpec } from '../../ports/workload-runtime/port.ts'
import type { HttpEndpoint } from '../reconciler.ts'
import { chooseInstance } from './choose-instance.ts'
import { InstanceSet } from './instance-set.ts'
import type { Instance, StartFailure } from './instance-set.ts'
import { ProxyCall } from './proxy-call.ts'
import type { RequestTimeouts } from './proxy-call.ts'
import { openTunnel } from './upgrade-tunnel.ts'

export interface RevisionSettings {
  /** Instances that are kept when nobody asks. */
  instancesMin: number
  /** Instances that are started at once to prove that the program can be started; 0 takes that for granted. */
  instancesInitial: number
  /** Requests one instance works on at a time; 0 is no limit. */
  containerConcurrency: number
  /** How long without a request until surplus instances are stopped, in milliseconds. */
  idleMs: number
  /** Longest time from start to ready, also for the proof over all its tries, in milliseconds. */
  readyMs: number
  timeouts: RequestTimeouts
}

export interface RevisionBackendOptions extends RevisionSettings {
  /** What to start, asked at each start. `name` becomes the beginning of each instance's name. */
  workload: () => WorkloadSpec | Promise<WorkloadSpec>
  /** Called whenever `state` may have changed. Must not throw. */
  onChange: () => void
  runtime: WorkloadRuntime
  clock: Clock
  random: Random
  log: Logger
}

/**
 * - `deploying`: not yet proven that it can be started
 * - `proven`: it could be started once, now running or not
 * - `failed`: the last start failed, and no instance is ready
 */
export type BackendState = { phase: 'deploying' } | { phase: 'proven' } | { phase: 'failed'; failure: StartFailure }

/** Requests that wait for an instance, at most; more are answered 503. */
const waitingMax = 10_000
/** Waiting requests are given up when this many starts in a row have failed. */
const failuresMax = 3
/** What an instance gets between SIGTERM and SIGKILL, in milliseconds. */
const stopGraceMs = 5_000
/** How long closing waits for requests that were taken, in milliseconds. */
const drainMs = 10_000

/** A request that waits for a place at an instance, or holds one. */
interface Ticket {
  admit: (instance: Instance) => void
  refuse: (message: string) => void
  instance: Instance | undefined
  hasLeft: boolean
}

export class RevisionBackend implements HttpEndpoint, AsyncDisposable {
  readonly kind = 'http'
  #options: RevisionBackendOptions
  #instances: InstanceSet
  /** In the order they came. */
  #waiting = new Set<Ticket>()
  /** Tickets that have not left. */
  #open = 0
  #turn = 0
  #lastBusyMs = -Infinity
  #wasProven: boolean
  #hasGivenUpProof = false
  #cancelProof: CancelTimer | undefined
  #cancelIdle: CancelTimer | undefined
  #closing: Promise<void> | undefined
  #onDrained: () => void = () => undefined

  constructor(options: RevisionBackendOptions) {
    this.#options = options
    this.#wasProven = options.instancesInitial === 0
    const { workload, readyMs, runtime, clock, random, log } = options
    const onChange = (): void => this.#onInstances()
    this.#instances = new InstanceSet({ workload, readyMs, stopGraceMs, onChange, runtime, clock, random, log })
  }

  /** Starts the instances it begins with. */
  start(): void {
    const { clock, readyMs } = this.#options
    if (!this.#isProven) {
      this.#cancelProof = clock.setTimer(readyMs, () => {
        this.#hasGivenUpProof = true
        this.#rescale()
        this.#options.onChange()
      })
    }
    this.#rescale()
  }

  /** Tries again now to start what failed: something it needs has changed. */
  retry(): void {
    if (this.state.phase === 'failed') this.#instances.retry()
  }

  get state(): BackendState {
    const { failure, ready } = this.#instances
    if (failure !== undefined && ready.length === 0) return { phase: 'failed', failure }
    return { phase: this.#isProven ? 'proven' : 'deploying' }
  }

  /** Ready instances. */
  get readyCount(): number {
    return this.#instances.ready.length
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const ticket = newTicket()
    const { clock, timeouts } = this.#options
    const call = new ProxyCall(request, response, { clock, timeouts }, () => this.#leave(ticket))
    ticket.admit = ({ connections }) => call.send(connections)
    ticket.refuse = (message) => call.fail(503, message)
    this.#enter(ticket)
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const ticket = newTicket()
    const { clock, timeouts } = this.#options
    const cancel = clock.setTimer(timeouts.totalMs, () => socket.destroy())
    ticket.admit = ({ workload: { host, port } }) => void openTunnel(request, socket, head, { host, port })
    ticket.refuse = (message) =>
      socket.end(
        `HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n${message}\n`,
      )
    socket.on('close', () => {
      cancel()
      this.#leave(ticket)
    })
    this.#enter(ticket)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  get #isProven(): boolean {
    return this.#wasProven || this.#instances.readyMost >= this.#options.instancesInitial
  }

  #enter(ticket: Ticket): void {
    this.#open++
    const refusal = this.#refusal()
    if (refusal !== undefined) return this.#refuse(ticket, refusal)
    this.#waiting.add(ticket)
    this.#rescale()
    this.#admitWaiting()
  }

  #leave(ticket: Ticket): void {
    if (ticket.hasLeft) return
    ticket.hasLeft = true
    this.#waiting.delete(ticket)
    this.#open--
    this.#lastBusyMs = this.#options.clock.monotonicMs()
    if (ticket.instance !== undefined) this.#instances.release(ticket.instance)
    if (this.#open > 0) return this.#admitWaiting()
    this.#onDrained()
    this.#watchIdle()
  }

  #refuse(ticket: Ticket, message: string): void {
    ticket.refuse(message)
    this.#leave(ticket)
  }

  #refusal(): string | undefined {
    if (this.#closing !== undefined) return 'shutting down'
    if (this.#waiting.size >= waitingMax) return 'pending request queue full'
    // Between two tries of a program that does not start there is nothing to wait for.
    return this.#instances.isBackingOff ? this.#givenUp() : undefined
  }

  /** Why requests should not wait any longer. */
  #givenUp(): string | undefined {
    const { failure, failuresInRow, ready } = this.#instances
    if (failure === undefined || ready.length > 0) return undefined
    if (failure.kind !== 'missing' && failuresInRow < failuresMax) return undefined
    return `the program cannot be started: ${failure.message}`
  }

  #admitWaiting(): void {
    const { containerConcurrency, random } = this.#options
    for (const ticket of this.#waiting) {
      const instance = chooseInstance(this.#instances.ready, containerConcurrency, { random, turn: this.#turn })
      if (instance === undefined) return
      this.#turn++
      this.#waiting.delete(ticket)
      ticket.instance = instance
      instance.inFlight++
      ticket.admit(instance)
    }
  }

  #onInstances(): void {
    if (this.#closing !== undefined) return
    if (!this.#wasProven && this.#isProven) {
      this.#wasProven = true
      this.#cancelProof?.()
      this.#lastBusyMs = this.#options.clock.monotonicMs()
      if (this.#open === 0) this.#watchIdle()
    }
    const givenUp = this.#givenUp()
    if (givenUp !== undefined) for (const ticket of this.#waiting) this.#refuse(ticket, givenUp)
    this.#admitWaiting()
    this.#options.onChange()
  }

  #rescale(): void {
    if (this.#closing === undefined) this.#instances.want(this.#wanted())
  }

  #wanted(): number {
    const { instancesMin, instancesInitial, idleMs, clock } = this.#options
    if (!this.#isProven && !this.#hasGivenUpProof) return Math.max(instancesMin, instancesInitial)
    const isBusy = this.#open > 0 || clock.monotonicMs() - this.#lastBusyMs < idleMs
    return isBusy ? Math.max(instancesMin, 1) : instancesMin
  }

  /** One timer while there may be something to stop; none at zero. */
  #watchIdle(): void {
    const { clock, idleMs } = this.#options
    if (this.#closing !== undefined || this.#cancelIdle !== undefined) return
    const leftMs = this.#lastBusyMs + idleMs - clock.monotonicMs()
    this.#cancelIdle = clock.setTimer(leftMs, () => {
      this.#cancelIdle = undefined
      this.#rescale()
      const isStillBusy = this.#lastBusyMs + idleMs > clock.monotonicMs()
      if (this.#open === 0 && isStillBusy) this.#watchIdle()
    })
  }

  async #close(): Promise<void> {
    this.#cancelProof?.()
    this.#cancelIdle?.()
    if (this.#open > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#options.clock.setTimer(drainMs, resolve)
        this.#onDrained = () => {
          cancel()
          resolve()
        }
      })
    }
    for (const ticket of this.#waiting) this.#refuse(ticket, 'shutting down')
    await this.#instances[Symbol.asyncDispose]()
  }
}

const newTicket = (): Ticket => ({
  admit: () => undefined,
  refuse: () => undefined,
  instance: undefined,
  hasLeft: false,
})
