// Which driver runs a workload: its command as a process, an image built into Knode, or none.
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { KnodeError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { createBuiltInRuntime } from './built-in/built-in-runtime.ts'
import { keepLogs } from './log-keeper.ts'
import type { WorkloadLogs, WorkloadRuntime, WorkloadSpec } from './port.ts'
import { OrphanRecords } from './process/orphan-records.ts'
import { createProcessRuntime } from './process/process-runtime.ts'

export interface WorkloadRuntimeOptions {
  /** Where running processes are noted, to be ended by the next Knode should this one be killed. */
  dataDir?: string
  clock: Clock
  random: Random
  log: Logger
}

/** Opens the runtime; processes that a killed Knode left behind in the same `dataDir` are ended first. */
export async function openWorkloadRuntime(options: WorkloadRuntimeOptions): Promise<WorkloadRuntime & WorkloadLogs> {
  const { dataDir, clock, random, log } = options
  const records = dataDir === undefined ? undefined : await OrphanRecords.open(join(dataDir, 'processes'))
  await records?.endOrphans(clock, log)
  const processes = createProcessRuntime({ clock, random, ...(records && { records }) })
  const builtIn = createBuiltInRuntime({ clock, random })
  return keepLogs(chooseRuntime({ processes, builtIn }), clock)
}

function chooseRuntime(drivers: { processes: WorkloadRuntime; builtIn: WorkloadRuntime }): WorkloadRuntime {
  const { processes, builtIn } = drivers
  const driverOf = (spec: WorkloadSpec): WorkloadRuntime | undefined =>
    [processes, builtIn].find((driver) => driver.objection(spec) === undefined)
  return {
    objection: (spec) => (driverOf(spec) === undefined ? nothingRuns(spec) : undefined),
    async start(spec) {
      const driver = driverOf(spec)
      if (driver === undefined) throw new KnodeError('WORKLOAD_FAILED', nothingRuns(spec))
      return driver.start(spec)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([processes[Symbol.asyncDispose](), builtIn[Symbol.asyncDispose]()])
    },
  }
}

const nothingRuns = ({ image }: WorkloadSpec): string =>
  `nothing here runs the image ${image || '""'}: set the annotation knode.dev/command on the pod template to run a ` +
  'local process instead, or use an image that is built into Knode (event_display, appender, heartbeats, helloworld-*)'
