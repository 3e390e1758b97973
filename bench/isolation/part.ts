// A program of a benchmark in a process of its own: what it prints, what it costs, and its end.
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** With two cores and taskset, the server has one core and the load the other. */
const pinned = cpus().length >= 2 && spawnSync('taskset', ['--version']).status === 0

/** Clock ticks a second in /proc/PID/stat: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

export class Part implements AsyncDisposable {
  readonly #child: ChildProcess
  #lines: AsyncIterator<string>

  /** `core`: where it may run, so that what is measured does not share its core with the load. */
  constructor(script: string, args: string[], core: 0 | 1) {
    const command = [process.execPath, script, ...args]
    const [file = '', ...words] = pinned ? ['taskset', '-c', String(core), ...command] : command
    this.#child = spawn(file, words, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]()
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error(`${this.#child.spawnargs.join(' ')} ended`)
    return value
  }

  /** What follows the word `ready`. */
  async ready(): Promise<string> {
    return (await this.line()).replace(/^ready /, '')
  }

  /** Writes a line and reads the answer. */
  async ask(question: string): Promise<string> {
    this.#child.stdin!.write(`${question}\n`)
    return this.line()
  }

  async cpuUs(): Promise<number> {
    const stat = await readFile(`/proc/${this.#child.pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond
  }

  async rssMb(): Promise<number> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin!.end()
    if (this.#child.exitCode === null) await once(this.#child, 'exit')
  }
}

/** A directory that goes when it is disposed. */
export async function benchDirectory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'knode-bench-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

export const median = (numbers: number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN

/** A line of a report; `holds` decides the last word. */
export function goal(name: string, value: string, wanted: string, holds: boolean): string {
  return `${name.padEnd(58)} ${value.padStart(12)}   goal ${wanted.padEnd(10)} ${holds ? 'holds' : 'MISSED'}`
}
