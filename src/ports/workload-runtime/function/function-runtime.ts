// Runs `knode.dev/function`: a module's handler in a process that was started, and warmed up, beforehand.
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { LocalProcesses, startFailure } from '../process/local-processes.ts'
import type { LocalProcessesOptions } from '../process/local-processes.ts'
import { instanceVariable } from '../process/orphan-records.ts'
import type { Workload, WorkloadRuntime, WorkloadSpec } from '../port.ts'
import type { HandOver } from './server/protocol.ts'
import { SparePool, onReport } from './spare-pool.ts'

export interface FunctionRuntimeOptions extends LocalProcessesOptions {
  /** Spare processes kept once the first function is known. @default 1 */
  sparesMax?: number
  /** The next spare starts so long after a start, in milliseconds: it must not compete with it. @default 300 */
  refillDelayMs?: number
}

const noFunction = 'it has no annotation knode.dev/function'
/** Files that a folder's function is looked for in. */
const indexFiles = ['index.ts', 'index.mts', 'index.js', 'index.mjs', 'index.cjs']

/** Runs specs that have a `functionFile`. */
export function createFunctionRuntime(options: FunctionRuntimeOptions): WorkloadRuntime {
  const { clock, random, sparesMax = 1, refillDelayMs = 300 } = options
  const processes = new LocalProcesses(options)
  const pool = new SparePool({ processes, random, size: sparesMax })

  const start = async (spec: WorkloadSpec, functionFile: string): Promise<Workload> => {
    const file = await moduleFile(spec, functionFile)
    const prepared = await processes.prepare(spec)
    const { child, instance } = await pool.take().catch(async (thrown: unknown) => {
      await prepared.leave()
      throw thrown
    })
    const env = { ...prepared.env, [instanceVariable]: instance }
    const place = { ...prepared, instance, env }
    const { cwd, port } = place
    const listening = new Promise<void>((heard) => onReport(child, 'listening', heard))
    const workload = processes.adopt(spec, child, place, listening)
    child.send({ file, cwd, port, env } satisfies HandOver, () => undefined)
    const cancel = clock.setTimer(refillDelayMs, () => pool.fill())
    void workload.exited.then(() => {
      cancel()
      pool.fill()
    })
    return workload
  }
  return {
    objection: (spec) => (spec.functionFile === undefined ? noFunction : undefined),
    prewarm(spec) {
      if (spec.functionFile !== undefined) pool.fill()
    },
    async start(spec) {
      if (processes.isClosing) throw startFailure(spec, 'Knode is shutting down')
      if (spec.functionFile === undefined) throw startFailure(spec, noFunction)
      return start(spec, spec.functionFile)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([pool[Symbol.asyncDispose](), processes[Symbol.asyncDispose]()])
    },
  }
}

async function moduleFile(spec: WorkloadSpec, functionFile: string): Promise<string> {
  const path = resolve(spec.workdir ?? '.', functionFile)
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile() === true) return path
  if (found === undefined) throw startFailure(spec, `its function ${path} does not exist`)
  for (const name of indexFiles) {
    const index = join(path, name)
    if ((await stat(index).catch(() => undefined))?.isFile() === true) return index
  }
  throw startFailure(spec, `the folder ${path} has no index.ts or index.js with its function`)
}
