// Tells a running process from a later one that was given the same number.
import { readFile } from 'node:fs/promises'

/** A process, as long as it lives. */
export interface ProcessIdentity {
  pid: number
  /** When it was started, in the kernel's own terms; absent where the kernel does not tell. */
  started?: string
}

/** This process. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  const stat = await statOf(process.pid)
  return stat === undefined ? { pid: process.pid } : { pid: process.pid, started: stat.started }
}

/** Whether that very process still runs. Where start times are unknown, any process of that number counts. */
export async function isAlive({ pid, started }: ProcessIdentity): Promise<boolean> {
  const stat = await statOf(pid)
  if (stat === undefined) return exists(pid)
  return !stat.hasEnded && (started === undefined || stat.started === started)
}

interface ProcessStat {
  started: string
  /** It has ended, but its parent has not asked for the exit code yet. */
  hasEnded: boolean
}

/** What Linux tells about a process; `undefined` elsewhere, and for one that is not there. */
async function statOf(pid: number): Promise<ProcessStat | undefined> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The program's name, in parentheses, may hold anything: fields are counted after it. See proc_pid_stat(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const field = (number: number): string => fields[number - 3] ?? ''
    return { started: `${boot.trim()} ${field(22)}`, hasEnded: ['Z', 'X'].includes(field(3)) }
  } catch {
    return undefined
  }
}

function exists(pid: number): boolean {
  try {
    // Signal 0 only asks.
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
