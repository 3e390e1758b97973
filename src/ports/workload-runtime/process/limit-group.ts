// A control group with the limits of one program. Source: the kernel's admin-guide/cgroup-v2.rst and sched-bwc.rst.
import { readFileSync, rmdirSync } from 'node:fs'
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sleep } from '../../../base/clock.ts'
import type { Clock } from '../../../base/clock.ts'
import type { WorkloadResources, WorkloadUsage } from '../port.ts'
import type { LimitBase } from './limit-base.ts'
import { signal } from './process-table.ts'

/** What a quota of processor time counts for, in microseconds: the kernel's default. */
const periodUs = 100_000
/** The kernel takes no smaller quota. */
const quotaUsMin = 1_000
/**
 * Looks at a group that does not go away yet: so many, with so much time between them, in milliseconds. On a busy machine
 * killed processes take a while to be gone.
 */
const removeTriesMax = 3_000
const removeDelayMs = 10
/** As many when Knode itself is ending in a hurry. */
const removeNowTriesMax = 500

export class LimitGroup {
  readonly folder: string
  #base: LimitBase
  #limits: WorkloadResources

  constructor(base: LimitBase, instance: string, limits: WorkloadResources) {
    this.#base = base
    this.#limits = limits
    this.folder = join(base.folder, groupName(instance))
  }

  /** Whether the kernel ends the program when it uses more memory than it may. */
  get holdsMemory(): boolean {
    return this.#base.controllers.has('memory')
  }

  /** Makes the group and moves a process into it, which must not have started to work. */
  async take(pid: number): Promise<void> {
    await mkdir(this.folder)
    const { cpuMillis, memoryBytes } = this.#limits
    const { version, controllers } = this.#base
    if (cpuMillis !== undefined && controllers.has('cpu')) {
      const quotaUs = Math.max(quotaUsMin, Math.round((cpuMillis * periodUs) / 1_000))
      if (version === 2) await this.#write('cpu.max', `${quotaUs} ${periodUs}`)
      else await this.#write('cpu.cfs_quota_us', String(quotaUs))
    }
    if (memoryBytes !== undefined && controllers.has('memory')) {
      await this.#write('memory.max', String(memoryBytes))
      // A program of several processes goes as a whole, as a container does.
      await this.#write('memory.oom.group', '1')
      // Missing where the system has no swap.
      await this.#write('memory.swap.max', '0').catch(() => undefined)
    }
    await this.#write('cgroup.procs', String(pid))
  }

  /** What the kernel counts for the group; empty where it does not. */
  async usage(): Promise<Partial<WorkloadUsage>> {
    if (this.#base.version === 1) return {}
    const [cpu, memory] = await Promise.all([this.#read('cpu.stat'), this.#read('memory.current')])
    const cpuUs = statistic(cpu, 'usage_usec')
    return {
      ...(cpuUs !== undefined && { cpuMs: cpuUs / 1_000 }),
      ...(memory !== '' && { memoryBytes: Number(memory) }),
    }
  }

  /** Whether the kernel killed somebody of the group for its memory. */
  async wasOutOfMemory(): Promise<boolean> {
    return (statistic(await this.#read('memory.events'), 'oom_kill') ?? 0) > 0
  }

  #write(file: string, text: string): Promise<void> {
    return writeFile(join(this.folder, file), text)
  }

  #read(file: string): Promise<string> {
    return readFile(join(this.folder, file), 'utf8').catch(() => '')
  }
}

/** The name says whose it is: its members are nobody else's. */
export const groupName = (instance: string): string => `knode-${instance}`

/** Removes the group in `folder` with all who are still in it, also those who left the program's process group. */
export async function removeLimitGroup(folder: string, clock: Clock): Promise<void> {
  for (let tries = 0; tries < removeTriesMax; tries++) {
    const isBusy = await rmdir(folder).then(
      () => false,
      (thrown: NodeJS.ErrnoException) => thrown.code === 'EBUSY',
    )
    if (!isBusy) return
    killAll(await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => ''))
    await sleep(clock, removeDelayMs)
  }
}

/** The same while Knode ends, when nothing can be awaited any more. */
export function removeLimitGroupNow(folder: string): void {
  const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  for (let tries = 0; tries < removeNowTriesMax; tries++) {
    try {
      return rmdirSync(folder)
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EBUSY') return
    }
    killAll(readFileSync(join(folder, 'cgroup.procs'), 'utf8'))
    Atomics.wait(never, 0, 0, removeDelayMs)
  }
}

function killAll(members: string): void {
  // 0 stands for a process that cannot be seen from here.
  for (const pid of members.split('\n').map(Number)) if (pid > 1) signal(pid, 'SIGKILL')
}

/** A number of a file with lines `NAME NUMBER`. */
function statistic(text: string, name: string): number | undefined {
  const line = text.split('\n').find((line) => line.startsWith(`${name} `))
  return line === undefined ? undefined : Number(line.slice(name.length + 1))
}
