// How little a sick subscriber costs its neighbours: the latency of twenty healthy Triggers, from the moment an event is
// to be sent to its arrival, beside one subscriber that hangs and one that answers 500, and without them. Two Knodes take
// turns of a few seconds, so that the noise of the machine meets both alike; medians of the turns are shown.
// Usage: run.ts [--rounds N] [--rate EVENTS_PER_SECOND]
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { benchDirectory, goal, median, Part } from './part.ts'

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
const here = import.meta.dirname

interface Sample {
  deliveries: number
  p50Ms: number
  p99Ms: number
}

await using clients = new Part(join(here, 'clients.ts'), [], 1)
const subscribers = await clients.ready()

async function startKnode(directory: string, sick: string[]): Promise<{ knode: Part; url: string }> {
  const names = [...Array<string>(healthy).fill('healthy'), ...sick]
  const triggers = names.map((path, index) => ({ name: `t${index}`, uri: `${subscribers}/${path}` }))
  const knode = new Part(join(here, 'knode.ts'), [directory, JSON.stringify(triggers)], 0)
  return { knode, url: await knode.ready() }
}

async function measure({ url }: { url: string }, seconds: number): Promise<Sample> {
  const count = rate * seconds
  return JSON.parse(await clients.ask(`${url} ${rate} ${count} ${count * healthy}`)) as Sample
}

await using directory = await benchDirectory()
const calm = await startKnode(join(directory.path, 'calm'), [])
const troubled = await startKnode(join(directory.path, 'troubled'), ['hanging', 'failing'])
for (const one of [calm, troubled]) await measure(one, warmUpSeconds)
const alone: Sample[] = []
const beside: Sample[] = []
for (let turn = 1; turn <= turns; turn++) {
  process.stderr.write(`turn ${turn}/${turns}\n`)
  if (turn % 2 === 0) alone.push(await measure(calm, turnSeconds))
  beside.push(await measure(troubled, turnSeconds))
  if (turn % 2 === 1) alone.push(await measure(calm, turnSeconds))
}
for (const { knode } of [calm, troubled]) await knode[Symbol.asyncDispose]()

const p = (samples: Sample[], field: 'p50Ms' | 'p99Ms'): number => median(samples.map((sample) => sample[field]))
const row = (name: string, samples: Sample[]): string =>
  `${name.padEnd(58)} ${p(samples, 'p50Ms').toFixed(2).padStart(8)} ${p(samples, 'p99Ms').toFixed(2).padStart(8)}`
const title = `delivery to ${healthy} Triggers, ${rate} events a second, of ${turns} turns`
console.log(`\n${title.padEnd(58)}   p50 ms   p99 ms`)
console.log(row('healthy alone', alone))
console.log(row('beside one that hangs and one that answers 500', beside))
const ratio = p(beside, 'p99Ms') / p(alone, 'p99Ms')
console.log(goal('p99 beside sick ones / alone', ratio.toFixed(2), `<= ${ratioMax}`, ratio <= ratioMax))
await mkdir(join(here, '..', 'results'), { recursive: true })
const raw = { at: new Date().toISOString(), turns, turnSeconds, rate, alone, beside }
await writeFile(join(here, '..', 'results', 'isolation.json'), JSON.stringify(raw, undefined, 2))
