// What a process group uses. Source: proc(5).
import { readFile } from 'node:fs/promises'
import type { WorkloadUsage } from '../port.ts'
import { groupMembers } from './process-table.ts'

/** Linux counts processor time for programs in hundredths of a second, whatever the kernel's own tick is. */
const tickMs = 10

/** Time and memory of all members; `undefined` when there are none, or the system is not Linux. */
export async function groupUsage(group: number): Promise<WorkloadUsage | undefined> {
  if (process.platform !== 'linux') return undefined
  const members = await groupMembers(group)
  if (members.length === 0) return undefined
  const usages = await Promise.all(members.map(({ pid }) => processUsage(pid)))
  return {
    cpuMs: usages.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    memoryBytes: usages.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
  }
}

async function processUsage(pid: number): Promise<WorkloadUsage> {
  const [stat, status] = await Promise.all([readText(`/proc/${pid}/stat`), readText(`/proc/${pid}/status`)])
  // After the name in parentheses: state is field 3; utime, stime, cutime, cstime are 14 to 17.
  const ticks = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
  const residentKib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0)
  return { cpuMs: ticks.reduce((sum, text) => sum + Number(text), 0) * tickMs, memoryBytes: residentKib * 1024 }
}

const readText = (path: string): Promise<string> => readFile(path, 'latin1').catch(() => '')
