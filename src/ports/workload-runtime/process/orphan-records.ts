// Notes on disk about running processes, so that the next Knode can end what a killed one left behind.
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Clock } from '../../../base/clock.ts'
import type { Logger } from '../../../base/log.ts'
import { groupName, removeLimitGroup } from './limit-group.ts'
import { endGroup } from './process-group.ts'
import { groupMembers, hasEnvironment, startedAt } from './process-table.ts'

/** Environment variable that tells an instance of this machine apart from all others. */
export const instanceVariable = 'KNODE_INSTANCE'
/** What an orphan gets between SIGTERM and SIGKILL. */
const orphanGraceMs = 2_000

interface OrphanRecord {
  /** Also the number of the group it leads. */
  pid: number
  /** When it was started, as the process table says it. */
  started: string
  /** Value of {@link instanceVariable}. */
  instance: string
  name: string
  /** Folder of its control group, when it has one. */
  limitGroup?: string
}

/** One file per running process, in a folder that one Knode owns at a time. */
export class OrphanRecords {
  #folder: string

  private constructor(folder: string) {
    this.#folder = folder
  }

  static async open(folder: string): Promise<OrphanRecords> {
    await mkdir(folder, { recursive: true })
    return new OrphanRecords(folder)
  }

  /** To be awaited before the process starts to work. */
  async add(pid: number, instance: string, name: string, limitGroup?: string): Promise<void> {
    const started = (await startedAt(pid)) ?? ''
    const record: OrphanRecord = { pid, started, instance, name, ...(limitGroup !== undefined && { limitGroup }) }
    await writeFile(this.#path(instance), JSON.stringify(record))
  }

  async remove(instance: string): Promise<void> {
    await rm(this.#path(instance), { force: true })
  }

  /** Ends every recorded process that still runs. */
  async endOrphans(clock: Clock, log: Logger): Promise<void> {
    const files = (await readdir(this.#folder)).filter((file) => file.endsWith('.json'))
    await Promise.all(files.map((file) => this.#end(join(this.#folder, file), clock, log)))
  }

  async #end(path: string, clock: Clock, log: Logger): Promise<void> {
    const record = parse(await readFile(path, 'utf8').catch(() => ''))
    if (record !== undefined && (await isStillOurs(record))) {
      log.warn('ending a process that an earlier Knode left behind', { name: record.name, pid: record.pid })
      await endGroup(record.pid, clock, { graceMs: orphanGraceMs })
    }
    if (record?.limitGroup !== undefined) await removeLimitGroup(record.limitGroup, clock)
    await rm(path, { force: true })
  }

  #path(instance: string): string {
    return join(this.#folder, `${instance}.json`)
  }
}

/** A pid may have gone to somebody else since: its start, or the environment of a member, must be the recorded one. */
async function isStillOurs({ pid, started, instance }: OrphanRecord): Promise<boolean> {
  for (const member of await groupMembers(pid)) {
    if (member.pid === pid && member.started === started) return true
    if (await hasEnvironment(member.pid, `${instanceVariable}=${instance}`)) return true
  }
  return false
}

/** A half-written file tells of a process that was never let go. */
function parse(text: string): OrphanRecord | undefined {
  try {
    const record = JSON.parse(text) as Partial<OrphanRecord>
    const { pid, started, instance, name, limitGroup } = record
    if (!Number.isInteger(pid) || pid! <= 1 || typeof started !== 'string') return undefined
    if (typeof instance !== 'string' || typeof name !== 'string') return undefined
    const hasGroup = typeof limitGroup === 'string' && basename(limitGroup) === groupName(instance)
    return { pid: pid!, started, instance, name, ...(hasGroup && { limitGroup }) }
  } catch {
    return undefined
  }
}
