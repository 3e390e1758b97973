// What all programs that run as local processes have in common: a folder, a port, mounts, an environment, and an end.
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import type { Clock } from '../../../base/clock.ts'
import { KnodeError, messageOf } from '../../../base/errors.ts'
import type { Random } from '../../../base/random.ts'
import { LogRing } from '../log-ring.ts'
import type { LogRingLimits } from '../log-ring.ts'
import type { WorkloadSpec } from '../port.ts'
import { PortPool } from '../port-pool.ts'
import type { LimitGroup } from './limit-group.ts'
import type { LimitGroups } from './limit-groups.ts'
import { linkMounts, mountsVariable, unlinkMounts } from './mount-links.ts'
import { instanceVariable } from './orphan-records.ts'
import type { OrphanRecords } from './orphan-records.ts'
import { ProcessWorkload } from './process-workload.ts'

export interface LocalProcessesOptions {
  clock: Clock
  random: Random
  /** Shared with everybody who gives ports to programs. @default one of its own */
  ports?: PortPool
  /** Where running processes are noted; without it, `kill -9` of Knode leaves them running. */
  records?: OrphanRecords
  /** Makes a control group for each program with limits; without it, none has one. */
  limitGroups?: LimitGroups
  /** Where the folders with mounts are made. @default the system's folder for temporary files */
  mountsDir?: string
  /** Where Node keeps compiled code from one start to the next. @default not at all */
  compileCacheDir?: string
  logLimits?: LogRingLimits
  /** What processes still running when the runtime is closed get to end, in milliseconds. @default 2_000 */
  closeGraceMs?: number
}

/** What one instance has before its process starts. */
export interface Place {
  /** Tells its processes apart from all others of this machine. */
  instance: string
  cwd: string
  port: number
  env: Record<string, string>
  /** The control group its process is in, if any. */
  limitGroup?: LimitGroup
  /** Gives everything back. */
  leave(): Promise<void>
}

/** Variables of Knode's own environment that mean Knode, not the program. */
const ownVariable = /^(npm_|NODE_TEST_CONTEXT$|NODE_CHANNEL_|NODE_UNIQUE_ID$|NODE_V8_COVERAGE$|KNODE_)/

/** The processes of one runtime; closing it ends them. */
export class LocalProcesses implements AsyncDisposable {
  #options: LocalProcessesOptions
  #ports: PortPool
  /** Each running process with what is left to do when it has ended. */
  #running = new Map<ProcessWorkload, Promise<void>>()
  #isClosing = false
  // A Knode that ends in a hurry, by a second Ctrl-C or an error nobody caught, still takes its processes along.
  #onExit = (): void => {
    for (const workload of this.#running.keys()) workload.killNow()
    for (const workload of this.#running.keys()) workload.leaveNow()
  }

  constructor(options: LocalProcessesOptions) {
    this.#options = options
    this.#ports = options.ports ?? new PortPool(options.random)
    process.on('exit', this.#onExit)
  }

  get isClosing(): boolean {
    return this.#isClosing
  }

  /** @throws {KnodeError} WORKLOAD_FAILED */
  async prepare(spec: WorkloadSpec): Promise<Place> {
    if (this.#isClosing) throw startFailure(spec, 'Knode is shutting down')
    const instance = this.#options.random.uuid()
    const cwd = resolve(spec.workdir ?? '.')
    if (!(await isFolder(cwd))) throw startFailure(spec, `its working directory ${cwd} does not exist`)
    const port = await this.#ports.take()
    let mounts: string | undefined
    const leave = async (): Promise<void> => {
      this.#ports.release(port)
      if (mounts !== undefined) await unlinkMounts(mounts)
    }
    try {
      if (spec.mounts !== undefined && spec.mounts.length > 0) {
        mounts = await this.#mountsFolder(instance)
        await linkMounts(mounts, spec.mounts)
      }
      const own = { PORT: String(port), [instanceVariable]: instance, ...(mounts && { [mountsVariable]: mounts }) }
      return { instance, cwd, port, env: { ...this.inherited(), ...spec.env, ...own }, leave }
    } catch (thrown) {
      await leave()
      throw thrown
    }
  }

  /** Knode's environment, with the Node that runs Knode found first. */
  inherited(): Record<string, string> {
    const { compileCacheDir } = this.#options
    const env: Record<string, string> = {}
    for (const [name, value] of Object.entries(process.env)) {
      if (value !== undefined && !ownVariable.test(name)) env[name] = value
    }
    if (compileCacheDir !== undefined) env['NODE_COMPILE_CACHE'] ??= compileCacheDir
    return { ...env, PATH: [dirname(process.execPath), env['PATH'] ?? '/usr/bin:/bin'].join(delimiter) }
  }

  /** Notes a process before it works, so that the next Knode ends it should this one be killed. */
  async note(pid: number, instance: string, name: string, limitGroup?: string): Promise<void> {
    await this.#options.records?.add(pid, instance, name, limitGroup)
  }

  /** To be called when a noted process has ended that {@link adopt} was not called for. */
  async forget(instance: string): Promise<void> {
    await this.#options.records?.remove(instance).catch(() => undefined)
  }

  /** The instance that a started process is from now on. */
  adopt(spec: WorkloadSpec, child: ChildProcess, place: Place, listening?: Promise<void>): ProcessWorkload {
    const { clock, logLimits } = this.#options
    const { port, cwd, env, limitGroup } = place
    const ring = new LogRing(clock, logLimits)
    const workload = new ProcessWorkload(spec, child, {
      clock,
      ring,
      port,
      cwd,
      env,
      ...(listening && { listening }),
      ...(limitGroup && { limitGroup }),
    })
    const ended = workload.exited.then(async () => {
      // What the program did to its folder must not be the end of Knode.
      const left = place.leave().catch((thrown: unknown) => {
        ring.append('stderr', `the folder with its mounts could not be removed: ${messageOf(thrown)}`)
      })
      await Promise.all([left, this.forget(place.instance)])
      this.#running.delete(workload)
    })
    this.#running.set(workload, ended)
    // Knode may have begun to close while the process was made.
    if (this.#isClosing) void workload.stop({ graceMs: 0 })
    return workload
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true
    const { closeGraceMs = 2_000 } = this.#options
    await Promise.all(
      [...this.#running].map(async ([workload, ended]) => {
        await workload.stop({ graceMs: closeGraceMs })
        await ended
      }),
    )
    process.off('exit', this.#onExit)
  }

  async #mountsFolder(instance: string): Promise<string> {
    const { mountsDir } = this.#options
    return mountsDir === undefined ? mkdtemp(join(tmpdir(), 'knode-mounts-')) : join(mountsDir, instance)
  }
}

export const startFailure = (spec: WorkloadSpec, why: string, cause?: unknown): KnodeError =>
  new KnodeError('WORKLOAD_FAILED', `${spec.namespace}/${spec.name} cannot be started: ${why}`, { cause })

const isFolder = async (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
