// `npm start` as a newcomer runs it, and how it ends.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { eventually, inTime, programPatience } from '../../src/base/eventually.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const root = join(import.meta.dirname, '..', '..')

interface Process {
  pid: string
  parent: string
  /** With the pid it names one process for good. */
  started: string
  /** Empty when it has ended. */
  command: string
}

/** The processes of this machine. Source: proc(5). */
async function processes(): Promise<Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const read = (pid: string, file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
  return Promise.all(
    pids.map(async (pid) => {
      const [stat, command] = [await read(pid, 'stat'), await read(pid, 'cmdline')]
      const [, parent = '', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return { pid, parent, started: rest[17] ?? '', command: command.replaceAll('\0', ' ') }
    }),
  )
}

/** All that a process started, and what these started. */
async function descendantsOf(pid: number): Promise<Process[]> {
  const all = await processes()
  const below = (parent: string): Process[] =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)])
  return below(String(pid))
}

test('npm start shows the answer, the drink and the event, and Ctrl-C leaves no process behind', async () => {
  await using directory = await temporaryDirectory()
  const child = spawn('npm', ['start', '--', '--api-port', '0', '--gateway-port', '0'], {
    cwd: root,
    env: { ...process.env, KNODE_DATA_DIR: directory.path, QWEN_BASE_URL: '' },
    detached: true,
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const wanted = [
    /^knode ready api=http:\S+ gateway=http:\S+ kubeconfig=\S+$/m,
    /qwen +│ .*喝水/,
    /drink-svc +│ .*action: drink water/,
    /event-display +│ ☁️ {2}cloudevents\.Event/,
    /event-display +│ +"action": "drink water"/,
    /knode send /,
  ]
  const exited = once(child, 'exit')
  await eventually(
    () => {
      assert.equal(child.exitCode, null, said)
      return wanted.every((pattern) => pattern.test(said))
    },
    () => `the demo to show all of it; it said:\n${said}`,
    programPatience,
  )
  const started = await descendantsOf(child.pid!)
  const commands = started.map(({ command }) => command).join('\n')
  for (const part of [directory.path, 'node qwen.ts', 'node drink-svc.ts']) assert.ok(commands.includes(part), commands)
  // Ctrl-C goes to the whole foreground group.
  process.kill(-child.pid!, 'SIGINT')
  await inTime(exited, () => `its end; it said:\n${said}`, programPatience)
  const isOneOfThem = (one: Process): boolean =>
    one.command !== '' && started.some(({ pid, started: since }) => one.pid === pid && one.started === since)
  assert.deepEqual((await processes()).filter(isOneOfThem), [])
})
