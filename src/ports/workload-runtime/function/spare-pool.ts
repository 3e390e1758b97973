// Processes that have Node and the function server loaded already, and wait to be told which function they are.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { extname, join } from 'node:path'
import { KnodeError } from '../../../base/errors.ts'
import type { Random } from '../../../base/random.ts'
import { instanceVariable } from '../process/orphan-records.ts'
import type { LocalProcesses } from '../process/local-processes.ts'
import { signal } from '../process/process-table.ts'
import type { Report } from './server/protocol.ts'

/** The function server beside this file: TypeScript in a clone, JavaScript in the package. */
const program = join(import.meta.dirname, 'server', `function-server${extname(import.meta.filename)}`)

export interface Spare {
  instance: string
  child: ChildProcess
  pid: number
}

export interface SparePoolOptions {
  processes: LocalProcesses
  random: Random
  /** Spares that wait at the same time. */
  size: number
}

export class SparePool implements AsyncDisposable {
  #options: SparePoolOptions
  /** Started and not given away, the oldest first, each with its start. */
  #spares = new Map<Spare, Promise<void>>()
  #isClosed = false

  constructor(options: SparePoolOptions) {
    this.#options = options
  }

  /** Starts spares until there are enough. */
  fill(): void {
    while (!this.#isClosed && this.#spares.size < this.#options.size) void this.#boot()
  }

  /** A spare, waiting for a new one to exist when there is none; it may still be loading. @throws {KnodeError} */
  async take(): Promise<Spare> {
    for (;;) {
      if (this.#isClosed) throw new KnodeError('WORKLOAD_FAILED', 'Knode is shutting down')
      const [waiting] = this.#spares.keys()
      const spare = waiting ?? this.#boot()
      const started = this.#spares.get(spare)
      this.#spares.delete(spare)
      await started
      if (!hasEnded(spare)) return spare
      await this.#options.processes.forget(spare.instance)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    const ended = [...this.#spares].map(async ([spare, started]) => {
      const { child, pid, instance } = spare
      await started.catch(() => undefined)
      if (!hasEnded(spare)) {
        const exited = new Promise((resolve) => child.once('exit', resolve))
        signal(-pid, 'SIGKILL')
        await exited
      }
      await this.#options.processes.forget(instance)
    })
    this.#spares.clear()
    await Promise.all(ended)
  }

  #boot(): Spare {
    const { processes, random } = this.#options
    const instance = random.uuid()
    const child = spawn(process.execPath, [program], {
      env: { ...processes.inherited(), [instanceVariable]: instance },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const spare = { instance, child, pid: child.pid ?? 0 }
    child.on('error', () => undefined)
    const started = this.#note(spare)
    started.catch(() => this.#spares.delete(spare))
    // One that ends while it waits is not given away; the next start makes a new one.
    child.once('exit', () => {
      if (this.#spares.delete(spare)) void processes.forget(instance)
    })
    this.#spares.set(spare, started)
    return spare
  }

  async #note({ child, pid, instance }: Spare): Promise<void> {
    if (pid === 0) throw new KnodeError('WORKLOAD_FAILED', 'a process for a function could not be started')
    await this.#options.processes.note(pid, instance, 'a spare for functions').catch((thrown: unknown) => {
      child.kill('SIGKILL')
      throw thrown
    })
  }
}

const hasEnded = ({ child }: Spare): boolean => child.exitCode !== null || child.signalCode !== null

/** Calls `heard` for the first report of that kind. */
export function onReport(child: ChildProcess, wanted: Report, heard: () => void): void {
  const listener = (report: unknown): void => {
    if (report !== wanted) return
    child.off('message', listener)
    heard()
  }
  child.on('message', listener)
}
