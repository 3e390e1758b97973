// A program of a benchmark in a process of its own: started on the core that is its own, asked in lines, ended with its
// standard input; what it costs and holds.
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { createInterface } from 'node:readline'

/** With two cores and taskset, what is measured has one core and everybody else the other. */
const isPinned = cpus().length >= 2 && spawnSync('taskset', ['--version']).status === 0
/** Clock ticks a second in /proc: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

export type Core = 0 | 1

export interface PartOptions {
  /** Where it may run; anywhere without it. */
  core?: Core | undefined
  /** Beside this process's own. */
  env?: NodeJS.ProcessEnv
}

export class Part implements AsyncDisposable {
  readonly child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(command: readonly string[], { core, env = {} }: PartOptions = {}) {
    const [file = '', ...words] = isPinned && core !== undefined ? ['taskset', '-c', String(core), ...command] : command
    this.child = spawn(file, words, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } })
    this.#lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]()
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error(`${this.child.spawnargs.join(' ')} ended`)
    return value
  }

  /** What follows the word `ready`. */
  async ready(): Promise<string> {
    return (await this.line()).replace(/^ready /, '')
  }

  /** Writes a line and reads the answer. */
  async ask(question: string): Promise<string> {
    this.child.stdin!.write(`${question}\n`)
    return this.line()
  }

  async cpuUs(): Promise<number> {
    const stat = await readFile(`/proc/${this.child.pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond
  }

  async rssMb(): Promise<number> {
    const status = await readFile(`/proc/${this.child.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.stdin!.end()
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit')
  }
}

/** The command that runs a script of the benchmarks. */
export const script = (path: string, ...args: string[]): string[] => [process.execPath, path, ...args]

/** CPU time that all processes of the machine have used. */
export async function machineBusyUs(): Promise<number> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n')
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(/\s+/).slice(1).map(Number)
  return ((user + nice + system + irq + softirq) * 1e6) / ticksPerSecond
}

/** How long a program that wants to run all the time is not let, in gaps over a millisecond. */
export function machineStalls(): { lostMs: number; longestMs: number } {
  const seconds = 5
  const startedMs = performance.now()
  let [lostMs, longestMs, lastMs] = [0, 0, startedMs]
  while (lastMs - startedMs < seconds * 1_000) {
    const nowMs = performance.now()
    const gapMs = nowMs - lastMs
    if (gapMs > 1) lostMs += gapMs
    longestMs = Math.max(longestMs, gapMs)
    lastMs = nowMs
  }
  return { lostMs: lostMs / seconds, longestMs }
}
