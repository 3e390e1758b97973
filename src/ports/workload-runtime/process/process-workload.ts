// One local process: its readiness, its output, its end.
import type { ChildProcess } from 'node:child_process'
import { sleep } from '../../../base/clock.ts'
import type { Clock } from '../../../base/clock.ts'
import type { LogRing } from '../log-ring.ts'
import type { LogLine, LogOptions, Workload, WorkloadExit, WorkloadSpec } from '../port.ts'
import { untilReady } from '../until-ready.ts'
import { endGroup } from './process-group.ts'
import { signal } from './process-table.ts'
import { listeningHost } from './readiness.ts'

/** How long output that is still in the pipes is waited for after the group's end. */
const lastOutputMs = 500

export class ProcessWorkload implements Workload {
  readonly spec: WorkloadSpec
  readonly port: number
  readonly exited: Promise<WorkloadExit>
  #host = '127.0.0.1'
  #pid: number
  #clock: Clock
  #ring: LogRing
  #stopping: Promise<void> | undefined

  constructor(spec: WorkloadSpec, child: ChildProcess, port: number, deps: { clock: Clock; ring: LogRing }) {
    this.spec = spec
    this.port = port
    this.#pid = child.pid!
    this.#clock = deps.clock
    this.#ring = deps.ring
    this.exited = this.#end(child)
  }

  get host(): string {
    return this.#host
  }

  async ready({ timeoutMs }: { timeoutMs: number }): Promise<void> {
    await untilReady(this, this.#clock, timeoutMs, async (signal) => {
      this.#host = await listeningHost(this.port, this.#clock, signal)
    })
  }

  logs(options?: LogOptions): AsyncIterable<LogLine> {
    return this.#ring.read(options)
  }

  async stop({ graceMs }: { graceMs: number }): Promise<void> {
    // A second call that is less patient cuts the first one short.
    if (this.#stopping !== undefined && graceMs === 0) this.killNow()
    this.#stopping ??= endGroup(this.#pid, this.#clock, { graceMs })
    await this.#stopping
    await this.exited
  }

  /** Kills the group without waiting for anything. */
  killNow(): void {
    signal(-this.#pid, 'SIGKILL')
  }

  async #end(child: ChildProcess): Promise<WorkloadExit> {
    const stdout = this.#ring.writer('stdout')
    const stderr = this.#ring.writer('stderr')
    child.stdout?.on('data', stdout.write)
    child.stderr?.on('data', stderr.write)
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
    const exit = await new Promise<WorkloadExit>((resolve) =>
      child.once('exit', (code, signal) => resolve(code === null ? { signal: signal ?? 'SIGKILL' } : { code })),
    )
    // What the program's leader left behind goes with it, at once unless all of the group was asked to end.
    await (this.#stopping ?? endGroup(this.#pid, this.#clock, { graceMs: 0 }))
    await Promise.race([closed, sleep(this.#clock, lastOutputMs)])
    child.stdout?.destroy()
    child.stderr?.destroy()
    stdout.end()
    stderr.end()
    this.#ring.end()
    return exit
  }
}
