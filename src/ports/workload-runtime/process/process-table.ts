// Which processes of this machine belong to a process group. Linux tells in /proc, other systems through ps.
import { execFile } from 'node:child_process'
import { readFile, readdir } from 'node:fs/promises'
import { promisify } from 'node:util'

export interface ProcessInfo {
  pid: number
  group: number
  /** When it was started, in the system's own form: with the pid it names one process for good. */
  started: string
  /** Ended, and only waiting for its parent to notice. */
  isZombie: boolean
}

/** The living members of a process group. */
export async function groupMembers(group: number): Promise<ProcessInfo[]> {
  if (!groupExists(group)) return []
  return (await listProcesses()).filter((info) => info.group === group && !info.isZombie)
}

/** When a process was started, or `undefined` when it is gone. */
export async function startedAt(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') return (await readStat(String(pid)))?.started
  return (await listProcesses()).find((info) => info.pid === pid)?.started
}

/** Whether the process was started with `entry` (`NAME=value`) in its environment; false where that cannot be known. */
export async function hasEnvironment(pid: number, entry: string): Promise<boolean> {
  if (process.platform !== 'linux') return false
  const text = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
  return text.split('\0').includes(entry)
}

/** Sends a signal to one process, or to a group when `target` is negative. False when there is none. */
export function signal(target: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(target, name)
  } catch {
    return false
  }
}

/** Also true while only zombies are left. */
function groupExists(group: number): boolean {
  try {
    return process.kill(-group, 0)
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function listProcesses(): Promise<ProcessInfo[]> {
  if (process.platform !== 'linux') return listByPs()
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(names.map(readStat))
  return found.filter((info) => info !== undefined)
}

/** Fields of proc(5) `/proc/PID/stat`; the second, the program's name in parentheses, may contain anything. */
async function readStat(pid: string): Promise<ProcessInfo | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
  const [state, , group, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const started = rest[16]
  if (group === undefined || started === undefined) return undefined
  return { pid: Number(pid), group: Number(group), started, isZombie: state === 'Z' || state === 'X' }
}

async function listByPs(): Promise<ProcessInfo[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,pgid=,stat=,lstart='])
  return stdout.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line)
    if (match === null) return []
    const [, pid, group, state, started] = match
    return [{ pid: Number(pid), group: Number(group), started: started!, isZombie: state!.startsWith('Z') }]
  })
}
