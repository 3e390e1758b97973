// Where the requests of one Revision pass: they wait here for a Pod, are kept within its limits, and are counted.
// Source: knative/serving pkg/activator, pkg/queue.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Metrics } from '../../base/metrics.ts'
import type { Random } from '../../base/random.ts'
import type { ForwardOptions } from '../reconciler.ts'
import type {
  PodEndpoint,
  PodTable,
  RequestLogSpec,
  RequestSample,
  RevisionDoor,
  RevisionDoorSpec,
} from '../serving.ts'
import { noTracing } from '../tracing.ts'
import type { Tracing } from '../tracing.ts'
import { Invocations } from './door-telemetry.ts'
import { RequestMeter } from './request-meter.ts'
import { PodRoom } from './pod-room.ts'
import { ProxyCall } from './proxy-call.ts'
import type { CallDeps } from './proxy-call.ts'
import { RequestLog } from './request-log.ts'
import type { AnsweredRequest } from './request-log.ts'
import { traceRequest } from './request-trace.ts'
import type { RequestTrace } from './request-trace.ts'
import type { Ticket } from './ticket-queue.ts'
import { UpgradeTunnel } from './upgrade-tunnel.ts'
import type { TunnelDeps } from './upgrade-tunnel.ts'

export interface RevisionDoorDeps {
  pods: PodTable
  clock: Clock
  random: Random
  log: Logger
  metrics: Metrics
  /** @default nothing is recorded */
  tracing?: Tracing
  /** Takes a finished line of a request, newline included. */
  writeRequestLog: (line: string) => void
}

export interface DoorOptions extends RevisionDoorDeps {
  /** Called once, when it begins to close. */
  onClosing: () => void
}

/** How long closing waits for requests that were taken, in milliseconds. */
const drainMs = 10_000

export class Door implements RevisionDoor, AsyncDisposable {
  readonly kind = 'http'
  readonly spec: RevisionDoorSpec
  #deps: DoorOptions
  #tracing: Tracing
  #room: PodRoom
  #load: RequestMeter
  #callDeps: CallDeps
  #tunnelDeps: TunnelDeps
  #listener: (() => void) | undefined
  #requestLogSpec: RequestLogSpec | undefined
  #requestLog: RequestLog | undefined
  #closing: Promise<void> | undefined
  #onDrained: () => void = () => undefined

  constructor(spec: RevisionDoorSpec, deps: DoorOptions) {
    const { namespace, selector, containerPort, protocol, containerConcurrency, timeouts } = spec
    const { pods, clock, random, metrics } = deps
    this.spec = spec
    this.#deps = deps
    this.#tracing = deps.tracing ?? noTracing
    this.#load = new RequestMeter(clock)
    this.#room = new PodRoom({
      pods,
      namespace,
      selector,
      portOf: (pod) => pod.portOf(containerPort),
      protocol,
      containerConcurrency,
      clock,
      random,
    })
    const invocations = new Invocations(metrics, spec)
    const shared = {
      clock,
      headerRules: { kind: 'revision', random } as const,
      onUnsent: (ticket: Ticket, why: string) => {
        ticket.trace?.unsent(why)
        this.#room.reenter(ticket, why)
      },
    }
    this.#callDeps = {
      ...shared,
      timeouts,
      onDone: (call) => {
        const { pod, response, startedMs } = call
        call.trace?.end(call)
        this.#leave(call)
        this.#logRequest(call, pod, startedMs)
        if (response.headersSent) invocations.record(call.method, response.statusCode, clock.monotonicMs() - startedMs)
      },
    }
    this.#tunnelDeps = {
      ...shared,
      totalMs: timeouts.totalMs,
      onDone: (tunnel) => {
        const { pod, startedMs } = tunnel
        tunnel.trace?.end(tunnel)
        this.#leave(tunnel)
        this.#logRequest(tunnel, pod, startedMs)
      },
    }
  }

  get readyCount(): number {
    return this.#room.readyCount
  }

  get inFlight(): number {
    return this.#load.inFlight
  }

  get waitingCount(): number {
    return this.#room.waitingCount
  }

  handle(request: IncomingMessage, response: ServerResponse, options?: ForwardOptions): void {
    this.#enter(new ProxyCall(request, response, this.#callDeps, options, this.#trace(request)))
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, options?: ForwardOptions): void {
    this.#enter(new UpgradeTunnel({ request, socket, head }, this.#tunnelDeps, options, this.#trace(request)))
  }

  takeSample(): RequestSample {
    return this.#load.take()
  }

  onDemand(listener: () => void): Disposable {
    this.#listener = listener
    return {
      [Symbol.dispose]: () => {
        if (this.#listener === listener) this.#listener = undefined
      },
    }
  }

  setTrouble(message: string | undefined): void {
    this.#room.setTrouble(message)
  }

  setRequestLog(spec: RequestLogSpec | undefined): void {
    if (isDeepStrictEqual(spec, this.#requestLogSpec)) return
    this.#requestLogSpec = spec
    this.#requestLog = undefined
    if (spec === undefined) return
    const { log, writeRequestLog } = this.#deps
    try {
      this.#requestLog = new RequestLog(this.spec, spec, writeRequestLog)
    } catch (thrown) {
      const { namespace, name } = this.spec
      log.warn('requests are not logged: the template is none', { namespace, name, error: messageOf(thrown) })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  #enter(ticket: Ticket): void {
    const isFirst = this.#load.inFlight === 0
    this.#load.enter()
    if (this.#closing !== undefined) return ticket.refuse(503, 'shutting down')
    this.#room.enter(ticket)
    if (ticket.isQueued) ticket.trace?.waiting()
    if (isFirst) this.#listener?.()
  }

  #trace(request: IncomingMessage): RequestTrace | undefined {
    const tracer = this.#tracing.serving
    return tracer === undefined ? undefined : traceRequest(tracer, request, this.spec)
  }

  #leave(ticket: Ticket): void {
    this.#load.leave()
    this.#room.leave(ticket)
    if (this.#load.inFlight === 0) this.#onDrained()
  }

  #logRequest(answered: AnsweredRequest, pod: PodEndpoint | undefined, startedMs: number): void {
    this.#requestLog?.record(answered, pod, this.#deps.clock.monotonicMs() - startedMs)
  }

  async #close(): Promise<void> {
    const { clock, log, onClosing } = this.#deps
    onClosing()
    // Who waits for a Pod to come would wait in vain.
    if (this.#room.readyCount === 0) this.#room.refuseWaiting('shutting down')
    if (this.#load.inFlight > 0) {
      await new Promise<void>((resolve) => {
        const cancel = clock.setTimer(drainMs, resolve)
        this.#onDrained = () => {
          cancel()
          resolve()
        }
      })
    }
    const { namespace, name } = this.spec
    if (this.#load.inFlight > 0) log.warn('a Revision’s door closes on open requests', { namespace, name })
    this.#room.close('shutting down')
  }
}
