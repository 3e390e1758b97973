// How little a sick subscriber costs its neighbours: the latency of twenty healthy Triggers, from the moment an event is
// to be sent to its arrival, beside one subscriber that hangs and one that answers 500, and without them. Two Knodes take
// turns of a few seconds, so that the noise of the machine meets both alike; medians of the turns are shown.
// Usage: run.ts [--rounds N] [--rate EVENTS_PER_SECOND]
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { broker, Knode, trigger } from '../knode.ts'
import { Part, script } from '../part.ts'
import { median, report } from '../report.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    rate: { type: 'string', default: '60' },
    // Of the other benchmarks, which are given the same words.
    events: { type: 'string' },
  },
})
const turns = Number(values.rounds) * 6
const rate = Number(values.rate)
const healthy = 20
const ratioMax = 1.2
const turnSeconds = 3
/** Programs get faster while they run, and a subscriber that hangs is known as such after a while. */
const warmUpSeconds = 12

interface Sample {
  deliveries: number
  p50Ms: number
  p99Ms: number
}

await using clients = new Part(script(join(import.meta.dirname, 'clients.ts')), { core: 1 })
const subscribers = await clients.ready()

async function startKnode(sick: string[]): Promise<Knode> {
  const knode = await Knode.start({})
  const paths = [...Array<string>(healthy).fill('healthy'), ...sick]
  const triggers = paths.map((path, at) => trigger(`t${at}`, 'b', `${subscribers}/${path}`))
  await knode.apply([broker('b'), ...triggers])
  return knode
}

async function measure({ url }: Knode, seconds: number): Promise<Sample> {
  const count = rate * seconds
  return JSON.parse(await clients.ask(`${url}/default/b ${rate} ${count} ${count * healthy}`)) as Sample
}

await using calm = await startKnode([])
await using troubled = await startKnode(['hanging', 'failing'])
for (const one of [calm, troubled]) await measure(one, warmUpSeconds)
const alone: Sample[] = []
const beside: Sample[] = []
for (let turn = 1; turn <= turns; turn++) {
  process.stderr.write(`turn ${turn}/${turns}\n`)
  if (turn % 2 === 0) alone.push(await measure(calm, turnSeconds))
  beside.push(await measure(troubled, turnSeconds))
  if (turn % 2 === 1) alone.push(await measure(calm, turnSeconds))
}

const p = (samples: Sample[], field: 'p50Ms' | 'p99Ms'): number => median(samples.map((sample) => sample[field]))
const row = (name: string, samples: Sample[]): string =>
  `${name.padEnd(58)} ${p(samples, 'p50Ms').toFixed(2).padStart(8)} ${p(samples, 'p99Ms').toFixed(2).padStart(8)}`
const title = `delivery to ${healthy} Triggers, ${rate} events a second, of ${turns} turns`
console.log(`\n${title.padEnd(58)}   p50 ms   p99 ms`)
console.log(row('healthy alone', alone))
console.log(row('beside one that hangs and one that answers 500', beside))
const ratio = p(beside, 'p99Ms') / p(alone, 'p99Ms')
await report('isolation', [{ name: 'p99 beside sick ones / alone', value: ratio, relation: '<=', goal: ratioMax }], {
  turns,
  turnSeconds,
  rate,
  alone,
  beside,
})
