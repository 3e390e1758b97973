// What `npm start` runs: Knode with this folder's manifest, showing how each event moves and what the services say, until
// Ctrl-C. It only uses the `knode` command, as anybody could in three terminals.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const here = import.meta.dirname
const knode = join(here, '..', '..', 'bin', 'knode')
const dataDir = resolve(process.env['KNODE_DATA_DIR'] ?? '.knode')
const services = ['qwen', 'drink-svc', 'event-display']

/** How long children may take to end before they are forced, in milliseconds: well beyond the grace of `knode up`. */
const patienceMs = 60_000

const children = new Set<ChildProcess>()

/** Starts a command of Knode in this folder, so that `node qwen.ts` in the manifest finds its file. */
function start(args: string[], label: string): ChildProcess {
  const child = spawn(knode, args, { cwd: here, stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  child.on('exit', () => children.delete(child))
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) =>
      console.log(label === '' ? line : `${label.padEnd(14)}│ ${line}`),
    )
  }
  return child
}

let stopping = false
async function stop(code: number): Promise<void> {
  if (stopping) process.exit(1)
  stopping = true
  const running = [...children]
  for (const child of running) child.kill('SIGTERM')
  const force = setTimeout(() => running.forEach((child) => child.kill('SIGKILL')), patienceMs)
  const alive = running.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
  await Promise.all(alive.map((child) => once(child, 'exit')))
  clearTimeout(force)
  process.exit(code)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(0))

const up = start(
  ['up', '-f', join(here, 'thirst.yaml'), '--data-dir', dataDir, '--log-level', 'warn', ...process.argv.slice(2)],
  '',
)
up.on('exit', (code) => void stop(code ?? 1))
createInterface({ input: up.stdout! }).once('line', (line) => {
  const kubeconfig = /kubeconfig=(.+)$/.exec(line)?.[1] ?? ''
  console.log(`
  PingSource "渴了" ──► Sequence ──► qwen ──► drink-svc ──► event-display        (every 5 seconds; Ctrl-C ends it)

  look around     export KUBECONFIG=${kubeconfig}
                  kubectl get sequence,ksvc,pingsource
  send one more   ./bin/knode send sequence/thirst --data-dir ${dataDir} -d '{"messages":[{"role":"user","content":"I am thirsty"}]}'
`)
  start(['tail', '--data-dir', dataDir], 'events')
  for (const name of services) start(['logs', name, '--follow', '--data-dir', dataDir], name)
})
