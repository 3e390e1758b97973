// `npm start` as a newcomer runs it, and how it ends.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { eventually, programPatience } from '../../src/base/eventually.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const root = join(import.meta.dirname, '..', '..')

/** The process and all that it started, by pid and when each began: `4711 123456`. */
async function familyOf(pid: number): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const stats = await Promise.all(pids.map((name) => readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')))
  // The command's name, in brackets, may have blanks.
  const processes = stats.map((stat) => {
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { pid: Number.parseInt(stat), state: fields[0], parent: Number(fields[1]), began: fields[19] }
  })
  const family = processes.filter((one) => one.pid === pid && one.state !== 'Z')
  for (const elder of family) family.push(...processes.filter(({ parent }) => parent === elder.pid))
  return family.map((one) => `${one.pid} ${one.began}`)
}

const isAlive = async (member: string): Promise<boolean> => (await familyOf(Number.parseInt(member))).includes(member)

/** npm, the demo, Knode, the programs it shows and those that tell of them. */
const programsMin = 8

test('npm start shows the answer, the drink and the event, and Ctrl-C leaves no process behind', async () => {
  await using directory = await temporaryDirectory()
  await using demo = startDemo(directory.path)
  const wanted = [
    /^knode ready api=http:\S+ gateway=http:\S+ kubeconfig=\S+$/m,
    /qwen +│ .*喝水/,
    /drink-svc +│ .*action: drink water/,
    /event-display +│ ☁️ {2}cloudevents\.Event/,
    /event-display +│ +"action": "drink water"/,
    /knode send /,
  ]
  await eventually(
    () => demo.ended || wanted.every((pattern) => pattern.test(demo.said)),
    () => `the demo; it said:\n${demo.said}`,
    programPatience,
  )
  assert.equal(demo.ended, false, demo.said)
  // Ctrl-C goes to the whole foreground group.
  await endsWhole(demo, () => process.kill(-demo.pid, 'SIGINT'))
})

test('npm start ends whole when npm alone is told to, as by whoever runs it as a service', async () => {
  await using directory = await temporaryDirectory()
  await using demo = startDemo(directory.path)
  const isUp = (): boolean => demo.said.includes('knode ready') && /drink-svc +│ listening/.test(demo.said)
  await eventually(
    () => demo.ended || isUp(),
    () => `the demo; it said:\n${demo.said}`,
    programPatience,
  )
  assert.equal(demo.ended, false, demo.said)
  await endsWhole(demo, () => process.kill(demo.pid, 'SIGTERM'))
})

/** Nobody is left of the demo after `stop`. */
async function endsWhole(demo: Demo, stop: () => void): Promise<void> {
  const family = await familyOf(demo.pid)
  assert.ok(family.length >= programsMin, `the demo and its programs are ${family.length} processes`)
  stop()
  await eventually(
    () => demo.ended,
    () => `its end; it said:\n${demo.said}`,
    programPatience,
  )
  let left = family
  await eventually(
    async () => {
      const alive = await Promise.all(left.map(isAlive))
      left = left.filter((_, at) => alive[at])
      return left.length === 0
    },
    () => `the end of ${left.join(', ')}`,
    programPatience,
  )
}

interface Demo extends AsyncDisposable {
  readonly pid: number
  readonly said: string
  readonly ended: boolean
}

function startDemo(dataDir: string): Demo {
  const child = spawn('npm', ['start', '--', '--api-port', '0', '--gateway-port', '0'], {
    cwd: root,
    env: { ...process.env, KNODE_DATA_DIR: dataDir, QWEN_BASE_URL: '' },
    detached: true,
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null
  return {
    pid: child.pid!,
    get said() {
      return said
    },
    get ended() {
      return hasEnded()
    },
    async [Symbol.asyncDispose]() {
      if (hasEnded()) return
      process.kill(-child.pid!, 'SIGTERM')
      await once(child, 'exit')
    },
  }
}
