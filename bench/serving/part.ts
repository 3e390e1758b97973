// One process of a measurement: started on the core that is its own, asked in lines, ended with its standard input.
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** With two cores and taskset, what is measured has one core and everybody else the other. */
const isPinned = cpus().length >= 2 && spawnSync('taskset', ['--version']).status === 0
/** Clock ticks a second in /proc/PID/stat: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

export class Part implements AsyncDisposable {
  readonly child: ChildProcess
  #lines: AsyncIterator<string>

  /** Starts a script of this folder; without `core` it may run anywhere. */
  constructor(script: string, args: string[], core?: 0 | 1, env: NodeJS.ProcessEnv = {}) {
    const words = [process.execPath, join(import.meta.dirname, script), ...args]
    const [file, ...rest] = isPinned && core !== undefined ? ['taskset', '-c', String(core), ...words] : words
    this.child = spawn(file!, rest, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } })
    this.#lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]()
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error(`${this.child.spawnargs.join(' ')} ended`)
    return value
  }

  async ready(): Promise<string> {
    return (await this.line()).replace(/^ready /, '')
  }

  async ask(question: object): Promise<unknown> {
    this.child.stdin!.write(`${JSON.stringify(question)}\n`)
    return JSON.parse(await this.line())
  }

  async cpuUs(): Promise<number> {
    const stat = await readFile(`/proc/${this.child.pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.stdin!.end()
    if (this.child.exitCode === null) await once(this.child, 'exit')
  }
}

export const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
