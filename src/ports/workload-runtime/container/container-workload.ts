// One container: its readiness, its output, its end.
import type { Readable } from 'node:stream'
import { sleep } from '../../../base/clock.ts'
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import { portsOfNetwork, wrongPort } from '../listening-ports.ts'
import type { LogRing } from '../log-ring.ts'
import { defaultContainerPort } from '../port.ts'
import type { ExecResult, LogLine, LogOptions, Workload, WorkloadExit, WorkloadSpec, WorkloadUsage } from '../port.ts'
import { limitOutput } from '../output-valve.ts'
import { listeningHost } from '../readiness.ts'
import { StopDeadline } from '../stop-deadline.ts'
import { untilReady } from '../until-ready.ts'
import { execInContainer } from './container-exec.ts'
import { EngineRefusal } from './engine-client.ts'
import type { EngineClient } from './engine-client.ts'
import { frameReader } from './log-frames.ts'

/** How long output that the engine still has is waited for after the container's end. */
const lastOutputMs = 2_000
/** How long the engine may take to end a container that it was told to kill. */
const killedMs = 10_000
/** Exit code of a program that SIGKILL ended: 128 and the signal's number. */
const killedCode = 137

/** What of "Inspect a container" is used. */
export interface ContainerState {
  State: { OOMKilled?: boolean; Pid?: number }
  Config?: { StopSignal?: string }
  NetworkSettings?: {
    IPAddress?: string
    Networks?: Record<string, { IPAddress?: string }> | null
    Ports?: Record<string, { HostPort?: string }[] | null> | null
  }
}

export interface ContainerDeps {
  engine: EngineClient
  clock: Clock
  ring: LogRing
  id: string
  /** Its own, in the engine's network; `undefined` when it shares another one's. */
  address: string | undefined
  host: string
  portOf: (containerPort: number) => number | undefined
  stopSignal: string
  /** The engine's stream of both outputs, from the first byte on. */
  output: Readable
  /** Of its first process, when that is one of this machine. */
  pid: number | undefined
  imageId: string | undefined
}

export class ContainerWorkload implements Workload {
  readonly spec: WorkloadSpec
  readonly host: string
  readonly port: number
  readonly exited: Promise<WorkloadExit>
  /** Resolves when the engine has removed it, too. */
  readonly gone: Promise<void>
  readonly imageId?: string
  #deps: ContainerDeps
  #stopping: Promise<void> | undefined
  #wasKilled = false
  #deadline: StopDeadline
  /** Each resolves when a container that shares its network is gone. */
  #sharers = new Set<Promise<void>>()

  constructor(spec: WorkloadSpec, deps: ContainerDeps) {
    this.spec = spec
    this.#deps = deps
    this.host = deps.host
    this.port = deps.portOf(spec.containerPort ?? defaultContainerPort) ?? 0
    if (deps.imageId !== undefined) this.imageId = deps.imageId
    this.#deadline = new StopDeadline(deps.clock, () => void this.#signal('SIGKILL'))
    this.exited = this.#end()
    this.gone = this.exited.then(() => this.#remove())
  }

  /** Another container shares its network: Podman does not remove this one before that one is gone. */
  isSharedWith(other: ContainerWorkload): void {
    this.#sharers.add(other.gone)
  }

  get address(): string | undefined {
    return this.#deps.address
  }

  get id(): string {
    return this.#deps.id
  }

  portOf(containerPort: number): number | undefined {
    return this.#deps.portOf(containerPort)
  }

  async ready({ timeoutMs }: { timeoutMs: number }): Promise<void> {
    await untilReady(this, this.#deps.clock, timeoutMs, async (signal) => {
      await listeningHost(this.port, this.#deps.clock, signal, [this.host])
    })
  }

  async listeningTrouble(): Promise<string | undefined> {
    const { pid } = this.#deps
    if (pid === undefined) return undefined
    return wrongPort(await portsOfNetwork(pid), this.spec.containerPort ?? defaultContainerPort)
  }

  logs(options?: LogOptions): AsyncIterable<LogLine> {
    return this.#deps.ring.read(options)
  }

  exec(command: readonly string[], { timeoutMs }: { timeoutMs: number }): Promise<ExecResult> {
    return execInContainer(this.#deps.engine, this.id, command, { clock: this.#deps.clock, timeoutMs })
  }

  async usage(): Promise<WorkloadUsage | undefined> {
    interface Stats {
      cpu_stats?: { cpu_usage?: { total_usage?: number } }
      memory_stats?: { usage?: number }
    }
    const query = { stream: 'false', 'one-shot': 'true' }
    const stats = await this.#deps.engine
      .call<Stats>('GET', `/containers/${this.id}/stats`, { query })
      .catch(() => undefined)
    const cpuNs = stats?.cpu_stats?.cpu_usage?.total_usage
    const memoryBytes = stats?.memory_stats?.usage
    return cpuNs === undefined || memoryBytes === undefined ? undefined : { cpuMs: cpuNs / 1_000_000, memoryBytes }
  }

  async stop({ graceMs }: { graceMs: number }): Promise<void> {
    this.#stopping ??= this.#terminate(graceMs)
    // A second call that is less patient cuts the first one short.
    this.#deadline.within(graceMs)
    await this.#stopping
    await this.gone
  }

  async #terminate(graceMs: number): Promise<void> {
    const { clock, stopSignal } = this.#deps
    if (graceMs > 0) {
      await this.#signal(stopSignal)
      if (await this.#endsWithin(graceMs, clock)) return
    }
    await this.#signal('SIGKILL')
    await this.#endsWithin(killedMs, clock)
  }

  async #endsWithin(timeoutMs: number, clock: Clock): Promise<boolean> {
    const over = new AbortController()
    const inTime = this.exited.then(() => true)
    const late = sleep(clock, timeoutMs, over.signal).then(
      () => false,
      () => true,
    )
    const answer = await Promise.race([inTime, late])
    over.abort()
    return answer
  }

  async #signal(signal: string): Promise<void> {
    if (signal === 'SIGKILL') this.#wasKilled = true
    await this.#deps.engine
      .call('POST', `/containers/${this.id}/kill`, { query: { signal } })
      .catch((thrown: unknown) => {
        // One that has ended meanwhile takes no signal. Without the engine nothing can be done, and the wait ends, too.
        if (thrown instanceof EngineRefusal) return
        this.#deps.ring.append('stderr', `it could not be sent ${signal}: ${messageOf(thrown)}`)
      })
  }

  async #remove(): Promise<void> {
    const { engine, id } = this.#deps
    await Promise.all(this.#sharers)
    await removeContainer(engine, id).catch(() => undefined)
  }

  async #end(): Promise<WorkloadExit> {
    const { engine, ring, clock, id } = this.#deps
    const output = this.#readOutput()
    const exit = await this.#waitForExit()
    this.#deadline[Symbol.dispose]()
    const over = new AbortController()
    await Promise.race([output, sleep(clock, lastOutputMs, over.signal).catch(() => undefined)])
    over.abort()
    this.#deps.output.destroy()
    ring.end()
    const state = await engine.call<ContainerState>('GET', `/containers/${id}/json`).catch(() => undefined)
    // Podman does not see it with every version of cgroups: then a kill that Knode did not ask for tells it.
    const isKilled = exit.code === killedCode && !this.#wasKilled
    const isOutOfMemory =
      state?.State.OOMKilled === true || (isKilled && this.spec.resources?.memoryBytes !== undefined)
    return isOutOfMemory ? { ...exit, outOfMemory: true } : exit
  }

  async #waitForExit(): Promise<WorkloadExit> {
    const { engine, ring, id } = this.#deps
    try {
      const { StatusCode } = await engine.call<{ StatusCode: number }>('POST', `/containers/${id}/wait`)
      return { code: StatusCode }
    } catch (thrown) {
      // Removed by somebody else, or the engine is gone: either way nobody can tell how it ended.
      ring.append('stderr', `the container is lost: ${messageOf(thrown)}`)
      return { signal: 'SIGKILL' }
    }
  }

  async #readOutput(): Promise<void> {
    const { output, ring, clock } = this.#deps
    const stdout = ring.writer('stdout')
    const stderr = ring.writer('stderr')
    const read = frameReader({ stdout: stdout.write, stderr: stderr.write })
    limitOutput(output, clock, (chunk) => {
      try {
        read(chunk)
      } catch (thrown) {
        output.destroy(thrown as Error)
      }
    })
    output.once('error', (error) => ring.append('stderr', `its output can no longer be read: ${error.message}`))
    await new Promise<void>((resolve) => output.once('close', resolve))
    stdout.end()
    stderr.end()
  }
}

/** Removes a container, running or not; fine when it is gone. */
export async function removeContainer(engine: EngineClient, id: string, signal?: AbortSignal): Promise<void> {
  const options = { query: { force: 'true', v: 'true' }, ...(signal && { signal }) }
  await engine.call('DELETE', `/containers/${id}`, options).catch((thrown: unknown) => {
    if (!(thrown instanceof EngineRefusal && thrown.status === 404)) throw thrown
  })
}
