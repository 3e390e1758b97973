// Gives programs that have limits a control group of their own, where the system lets Knode make one.
import type { Logger } from '../../../base/log.ts'
import type { Clock } from '../../../base/clock.ts'
import type { WorkloadResources } from '../port.ts'
import { findLimitBase } from './limit-base.ts'
import type { LimitBase } from './limit-base.ts'
import { LimitGroup, removeLimitGroup } from './limit-group.ts'

const noProcessorTime = 'CPU limits of processes are not enforced'
const noGroups = `${noProcessorTime}, and memory limits by looking`

export interface LimitGroupsOptions {
  clock: Clock
  log: Logger
  /** Where the system tells of Knode's own groups. @default '/proc/self' */
  selfDir?: string
}

export class LimitGroups {
  #options: LimitGroupsOptions
  #base: Promise<LimitBase | string> | undefined
  #hasSaid = false

  constructor(options: LimitGroupsOptions) {
    this.#options = options
  }

  /** A group still to be made, or `undefined` when there is nothing that one could hold the program to. */
  async reserve(instance: string, limits: WorkloadResources = {}): Promise<LimitGroup | undefined> {
    const { cpuMillis, memoryBytes } = limits
    if (cpuMillis === undefined && memoryBytes === undefined) return undefined
    const base = await (this.#base ??= findLimitBase(this.#options.selfDir ?? '/proc/self'))
    if (typeof base === 'string') {
      this.#say(noGroups, base)
      return undefined
    }
    if (cpuMillis !== undefined && !base.controllers.has('cpu')) {
      this.#say(noProcessorTime, `the control group ${base.folder} offers only memory`)
    }
    const isOfUse =
      (cpuMillis !== undefined && base.controllers.has('cpu')) ||
      (memoryBytes !== undefined && base.controllers.has('memory'))
    return isOfUse ? new LimitGroup(base, instance, limits) : undefined
  }

  /** Makes the group with the process in it; false when the system refuses, and nothing is left of it. */
  async take(group: LimitGroup, pid: number): Promise<boolean> {
    try {
      await group.take(pid)
      return true
    } catch (thrown) {
      this.#say(noGroups, (thrown as Error).message)
      await removeLimitGroup(group.folder, this.#options.clock)
      return false
    }
  }

  #say(message: string, reason: string): void {
    if (this.#hasSaid) return
    this.#hasSaid = true
    this.#options.log.info(message, { reason })
  }
}
