// Runs `knode.dev/command` as a local process in a group of its own.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import type { Writable } from 'node:stream'
import type { Workload, WorkloadRuntime, WorkloadSpec } from '../port.ts'
import { LocalProcesses, startFailure } from './local-processes.ts'
import type { LocalProcessesOptions, Place } from './local-processes.ts'

/**
 * Waits for a line on descriptor 3 before it becomes the command: a Knode that is killed before it has noted the
 * process closes the pipe, and the process ends instead of starting unseen.
 */
const gate = 'read -r knode_go <&3 || exit 125; exec 3<&-; exec /bin/sh -c "$0" sh "$@"'

const noCommand = 'it has no annotation knode.dev/command'

/** Runs specs that have a `processCommand`. Each instance gets a free port, whatever `containerPort` says. */
export function createProcessRuntime(options: LocalProcessesOptions): WorkloadRuntime {
  const processes = new LocalProcesses(options)
  const { limitGroups } = options
  const start = async (spec: WorkloadSpec, command: string): Promise<Workload> => {
    const place = await processes.prepare(spec)
    try {
      const reserved = await limitGroups?.reserve(place.instance, spec.resources)
      const { child, go } = await launch(spec, command, place)
      const pid = child.pid!
      // A pipe that closes without a line ends the process.
      const name = `${spec.namespace}/${spec.name}`
      await processes.note(pid, place.instance, name, reserved?.folder).catch((thrown: unknown) => {
        go.destroy()
        throw thrown
      })
      // It waits for its line, so it has its limits before it runs anything of the command.
      const limitGroup = reserved !== undefined && (await limitGroups?.take(reserved, pid)) ? reserved : undefined
      const workload = processes.adopt(spec, child, { ...place, ...(limitGroup && { limitGroup }) })
      if (!processes.isClosing) go.end('go\n')
      return workload
    } catch (thrown) {
      await place.leave()
      throw thrown
    }
  }
  return {
    objection: (spec) => (spec.processCommand === undefined ? noCommand : undefined),
    async start(spec) {
      if (spec.processCommand === undefined) throw startFailure(spec, noCommand)
      return start(spec, spec.processCommand)
    },
    [Symbol.asyncDispose]: () => processes[Symbol.asyncDispose](),
  }
}

interface Launched {
  child: ChildProcess
  /** Lets the process become its command. */
  go: Writable
}

function launch(spec: WorkloadSpec, command: string, { cwd, env }: Place): Promise<Launched> {
  const { args = [] } = spec
  return new Promise((done, fail) => {
    // The command stands for the image and its entry point: arguments come behind it, as with a container.
    const child = spawn('/bin/sh', ['-c', gate, args.length === 0 ? command : `${command} "$@"`, ...args], {
      cwd,
      env,
      // A session and group of its own: Ctrl-C in Knode's terminal is Knode's, and a signal reaches all of the group.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    })
    const go = child.stdio[3] as Writable
    go.on('error', () => undefined)
    // Later errors, of signals that do not reach it, are no news.
    child.on('error', (cause) => fail(startFailure(spec, 'its shell could not be started', cause)))
    child.once('spawn', () => done({ child, go }))
  })
}
