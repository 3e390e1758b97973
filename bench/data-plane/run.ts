// `npm run bench`: what one event costs, as ratios of variants measured side by side in this run. The machine's noise is
// shared by interleaving the variants round by round; medians are shown, raw numbers kept in bench/results/.
// Usage: run.ts [--rounds N] [--events N]
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, events: { type: 'string', default: '60000' } },
})
const rounds = Number(values.rounds)
const events = Number(values.events)
const here = import.meta.dirname
const root = join(here, '..', '..')
/** With two cores and taskset, the server has one core and the load the other. */
const pinned = cpus().length >= 2 && spawnSync('taskset', ['--version']).status === 0
/** Clock ticks a second in /proc/PID/stat: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100
/** How long an idle process is left alone before it is looked at. */
const idleMs = 5_000

interface Variant {
  name: string
  command: string
  args: string[]
  /** Deliveries that one event leads to. */
  fanOut: number
}

interface Load {
  sent: number
  seconds: number
  p50Ms: number
  p99Ms: number
  statuses: Record<string, number>
  ownDelayP99Ms: number
  cpuUs: number
}

interface Sample {
  cpuUsPerEvent: number
  perSecond: number
  p50Ms: number
  p99Ms: number
  rssMb: number
  /** Of the sender's event loop, in milliseconds: below it, `p99Ms` says nothing of the server. */
  senderDelayP99Ms: number
  /** Share of the machine's CPU that others used meanwhile, in percent. */
  othersPercent: number
}

class Part implements AsyncDisposable {
  readonly child: ChildProcess
  #lines: AsyncIterator<string>

  /** `core`: where it may run, so that what is measured does not share its core with the load; anywhere without it. */
  constructor(command: string, args: string[], core: 0 | 1 | undefined) {
    const isBound = pinned && core !== undefined
    const [file, words] = isBound ? ['taskset', ['-c', String(core), command, ...args]] : [command, args]
    this.child = spawn(file, words, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]()
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error(`${this.child.spawnargs.join(' ')} ended`)
    return value
  }

  async ready(): Promise<string> {
    return (await this.line()).replace(/^ready /, '')
  }

  async ask(): Promise<number> {
    this.child.stdin!.write('?\n')
    return Number(await this.line())
  }

  async cpuUs(): Promise<number> {
    const stat = await readFile(`/proc/${this.child.pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond
  }

  async rssMb(): Promise<number> {
    const status = await readFile(`/proc/${this.child.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.stdin!.end()
    if (this.child.exitCode === null) await once(this.child, 'exit')
  }
}

const node = process.execPath
const script = (name: string, ...args: string[]): string[] => [join(here, name), ...args]

async function load(url: string, count: number, ratePerSecond = 0): Promise<Load> {
  await using sender = new Part(node, script('load.ts', url, '64', String(count), String(ratePerSecond)), 1)
  return JSON.parse(await sender.line())
}

/** `core`: the server's. */
async function measure(
  { command, args, fanOut }: Variant,
  ratePerSecond = 0,
  core: 0 | undefined = 0,
): Promise<Sample> {
  await using subscriber = new Part(node, script('subscriber.ts'), 1)
  const target = await subscriber.ready()
  await using server = new Part(
    command,
    args.map((arg) => (arg === 'SUBSCRIBER' ? target : arg)),
    core,
  )
  const url = await server.ready()
  const warmUp = Math.floor(events / 2)
  await load(url, warmUp)
  await deliveries(subscriber, warmUp * fanOut)
  const beforeUs = await server.cpuUs()
  const [subscriberUs, machineUs] = [await subscriber.cpuUs(), await machineBusyUs()]
  const startedMs = performance.now()
  const { sent, p50Ms, p99Ms, statuses, ownDelayP99Ms, cpuUs } = await load(url, events, ratePerSecond)
  if (statuses['202'] !== sent) throw new Error(`not every event was accepted: ${JSON.stringify(statuses)}`)
  await deliveries(subscriber, (warmUp + sent) * fanOut)
  const seconds = (performance.now() - startedMs) / 1000
  const serverUs = (await server.cpuUs()) - beforeUs
  const ownUs = serverUs + ((await subscriber.cpuUs()) - subscriberUs) + cpuUs
  const othersUs = (await machineBusyUs()) - machineUs - ownUs
  return {
    cpuUsPerEvent: serverUs / sent,
    perSecond: sent / seconds,
    p50Ms,
    p99Ms,
    rssMb: await server.rssMb(),
    senderDelayP99Ms: ownDelayP99Ms,
    othersPercent: Math.max(0, othersUs / (seconds * cpus().length * 1e4)),
  }
}

/** CPU time that all processes of the machine have used. */
async function machineBusyUs(): Promise<number> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n')
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(/\s+/).slice(1).map(Number)
  return ((user + nice + system + irq + softirq) * 1e6) / ticksPerSecond
}

/** Acknowledged is not enough: a variant is done when everything has arrived. */
async function deliveries(subscriber: Part, wanted: number): Promise<void> {
  const deadlineMs = performance.now() + 60_000
  for (let seen = await subscriber.ask(); seen < wanted; seen = await subscriber.ask()) {
    if (performance.now() > deadlineMs) throw new Error(`${seen} of ${wanted} deliveries after a minute`)
    await wait(5)
  }
}

const manifest = `
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: b}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: t}
spec: {broker: b, subscriber: {uri: "http://127.0.0.1:1/"}}
`

/** Of `knode up` as the package has it, with a Broker and a Trigger, after it had nothing to do for a while. */
async function idleRssMb(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'knode-idle-'))
  const file = join(directory, 'manifest.yaml')
  await writeFile(file, manifest)
  const words = ['up', '-f', file, '--data-dir', join(directory, 'data'), '--log-level', 'warn']
  try {
    await using server = new Part(node, [join(root, 'dist/main.js'), ...words, '--api-port=0', '--gateway-port=0'], 0)
    await server.ready()
    await wait(idleMs)
    const rssMb = await server.rssMb()
    server.child.kill('SIGTERM')
    return rssMb
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Users have the package, not its sources: those would bring the stripping of types along. */
function buildPackage(): void {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status } = spawnSync(node, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error('the package cannot be built')
}

function buildThreeHop(): string | undefined {
  const binary = join(here, '..', 'results', 'three-hop')
  const built = spawnSync('go', ['build', '-o', binary, '.'], { cwd: join(here, 'three-hop'), stdio: 'inherit' })
  return built.status === 0 ? binary : undefined
}

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!
const fixed = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(2))

await mkdir(join(here, '..', 'results'), { recursive: true })
buildPackage()
const threeHop = buildThreeHop()
const knode = (mode: string, matching: number, others: number): Pick<Variant, 'command' | 'args'> => ({
  command: node,
  args: script('knode.ts', mode, 'SUBSCRIBER', String(matching), String(others)),
})
const variants: Variant[] = [
  { name: 'bare proxy (bound)', command: node, args: script('proxy.ts', 'SUBSCRIBER'), fanOut: 1 },
  { name: 'knode memory', ...knode('memory', 1, 0), fanOut: 1 },
  { name: 'knode disk', ...knode('disk', 1, 0), fanOut: 1 },
  { name: 'knode disk, 10 triggers, 1 matches', ...knode('disk', 1, 9), fanOut: 1 },
  { name: 'knode disk, fan-out 10', ...knode('disk', 10, 0), fanOut: 10 },
  ...(threeHop === undefined
    ? []
    : [
        { name: 'three hops in Go', command: threeHop, args: ['SUBSCRIBER', '1'], fanOut: 1 },
        { name: 'three hops in Go, 10 triggers, 1 matches', command: threeHop, args: ['SUBSCRIBER', '10'], fanOut: 1 },
      ]),
]

const samples = new Map<string, Sample[]>(variants.map(({ name }) => [name, []]))
async function sample(
  round: number,
  name: string,
  variant: Variant,
  ratePerSecond = 0,
  core: 0 | undefined = 0,
): Promise<void> {
  const taken = await measure(variant, ratePerSecond, core)
  samples.get(name)!.push(taken)
  const { cpuUsPerEvent, p99Ms, othersPercent } = taken
  const cells = `${fixed(cpuUsPerEvent)} CPU-us/event, p99 ${fixed(p99Ms)} ms, others ${fixed(othersPercent)} %`
  process.stderr.write(`round ${round}/${rounds}: ${name.padEnd(42)} ${cells}\n`)
}

for (let round = 1; round <= rounds; round++) {
  for (const variant of variants) {
    await sample(round, variant.name, variant)
  }
}
const medianOf = (name: string, field: keyof Sample): number =>
  median(samples.get(name)!.map((sample) => sample[field]))
const cost = (name: string): number => medianOf(name, 'cpuUsPerEvent')
const halfLoad = medianOf('knode disk', 'perSecond') / 2
process.stderr.write(`half load: ${Math.round(halfLoad)} events a second\n`)
/**
 * The same rate for the bound shows what of a latency is the machine's and the sender's. Latency is measured as users
 * see it, with the server on whatever core is free: bound to one, its collector and its file threads would take turns
 * with its event loop, which is shown, too.
 */
const calmNames = {
  bound: 'bare proxy, that rate',
  disk: 'knode disk, half load',
  oneCore: 'knode disk, half load, one core',
}
for (const name of Object.values(calmNames)) samples.set(name, [])
for (let round = 1; round <= rounds; round++) {
  await sample(round, calmNames.bound, variants[0]!, halfLoad, undefined)
  await sample(round, calmNames.disk, variants[2]!, halfLoad, undefined)
  await sample(round, calmNames.oneCore, variants[2]!, halfLoad)
}

const columns: [title: string, field: keyof Sample][] = [
  ['CPU-us/event', 'cpuUsPerEvent'],
  ['events/s', 'perSecond'],
  ['p50 ms', 'p50Ms'],
  ['p99 ms', 'p99Ms'],
  ['RSS MB', 'rssMb'],
  ['sender p99', 'senderDelayP99Ms'],
  ['others %', 'othersPercent'],
]
console.log(`\nmedians of ${rounds}${''.padEnd(32)} ${columns.map(([title]) => title.padStart(13)).join('')}`)
for (const name of samples.keys()) {
  console.log(`${name.padEnd(44)} ${columns.map(([, field]) => fixed(medianOf(name, field)).padStart(13)).join('')}`)
}
const goals: [string, number, string, number | undefined][] = [
  ['memory / bound', cost('knode memory') / cost('bare proxy (bound)'), '<=', 1.25],
  ['disk / memory', cost('knode disk') / cost('knode memory'), '<=', 1.2],
  ['fan-out 10 / 10 single deliveries', cost('knode disk, fan-out 10') / (10 * cost('knode disk')), '<', 1],
  ['p99 of acknowledgement at half load, ms', medianOf(calmNames.disk, 'p99Ms'), '<=', 10],
  ['idle RSS, MB', await idleRssMb(), '<=', 110],
]
if (threeHop !== undefined) {
  const tenTriggers = cost('three hops in Go, 10 triggers, 1 matches') / cost('knode disk, 10 triggers, 1 matches')
  goals.push(
    ['three hops / disk, 1 trigger', cost('three hops in Go') / cost('knode disk'), '>=', 3.5],
    ['three hops / disk, 10 triggers', tenTriggers, '>=', 10],
  )
}
console.log('')
const holds = (value: number, relation: string, goal: number): boolean =>
  relation === '<=' ? value <= goal : relation === '<' ? value < goal : value >= goal
for (const [name, value, relation, goal] of goals) {
  const verdict = goal === undefined ? '' : holds(value, relation, goal) ? 'holds' : 'MISSED'
  console.log(`${name.padEnd(44)} ${fixed(value).padStart(10)}   goal ${relation} ${goal}   ${verdict}`)
}
const raw = {
  at: new Date().toISOString(),
  node: process.version,
  cpu: cpus()[0]?.model,
  rounds,
  events,
  samples: Object.fromEntries(samples),
  goals: goals.map(([name, value, relation, goal]) => ({ name, value, relation, goal })),
}
await writeFile(join(here, '..', 'results', 'data-plane.json'), JSON.stringify(raw, undefined, 2))
