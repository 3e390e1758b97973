// From zero: how long a first request takes beside the program's own start, whether a burst loses one, and what
// Services cost that nobody asks.
import type { TestContext } from 'node:test'
import { startPodman } from '../../test/harness/podman.ts'
import { firstAnswerMs, freePort, ownStartMs, programFile, statusOf, untilAnsweredMs } from './own-start.ts'
import { Knode } from '../knode.ts'

export interface Pairs {
  /** Of the program by itself, in milliseconds. */
  own: number[]
  /** Of a first request through Knode, in milliseconds. */
  first: number[]
}

interface Services {
  image?: string
  annotations?: Record<string, string>
  containerConcurrency?: number
}

const command = { 'knode.dev/command': `exec "${process.execPath}" "${programFile}"` }

/** With what Services at zero need. */
async function startKnode(env: NodeJS.ProcessEnv = {}): Promise<Knode> {
  const knode = await Knode.start({ env })
  const change = { data: { 'allow-zero-initial-scale': 'true' } }
  await knode.patch('ConfigMap', 'knative-serving', 'config-autoscaler', change)
  return knode
}

/** Services at zero, Ready when this returns. */
async function makeServices(
  knode: Knode,
  names: string[],
  { image = 'dev.local/bench', annotations = {}, containerConcurrency = 0 }: Services,
): Promise<void> {
  const metadata = { annotations: { 'autoscaling.knative.dev/initial-scale': '0', ...annotations } }
  await knode.apply(
    names.map((name) => ({
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      metadata: { name },
      spec: { template: { metadata, spec: { containerConcurrency, containers: [{ image }] } } },
    })),
  )
}

const portOf = ({ url }: Knode): number => Number(new URL(url).port)
const hostOf = (name: string): string => `${name}.default.svc.cluster.local`
const namesOf = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, at) => `${prefix}-${at}`)

/** A program started by command, alternately by itself and by its first request. */
export async function measureProcess(samples: number): Promise<Pairs> {
  await using knode = await startKnode()
  const names = namesOf('process', samples + 1)
  await makeServices(knode, names, { annotations: command })
  const pairs: Pairs = { own: [], first: [] }
  for (const [at, name] of names.entries()) {
    process.stderr.write(`from zero, process ${at}/${samples}\n`)
    const own = await ownStartMs()
    const first = await firstAnswerMs(portOf(knode), hostOf(name))
    // The first of all warms up the files of the program, and Knode's own code.
    if (at === 0) continue
    pairs.own.push(own)
    pairs.first.push(first)
  }
  return pairs
}

/** Functions, each asked when the one before has long been answered. */
export async function measureFunctions(samples: number): Promise<number[]> {
  await using knode = await startKnode()
  const names = namesOf('function', samples + 1)
  const file = programFile.replace('program.ts', 'function.ts')
  await makeServices(knode, names, { annotations: { 'knode.dev/function': file } })
  const first: number[] = []
  for (const [at, name] of names.entries()) {
    process.stderr.write(`from zero, function ${at}/${samples}\n`)
    const tookMs = await firstAnswerMs(portOf(knode), hostOf(name))
    if (at > 0) first.push(tookMs)
    // The next spare process starts once this one is at work.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
  }
  return first
}

/** Containers, beside `podman run`; `undefined` where Podman cannot be used. */
export async function measureContainers(samples: number): Promise<Pairs | undefined> {
  const skip = (reason?: string): void => void process.stderr.write(`containers are left out: ${reason ?? ''}\n`)
  await using podman = await startPodman({ skip } as unknown as TestContext)
  if (podman === undefined) return undefined
  const image = 'localhost/knode-bench/hello:v1'
  await podman.build(image, containerProgram)
  await using knode = await startKnode({ DOCKER_HOST: podman.dockerHost })
  const names = namesOf('container', samples + 1)
  await makeServices(knode, names, { image })
  const pairs: Pairs = { own: [], first: [] }
  for (const [at, name] of names.entries()) {
    process.stderr.write(`from zero, container ${at}/${samples}\n`)
    const port = await freePort()
    const own = await untilAnsweredMs(port, async () => {
      await podman.run('run', '--detach', '--name', `own-${at}`, '--publish', `127.0.0.1:${port}:8080`, image)
    })
    await podman.run('rm', '--force', '--time', '0', `own-${at}`)
    const first = await firstAnswerMs(portOf(knode), hostOf(name))
    if (at === 0) continue
    pairs.own.push(own)
    pairs.first.push(first)
  }
  return pairs
}

const containerProgram = `require('node:http').createServer((q, r) => r.end('Hello World!')).listen(process.env.PORT ?? 8080)`

/** Requests that all come at once to a Service at zero: how each was answered; 0 is not at all. */
export async function measureBurst(requests: number): Promise<Record<string, number>> {
  await using knode = await startKnode()
  await makeServices(knode, ['burst'], { annotations: command, containerConcurrency: 20 })
  const asking = Array.from({ length: requests }, () => statusOf(portOf(knode), hostOf('burst')).catch(() => 0))
  const statuses: Record<string, number> = {}
  for (const status of await Promise.all(asking)) statuses[status] = (statuses[status] ?? 0) + 1
  return statuses
}

export interface IdleResult {
  /** Of each Service. */
  rssBytes: number
  /** Timers that all of them together brought. */
  timers: number
}

/** What Services at zero cost, beyond those that paid for the code. */
export async function measureIdle(count: number): Promise<IdleResult> {
  await using knode = await startKnode({ NODE_OPTIONS: '--expose-gc' })
  await makeServices(knode, namesOf('first', 50), { annotations: command })
  const before = await knode.memory()
  process.stderr.write(`idle: making ${count} Services\n`)
  await makeServices(knode, namesOf('idle', count), { annotations: command })
  const after = await knode.memory()
  return { rssBytes: (after.rssBytes - before.rssBytes) / count, timers: after.timers - before.timers }
}
