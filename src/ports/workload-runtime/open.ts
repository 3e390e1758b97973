// Which driver runs a workload: its function or command as a process, an image built into Knode, a container, or none.
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { KnodeError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { createBuiltInRuntime } from './built-in/built-in-runtime.ts'
import { createContainerRuntime } from './container/container-runtime.ts'
import { createFunctionRuntime } from './function/function-runtime.ts'
import { keepLogs } from './log-keeper.ts'
import type { WorkloadLogs, WorkloadRuntime, WorkloadSpec } from './port.ts'
import { PortPool } from './port-pool.ts'
import { LimitGroups } from './process/limit-groups.ts'
import { OrphanRecords } from './process/orphan-records.ts'
import { createProcessRuntime } from './process/process-runtime.ts'

export interface WorkloadRuntimeOptions {
  /** Where running processes are noted, to be ended by the next Knode should this one be killed. */
  dataDir?: string
  clock: Clock
  random: Random
  log: Logger
  /** Port of Knode's gateway on loopback, once it is known: containers are told how to reach it. */
  gatewayPort?: () => number | undefined
  /** Where a container engine is looked for, as by `DOCKER_HOST`. @default the environment of this process */
  env?: Readonly<Record<string, string | undefined>>
}

/** Opens the runtime; processes that a killed Knode left behind in the same `dataDir` are ended first. */
export async function openWorkloadRuntime(options: WorkloadRuntimeOptions): Promise<WorkloadRuntime & WorkloadLogs> {
  const { dataDir, clock, random, log, gatewayPort, env } = options
  const records = dataDir === undefined ? undefined : await OrphanRecords.open(join(dataDir, 'processes'))
  await records?.endOrphans(clock, log)
  const mountsDir = dataDir === undefined ? undefined : join(dataDir, 'mounts')
  // What a killed Knode linked for its instances, which have ended by now.
  if (mountsDir !== undefined) await rm(mountsDir, { recursive: true, force: true })
  const ports = new PortPool(random)
  const local = {
    clock,
    random,
    ports,
    limitGroups: new LimitGroups({ clock, log }),
    ...(records && { records }),
    ...(mountsDir !== undefined && { mountsDir }),
    ...(dataDir !== undefined && { compileCacheDir: join(dataDir, 'compile-cache') }),
  }
  const containers = createContainerRuntime({
    clock,
    random,
    log,
    ports,
    owner: dataDir === undefined ? random.uuid() : resolve(dataDir),
    ...(dataDir !== undefined && { markerFile: join(dataDir, 'containers') }),
    ...(gatewayPort && { gatewayPort }),
    ...(env && { env }),
  })
  const drivers = [
    createFunctionRuntime(local),
    createProcessRuntime(local),
    createBuiltInRuntime({ clock, random }),
    containers,
  ]
  return keepLogs(chooseRuntime(drivers), clock)
}

/** The first driver that has no objection runs the workload. */
function chooseRuntime(drivers: readonly WorkloadRuntime[]): WorkloadRuntime {
  const driverOf = (spec: WorkloadSpec): WorkloadRuntime | undefined =>
    drivers.find((driver) => driver.objection(spec) === undefined)
  return {
    objection: (spec) => (driverOf(spec) === undefined ? nothingRuns(spec) : undefined),
    prewarm: (spec) => driverOf(spec)?.prewarm?.(spec),
    resolveDigest: async (spec) => driverOf(spec)?.resolveDigest?.(spec),
    async start(spec, startOptions) {
      const driver = driverOf(spec)
      if (driver === undefined) throw new KnodeError('WORKLOAD_FAILED', nothingRuns(spec))
      return driver.start(spec, startOptions)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(drivers.map((driver) => driver[Symbol.asyncDispose]()))
    },
  }
}

const nothingRuns = ({ image }: WorkloadSpec): string =>
  `nothing here runs the image ${image || '""'}: set the annotation knode.dev/command on the pod template to run a ` +
  'local process instead, or knode.dev/function to run a module of yours, use an image that is built into Knode ' +
  '(event_display, appender, heartbeats, helloworld-*), or start a container engine (Docker or Podman)'
