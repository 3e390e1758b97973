// One local process: its readiness, its output, its end.
import type { ChildProcess } from 'node:child_process'
import { sleep } from '../../../base/clock.ts'
import type { Clock } from '../../../base/clock.ts'
import { portsOfProcesses, wrongPort } from '../listening-ports.ts'
import type { LogRing } from '../log-ring.ts'
import { defaultContainerPort } from '../port.ts'
import type { ExecResult, LogLine, LogOptions, Workload, WorkloadExit, WorkloadSpec, WorkloadUsage } from '../port.ts'
import { untilReady } from '../until-ready.ts'
import { execCommand } from './exec.ts'
import { groupUsage } from './group-usage.ts'
import { removeLimitGroup, removeLimitGroupNow } from './limit-group.ts'
import type { LimitGroup } from './limit-group.ts'
import { watchMemory } from './memory-limit.ts'
import { limitOutput } from '../output-valve.ts'
import { endGroup } from './process-group.ts'
import { groupMembers, signal } from './process-table.ts'
import { listeningHost } from '../readiness.ts'
import { StopDeadline } from '../stop-deadline.ts'

/** How long output that is still in the pipes is waited for after the group's end. */
const lastOutputMs = 500

export interface ProcessWorkloadDeps {
  clock: Clock
  ring: LogRing
  /** The port it was told. */
  port: number
  cwd: string
  env: NodeJS.ProcessEnv
  /** Resolves when it accepts connections, for a program that says so itself. @default its port is tried */
  listening?: Promise<void>
  /** The control group that the process is in. */
  limitGroup?: LimitGroup
}

export class ProcessWorkload implements Workload {
  readonly spec: WorkloadSpec
  readonly port: number
  readonly exited: Promise<WorkloadExit>
  #deps: ProcessWorkloadDeps
  #host = '127.0.0.1'
  #pid: number
  #isOutOfMemory = false
  #stopping: Promise<void> | undefined
  #deadline: StopDeadline
  /** Aborts when nobody of the group is left: its number may be somebody else's from then on. */
  #over = new AbortController()

  constructor(spec: WorkloadSpec, child: ChildProcess, deps: ProcessWorkloadDeps) {
    this.spec = spec
    this.port = deps.port
    this.#deps = deps
    this.#pid = child.pid!
    this.#deadline = new StopDeadline(deps.clock, () => this.killNow())
    this.exited = this.#end(child)
    const { memoryBytes } = spec.resources ?? {}
    if (memoryBytes === undefined || deps.limitGroup?.holdsMemory === true) return
    const stopLooking = watchMemory(this.#pid, memoryBytes, deps.clock, () => {
      this.#isOutOfMemory = true
      deps.ring.append('stderr', `killed by Knode: it used more than its memory limit of ${memoryBytes} bytes`)
      this.killNow()
    })
    void this.exited.then(stopLooking)
  }

  get host(): string {
    return this.#host
  }

  portOf(containerPort: number): number {
    // Beside the port it is told, a process has the host's: what it opens there by itself has the number it has.
    return containerPort === (this.spec.containerPort ?? defaultContainerPort) ? this.port : containerPort
  }

  async ready({ timeoutMs }: { timeoutMs: number }): Promise<void> {
    const { clock, listening } = this.#deps
    await untilReady(this, clock, timeoutMs, async (signal) => {
      if (listening !== undefined) return listening
      this.#host = await listeningHost(this.port, clock, signal)
    })
  }

  async listeningTrouble(): Promise<string | undefined> {
    const members = await groupMembers(this.#pid)
    return wrongPort(await portsOfProcesses(members.map(({ pid }) => pid)), this.port)
  }

  logs(options?: LogOptions): AsyncIterable<LogLine> {
    return this.#deps.ring.read(options)
  }

  exec(command: readonly string[], { timeoutMs }: { timeoutMs: number }): Promise<ExecResult> {
    const { clock, cwd, env } = this.#deps
    return execCommand(command, { clock, cwd, env, timeoutMs, until: this.#over.signal })
  }

  async usage(): Promise<WorkloadUsage | undefined> {
    const usage = await groupUsage(this.#pid)
    return usage && { ...usage, ...(await this.#deps.limitGroup?.usage()) }
  }

  async stop({ graceMs }: { graceMs: number }): Promise<void> {
    if (!this.#over.signal.aborted) {
      this.#stopping ??= endGroup(this.#pid, this.#deps.clock, { graceMs })
      // A second call that is less patient cuts the first one short.
      this.#deadline.within(graceMs)
      await this.#stopping
    }
    await this.exited
  }

  /** Kills the group without waiting for anything. */
  killNow(): void {
    if (!this.#over.signal.aborted) signal(-this.#pid, 'SIGKILL')
  }

  /** Leaves nothing of a killed group behind, at the cost of standing still for a moment. */
  leaveNow(): void {
    const { limitGroup } = this.#deps
    if (limitGroup !== undefined) removeLimitGroupNow(limitGroup.folder)
  }

  async #end(child: ChildProcess): Promise<WorkloadExit> {
    const { clock, ring } = this.#deps
    const stdout = ring.writer('stdout')
    const stderr = ring.writer('stderr')
    if (child.stdout !== null) limitOutput(child.stdout, clock, stdout.write)
    if (child.stderr !== null) limitOutput(child.stderr, clock, stderr.write)
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
    const exit = await new Promise<WorkloadExit>((resolve) => {
      const tell = (code: number | null, signal: NodeJS.Signals | null): void =>
        resolve(code === null ? { signal: signal ?? 'SIGKILL' } : { code })
      // It may have been killed before it was anybody's.
      if (child.exitCode !== null || child.signalCode !== null) tell(child.exitCode, child.signalCode)
      else child.once('exit', tell)
    })
    // What the program's leader left behind goes with it, at once unless all of the group was asked to end.
    await (this.#stopping ?? endGroup(this.#pid, clock, { graceMs: 0 }))
    this.#deadline[Symbol.dispose]()
    this.#over.abort()
    await this.#leaveLimitGroup()
    await Promise.race([closed, sleep(clock, lastOutputMs)])
    child.stdout?.destroy()
    child.stderr?.destroy()
    stdout.end()
    stderr.end()
    ring.end()
    return this.#isOutOfMemory ? { ...exit, outOfMemory: true } : exit
  }

  async #leaveLimitGroup(): Promise<void> {
    const { clock, ring, limitGroup } = this.#deps
    if (limitGroup === undefined) return
    if (await limitGroup.wasOutOfMemory()) {
      this.#isOutOfMemory = true
      const { memoryBytes } = this.spec.resources ?? {}
      ring.append('stderr', `killed by the system: it used more than its memory limit of ${memoryBytes} bytes`)
    }
    await removeLimitGroup(limitGroup.folder, clock)
  }
}
