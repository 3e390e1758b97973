// Runs `knode.dev/command` as a local process in a group of its own.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { delimiter, dirname, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import type { Clock } from '../../../base/clock.ts'
import { KnodeError } from '../../../base/errors.ts'
import type { Random } from '../../../base/random.ts'
import { LogRing } from '../log-ring.ts'
import type { LogRingLimits } from '../log-ring.ts'
import type { Workload, WorkloadRuntime, WorkloadSpec } from '../port.ts'
import { PortPool } from './free-port.ts'
import { instanceVariable } from './orphan-records.ts'
import type { OrphanRecords } from './orphan-records.ts'
import { ProcessWorkload } from './process-workload.ts'

export interface ProcessRuntimeOptions {
  clock: Clock
  random: Random
  /** Where running processes are noted; without it, `kill -9` of Knode leaves them running. */
  records?: OrphanRecords
  logLimits?: LogRingLimits
  /** What processes still running when the runtime is closed get to end, in milliseconds. @default 2_000 */
  closeGraceMs?: number
}

/**
 * Waits for a line on descriptor 3 before it becomes the command: a Knode that is killed before it has noted the
 * process closes the pipe, and the process ends instead of starting unseen.
 */
const gate = 'read -r knode_go <&3 || exit 125; exec 3<&-; exec /bin/sh -c "$0"'

/** Variables of Knode's own environment that mean Knode, not the program. */
const ownVariable = /^(npm_|NODE_TEST_CONTEXT$|NODE_CHANNEL_|NODE_UNIQUE_ID$|NODE_V8_COVERAGE$|KNODE_)/

/** Runs specs that have a `processCommand`. Each instance gets a free port, whatever `containerPort` says. */
export function createProcessRuntime(options: ProcessRuntimeOptions): WorkloadRuntime {
  const { clock, random, records, logLimits, closeGraceMs = 2_000 } = options
  const ports = new PortPool(random)
  /** Each running process with what is left to do when it has ended. */
  const running = new Map<ProcessWorkload, Promise<void>>()
  let closing = false
  // A Knode that ends in a hurry, by a second Ctrl-C or an error nobody caught, still takes its processes along.
  const onExit = (): void => {
    for (const workload of running.keys()) workload.killNow()
  }
  process.on('exit', onExit)

  const start = async (spec: WorkloadSpec, command: string): Promise<Workload> => {
    const cwd = resolve(spec.workdir ?? '.')
    if (!(await isFolder(cwd))) throw failed(spec, `its working directory ${cwd} does not exist`)
    const instance = random.uuid()
    const port = await ports.take()
    try {
      const env = { ...inherited(), ...spec.env, PORT: String(port), [instanceVariable]: instance }
      const child = await launch(spec, command, cwd, env)
      await records?.add(child.pid, instance, `${spec.namespace}/${spec.name}`)
      const workload = new ProcessWorkload(spec, child.process, port, { clock, ring: new LogRing(clock, logLimits) })
      const ended = workload.exited.then(async () => {
        ports.release(port)
        await records?.remove(instance).catch(() => undefined)
        running.delete(workload)
      })
      running.set(workload, ended)
      // Knode may have begun to close while the process was made.
      if (closing) void workload.stop({ graceMs: 0 })
      else child.go.end('go\n')
      return workload
    } catch (thrown) {
      ports.release(port)
      throw thrown
    }
  }
  return {
    objection: (spec) => (spec.processCommand === undefined ? 'it has no annotation knode.dev/command' : undefined),
    async start(spec) {
      if (closing) throw failed(spec, 'Knode is shutting down')
      if (spec.processCommand === undefined) throw failed(spec, 'it has no annotation knode.dev/command')
      return start(spec, spec.processCommand)
    },
    async [Symbol.asyncDispose]() {
      closing = true
      await Promise.all(
        [...running].map(async ([workload, ended]) => {
          await workload.stop({ graceMs: closeGraceMs })
          await ended
        }),
      )
      process.off('exit', onExit)
    },
  }
}

interface Launched {
  process: ChildProcess
  pid: number
  /** Lets the process become its command. */
  go: Writable
}

function launch(spec: WorkloadSpec, command: string, cwd: string, env: NodeJS.ProcessEnv): Promise<Launched> {
  return new Promise((done, fail) => {
    const child = spawn('/bin/sh', ['-c', gate, command], {
      cwd,
      env,
      // A session and group of its own: Ctrl-C in Knode's terminal is Knode's, and a signal reaches all of the group.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    })
    const go = child.stdio[3] as Writable
    go.on('error', () => undefined)
    child.once('error', (cause) => fail(failed(spec, 'its shell could not be started', cause)))
    child.once('spawn', () => done({ process: child, pid: child.pid!, go }))
  })
}

/** Knode's environment, with the Node that runs Knode found first. */
function inherited(): NodeJS.ProcessEnv {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ownVariable.test(name)))
  return { ...env, PATH: [dirname(process.execPath), env['PATH'] ?? '/usr/bin:/bin'].join(delimiter) }
}

const failed = (spec: WorkloadSpec, why: string, cause?: unknown): KnodeError =>
  new KnodeError('WORKLOAD_FAILED', `${spec.namespace}/${spec.name} cannot be started: ${why}`, { cause })

const isFolder = async (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
