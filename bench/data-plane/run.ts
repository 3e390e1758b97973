// `npm run bench`: what one event costs, as ratios of variants measured side by side in this run. The machine's noise is
// shared by interleaving the variants round by round; medians are shown, raw numbers kept in bench/results/.
// Usage: run.ts [--rounds N] [--events N]
import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { goProgram } from '../go-program.ts'
import { broker, builtPackage, Knode, scratchDirectory, trigger } from '../knode.ts'
import { load } from '../measure-load.ts'
import { machineBusyUs, machineStalls, Part, script } from '../part.ts'
import type { Core } from '../part.ts'
import { fixed, median, report } from '../report.ts'
import type { Goal } from '../report.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, events: { type: 'string', default: '60000' } },
})
const rounds = Number(values.rounds)
const events = Number(values.events)
const here = import.meta.dirname
/** How long an idle process is left alone before it is looked at. */
const idleMs = 5_000

/** What is measured, ready for events at `url`. */
interface Server extends AsyncDisposable {
  part: Part
  url: string
}

interface Variant {
  name: string
  start: (target: string, core: Core | undefined) => Promise<Server>
  /** Deliveries that one event leads to. */
  fanOut: number
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

/** `core`: the server's. */
async function measure({ start, fanOut }: Variant, ratePerSecond = 0, core: 0 | undefined = 0): Promise<Sample> {
  await using subscriber = new Part(script(join(here, 'subscriber.ts')), { core: 1 })
  await using server = await start(await subscriber.ready(), core)
  const { part, url } = server
  const warmUp = Math.floor(events / 2)
  await load({ what: 'event', url, count: warmUp })
  await deliveries(subscriber, warmUp * fanOut)
  const beforeUs = await part.cpuUs()
  const [subscriberUs, machineUs] = [await subscriber.cpuUs(), await machineBusyUs()]
  const startedMs = performance.now()
  const { sent, p50Ms, p99Ms, ownDelayP99Ms, cpuUs } = await load({ what: 'event', url, count: events, ratePerSecond })
  await deliveries(subscriber, (warmUp + sent) * fanOut)
  const seconds = (performance.now() - startedMs) / 1000
  const serverUs = (await part.cpuUs()) - beforeUs
  const ownUs = serverUs + ((await subscriber.cpuUs()) - subscriberUs) + cpuUs
  const othersUs = (await machineBusyUs()) - machineUs - ownUs
  return {
    cpuUsPerEvent: serverUs / sent,
    perSecond: sent / seconds,
    p50Ms,
    p99Ms,
    rssMb: await part.rssMb(),
    senderDelayP99Ms: ownDelayP99Ms,
    othersPercent: Math.max(0, othersUs / (seconds * cpus().length * 1e4)),
  }
}

/** Acknowledged is not enough: a variant is done when everything has arrived. */
async function deliveries(subscriber: Part, wanted: number): Promise<void> {
  const deadlineMs = performance.now() + 60_000
  for (let seen = 0; seen < wanted; seen = Number(await subscriber.ask('?'))) {
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

/** Of `knode up`, with a Broker and a Trigger, after it had nothing to do for a while. */
async function idleRssMb(): Promise<number> {
  await using directory = await scratchDirectory()
  const file = join(directory.path, 'manifest.yaml')
  await writeFile(file, manifest)
  const words = ['up', '-f', file, '--data-dir', join(directory.path, 'data'), '--log-level', 'warn']
  const main = join(builtPackage(), 'main.js')
  await using server = new Part(script(main, ...words, '--api-port=0', '--gateway-port=0'), { core: 0 })
  await server.ready()
  await wait(idleMs)
  const rssMb = await server.rssMb()
  server.child.kill('SIGTERM')
  return rssMb
}

/** A Broker, `matching` Triggers whose filter matches every event and `others` whose filter matches none. */
const knode =
  (mode: 'disk' | 'memory', matching = 1, others = 0): Variant['start'] =>
  async (target, core) => {
    const running = await Knode.start({ mode, core })
    const named = (prefix: string, count: number, typeOf: (at: number) => string): ReturnType<typeof trigger>[] =>
      Array.from({ length: count }, (_, at) =>
        trigger(`${prefix}${at}`, 'b', target, { filters: [{ exact: { type: typeOf(at) } }] }),
      )
    const matched = named('t', matching, () => 'dev.knode.bench')
    await running.apply([broker('b'), ...matched, ...named('o', others, (at) => `other.${at}`)])
    const { part, url } = running
    return { part, url: `${url}/default/b`, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
  }

/** A program that is told its subscriber as last word and prints its URL. */
const program =
  (command: string[], ...words: string[]): Variant['start'] =>
  async (target, core) => {
    const part = new Part([...command, target, ...words], { core })
    return { part, url: await part.ready(), [Symbol.asyncDispose]: () => part[Symbol.asyncDispose]() }
  }

const threeHop = goProgram('three-hop', join(here, 'three-hop'))
const bound: Variant = { name: 'bare proxy (bound)', start: program(script(join(here, 'proxy.ts'))), fanOut: 1 }
const disk: Variant = { name: 'knode disk', start: knode('disk'), fanOut: 1 }
const variants: Variant[] = [
  bound,
  { name: 'knode memory', start: knode('memory'), fanOut: 1 },
  disk,
  { name: 'knode disk, 10 triggers, 1 matches', start: knode('disk', 1, 9), fanOut: 1 },
  { name: 'knode disk, fan-out 10', start: knode('disk', 10), fanOut: 10 },
  ...(threeHop === undefined
    ? []
    : [
        { name: 'three hops in Go', start: program([threeHop], '1'), fanOut: 1 },
        { name: 'three hops in Go, 10 triggers, 1 matches', start: program([threeHop], '10'), fanOut: 1 },
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
  process.stderr.write(`round ${round}: ${name.padEnd(42)} ${cells}\n`)
}

for (let round = 1; round <= rounds; round++) {
  for (const variant of variants) {
    await sample(round, variant.name, variant)
  }
}
const medianOf = (name: string, field: keyof Sample): number => median(samples.get(name)!.map((each) => each[field]))
const cost = (name: string): number => medianOf(name, 'cpuUsPerEvent')
const halfLoad = medianOf(disk.name, 'perSecond') / 2
process.stderr.write(`half load: ${Math.round(halfLoad)} events a second\n`)
/**
 * The same rate for the bound shows what of a latency is the machine's and the sender's. Latency is measured as users
 * see it, with the server on whatever core is free: bound to one, its collector and its file threads would take turns
 * with its event loop, which is shown, too. A pause of the machine weighs more on a latency than on a cost: hence twice
 * the rounds.
 */
const calmRounds = rounds * 2
const calmNames = {
  bound: 'bare proxy, that rate',
  disk: 'knode disk, half load',
  oneCore: 'knode disk, half load, one core',
}
for (const name of Object.values(calmNames)) samples.set(name, [])
for (let round = 1; round <= calmRounds; round++) {
  await sample(round, calmNames.bound, bound, halfLoad, undefined)
  await sample(round, calmNames.disk, disk, halfLoad, undefined)
  await sample(round, calmNames.oneCore, disk, halfLoad)
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
const { lostMs, longestMs } = machineStalls()
console.log(`\nthe machine by itself stands still ${fixed(lostMs)} ms of a second, ${fixed(longestMs)} ms at most`)
const goals: Goal[] = [
  { name: 'memory / bound', value: cost('knode memory') / cost(bound.name), relation: '<=', goal: 1.25 },
  { name: 'disk / memory', value: cost(disk.name) / cost('knode memory'), relation: '<=', goal: 1.2 },
  {
    name: 'fan-out 10 / 10 single deliveries',
    value: cost('knode disk, fan-out 10') / (10 * cost(disk.name)),
    relation: '<',
    goal: 1,
  },
  {
    name: 'p99 of acknowledgement at half load, ms',
    value: medianOf(calmNames.disk, 'p99Ms'),
    relation: '<=',
    goal: 10,
  },
  { name: 'idle RSS, MB', value: await idleRssMb(), relation: '<=', goal: 110 },
]
if (threeHop !== undefined) {
  const tenTriggers = cost('three hops in Go, 10 triggers, 1 matches') / cost('knode disk, 10 triggers, 1 matches')
  goals.push(
    {
      name: 'three hops / disk, 1 trigger',
      value: cost('three hops in Go') / cost(disk.name),
      relation: '>=',
      goal: 3.5,
    },
    { name: 'three hops / disk, 10 triggers', value: tenTriggers, relation: '>=', goal: 10 },
  )
}
await report('data-plane', goals, { rounds, events, lostMs, longestMs, samples: Object.fromEntries(samples) })
