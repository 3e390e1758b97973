// `npm start` as a newcomer runs it, and how it ends.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const root = join(import.meta.dirname, '..', '..')

/** Processes whose command line names `text`. */
async function processesNaming(text: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.filter((line) => line.includes(text))
}

/** How long the demo may take to show an event, in milliseconds: its schedule alone is five seconds. */
const patienceMs = 60_000

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
  const deadlineMs = Date.now() + patienceMs
  while (!wanted.every((pattern) => pattern.test(said))) {
    if (Date.now() > deadlineMs || child.exitCode !== null) assert.fail(`the demo said:\n${said}`)
    await once(child.stdout, 'data', { signal: AbortSignal.timeout(1_000) }).catch(() => undefined)
  }
  // Ctrl-C goes to the whole foreground group.
  const startedMs = Date.now()
  const exited = once(child, 'exit')
  process.kill(-(child.pid ?? 0), 'SIGINT')
  await exited
  assert.ok(Date.now() - startedMs < 10_000)
  assert.deepEqual(await processesNaming(directory.path), [])
  for (const script of ['qwen.ts', 'drink-svc.ts']) assert.deepEqual(await processesNaming(`thirst/${script}`), [])
})
