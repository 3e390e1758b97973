// Runs the well-known demo images of Knative's tutorials inside Knode, each behind a loopback port of its own.
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../../../base/clock.ts'
import { KnodeError, messageOf } from '../../../base/errors.ts'
import type { Random } from '../../../base/random.ts'
import { startListening } from '../../../base/start-listening.ts'
import { imageName } from '../image-name.ts'
import { LogRing } from '../log-ring.ts'
import type { LogRingLimits } from '../log-ring.ts'
import { defaultContainerPort } from '../port.ts'
import type { LogLine, LogOptions, Workload, WorkloadExit, WorkloadRuntime, WorkloadSpec } from '../port.ts'
import { StopDeadline } from '../stop-deadline.ts'
import { untilReady } from '../until-ready.ts'
import { appender } from './appender.ts'
import { eventDisplay } from './event-display.ts'
import { heartbeats } from './heartbeats.ts'
import { helloWorld } from './hello-world.ts'
import type { BuiltInImage, Program } from './program.ts'

const builtInImages: readonly BuiltInImage[] = [eventDisplay, appender, heartbeats, helloWorld]

export interface BuiltInRuntimeOptions {
  clock: Clock
  random: Random
  logLimits?: LogRingLimits
  /** @default those of Knative's tutorials */
  images?: readonly BuiltInImage[]
}

export function createBuiltInRuntime(options: BuiltInRuntimeOptions): WorkloadRuntime {
  const { images = builtInImages } = options
  const running = new Set<Workload>()
  const imageOf = ({ image }: WorkloadSpec): BuiltInImage | undefined =>
    images.find(({ names }) => names.test(imageName(image)))
  return {
    objection: (spec) => (imageOf(spec) === undefined ? `${imageName(spec.image)} is not built into Knode` : undefined),
    async start(spec) {
      const image = imageOf(spec)
      if (image === undefined)
        throw new KnodeError('WORKLOAD_FAILED', `${imageName(spec.image)} is not built into Knode`)
      const workload = new BuiltInWorkload(spec, image, options)
      running.add(workload)
      void workload.exited.then(() => running.delete(workload))
      await workload.opened
      return workload
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running].map((workload) => workload.stop({ graceMs: 0 })))
    },
  }
}

class BuiltInWorkload implements Workload {
  readonly spec: WorkloadSpec
  readonly host = '127.0.0.1'
  readonly exited: Promise<WorkloadExit>
  /** Settles when it listens, works, or has failed. */
  readonly opened: Promise<void>
  port = 0
  #options: BuiltInRuntimeOptions
  #ring: LogRing
  #ending = new AbortController()
  #server: Server | undefined
  #exit: (exit: WorkloadExit) => void = () => undefined
  #stopping: Promise<void> | undefined
  #deadline: StopDeadline
  #isForced = false

  constructor(spec: WorkloadSpec, image: BuiltInImage, options: BuiltInRuntimeOptions) {
    this.spec = spec
    this.#options = options
    this.#ring = new LogRing(options.clock, options.logLimits)
    this.#deadline = new StopDeadline(options.clock, () => {
      this.#isForced = true
      this.#server?.closeAllConnections()
    })
    const ended = new Promise<WorkloadExit>((resolve) => (this.#exit = resolve))
    this.exited = ended.then((exit) => {
      this.#ring.end()
      return exit
    })
    this.opened = this.#open(image)
  }

  portOf(containerPort: number): number | undefined {
    return containerPort === (this.spec.containerPort ?? defaultContainerPort) ? this.port : undefined
  }

  async ready({ timeoutMs }: { timeoutMs: number }): Promise<void> {
    await untilReady(this, this.#options.clock, timeoutMs, async () => {
      await this.opened
      // A program that listens to nothing is never ready.
      if (this.#server?.listening !== true) await new Promise<never>(() => undefined)
    })
  }

  logs(options?: LogOptions): AsyncIterable<LogLine> {
    return this.#ring.read(options)
  }

  async stop({ graceMs }: { graceMs: number }): Promise<void> {
    this.#ending.abort()
    this.#stopping ??= this.#close()
    // A second call that is less patient cuts the first one short.
    this.#deadline.within(graceMs)
    await this.#stopping
  }

  async #open(image: BuiltInImage): Promise<void> {
    const { clock, random } = this.#options
    const output = { stdout: this.#ring.writer('stdout'), stderr: this.#ring.writer('stderr') }
    const print = (stream: 'stdout' | 'stderr') => (text: string) => output[stream].write(Buffer.from(text))
    try {
      const program = image.start({
        env: this.spec.env,
        args: [...(this.spec.command?.slice(1) ?? []), ...(this.spec.args ?? [])],
        clock,
        random,
        stdout: print('stdout'),
        stderr: print('stderr'),
        signal: this.#ending.signal,
      })
      if (program.kind === 'server') await this.#listen(program)
      else void this.#work(program)
    } catch (thrown) {
      print('stderr')(`${messageOf(thrown)}\n`)
      this.#exit({ code: 1 })
    }
  }

  async #listen({ handle, started }: Program & { kind: 'server' }): Promise<void> {
    const server = createServer(handle)
    // Clients close idle connections: closing them here would race with their next request.
    server.keepAliveTimeout = 0
    this.#server = server
    const onError = (error: Error): void => this.#ring.append('stderr', error.message)
    await startListening(server, { host: this.host, port: 0 }, onError)
    this.port = (server.address() as AddressInfo).port
    started?.(this.port)
  }

  async #work({ run }: Program & { kind: 'work' }): Promise<void> {
    try {
      this.#exit({ code: await run() })
    } catch (thrown) {
      this.#ring.append('stderr', messageOf(thrown))
      this.#exit({ code: 2 })
    }
  }

  /** Requests that run may finish within the grace. */
  async #close(): Promise<void> {
    await this.opened
    const server = this.#server
    if (server !== undefined) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      if (this.#isForced) server.closeAllConnections()
      await closed
      this.#exit({ code: 0 })
    }
    await this.exited
    this.#deadline[Symbol.dispose]()
  }
}
