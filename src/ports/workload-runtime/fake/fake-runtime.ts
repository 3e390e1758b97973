// A runtime whose programs are scripts of the test: when they become ready, what they answer, how they end.
import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { sleep } from '../../../base/clock.ts'
import type { Clock } from '../../../base/clock.ts'
import { KnodeError } from '../../../base/errors.ts'
import { LogRing } from '../log-ring.ts'
import { defaultContainerPort } from '../port.ts'
import type { LogLine, LogOptions, Workload, WorkloadExit, WorkloadRuntime, WorkloadSpec } from '../port.ts'
import { untilReady } from '../until-ready.ts'

/** What an instance does. */
export interface FakeProgram {
  /** Time until it is ready, in milliseconds on the clock; `Infinity` for never. @default 0 */
  startMs?: number
  /** Time between being asked to end and the end, in milliseconds on the clock. @default 0 */
  stopMs?: number
  /** Ends by itself instead of becoming ready. */
  exit?: WorkloadExit
  /** Lines on standard output. */
  prints?: string[]
  /** Answers requests. @default 200 and the instance's name */
  handle?: RequestListener
  /** Takes over a connection whose client wants another protocol. @default such requests are answered as usual */
  upgrade?: (request: IncomingMessage, socket: Duplex) => void
}

export interface FakeRuntime extends WorkloadRuntime {
  /** Every instance ever started, in order. */
  readonly started: readonly FakeWorkload[]
  /** Those that have not ended. */
  readonly running: readonly FakeWorkload[]
}

/** `program` says what a spec means; `undefined` means that it cannot be run. */
export function createFakeRuntime(options: {
  clock: Clock
  program?: (spec: WorkloadSpec) => FakeProgram | undefined
}): FakeRuntime {
  const { clock, program = () => ({}) } = options
  const started: FakeWorkload[] = []
  const running = (): FakeWorkload[] => started.filter(({ hasEnded }) => !hasEnded)
  return {
    started,
    get running() {
      return running()
    },
    objection: (spec) => (program(spec) === undefined ? `no script for image ${spec.image}` : undefined),
    async start(spec) {
      const script = program(spec)
      if (script === undefined) throw new KnodeError('WORKLOAD_FAILED', `no script for image ${spec.image}`)
      const workload = new FakeWorkload(spec, script, clock)
      started.push(workload)
      await workload.open()
      return workload
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(running().map((workload) => workload.stop({ graceMs: 0 })))
    },
  }
}

export class FakeWorkload implements Workload {
  readonly spec: WorkloadSpec
  readonly host = '127.0.0.1'
  readonly exited: Promise<WorkloadExit>
  port = 0
  hasEnded = false
  #script: FakeProgram
  #clock: Clock
  #readyAtMs: number
  #ring: LogRing
  #server: Server
  #exit: (exit: WorkloadExit) => void = () => undefined

  constructor(spec: WorkloadSpec, script: FakeProgram, clock: Clock) {
    this.spec = spec
    this.#script = script
    this.#clock = clock
    this.#readyAtMs = clock.monotonicMs() + (script.startMs ?? 0)
    this.#ring = new LogRing(clock)
    this.#server = createServer(script.handle ?? ((_request, response) => response.end(spec.name)))
    if (script.upgrade !== undefined) this.#server.on('upgrade', script.upgrade)
    this.exited = new Promise((resolve) => (this.#exit = resolve))
  }

  async open(): Promise<void> {
    for (const line of this.#script.prints ?? []) this.print(line)
    await new Promise<void>((resolve) => this.#server.listen(0, this.host, resolve))
    this.port = (this.#server.address() as AddressInfo).port
    if (this.#script.exit !== undefined) this.end(this.#script.exit)
  }

  portOf(containerPort: number): number | undefined {
    return containerPort === (this.spec.containerPort ?? defaultContainerPort) ? this.port : undefined
  }

  async ready({ timeoutMs }: { timeoutMs: number }): Promise<void> {
    await untilReady(this, this.#clock, timeoutMs, async (signal) => {
      // A program that ends by itself is never ready, and neither is one that has ended.
      if (this.hasEnded || this.#readyAtMs === Infinity) return new Promise(() => undefined)
      const leftMs = this.#readyAtMs - this.#clock.monotonicMs()
      if (leftMs > 0) await sleep(this.#clock, leftMs, signal)
    })
  }

  logs(options?: LogOptions): AsyncIterable<LogLine> {
    return this.#ring.read(options)
  }

  async stop({ graceMs }: { graceMs: number }): Promise<void> {
    const { stopMs = 0 } = this.#script
    if (!this.hasEnded && graceMs > 0 && stopMs > 0) await sleep(this.#clock, Math.min(stopMs, graceMs))
    this.end(stopMs > graceMs ? { signal: 'SIGKILL' } : { code: 0 })
    await this.exited
  }

  print(text: string, stream: LogLine['stream'] = 'stdout'): void {
    this.#ring.append(stream, text)
  }

  /** Ends as if by itself. */
  end(exit: WorkloadExit): void {
    if (this.hasEnded) return
    this.hasEnded = true
    this.#server.close()
    this.#server.closeAllConnections()
    this.#ring.end()
    this.#exit(exit)
  }
}
