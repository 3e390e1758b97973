// What a long backlog costs: events behind a paused Trigger. Tells how the process's memory and the rate of the ingress
// change while they pile up, how long a restart takes with them, and how fast they are caught up with.
// Usage: backlog.ts [--backlog EVENTS]
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { broker, Knode, scratchDirectory, trigger } from '../knode.ts'
import { load } from '../measure-load.ts'
import { Part, script } from '../part.ts'
import { median, report } from '../report.ts'

const { values } = parseArgs({
  // The other words are those of the other benchmarks, which are given the same.
  options: { backlog: { type: 'string', default: '2000000' }, events: { type: 'string' }, rounds: { type: 'string' } },
})
const events = Number(values.backlog)
const parts = 20
const rssSpreadMbMax = 30
const rateRatioMin = 0.95
/** The rate depends on what else the machine does; the cost much less. */
const costRatioMax = 1.1

await using subscriber = new Part(script(join(import.meta.dirname, '..', 'data-plane', 'subscriber.ts')), { core: 1 })
const late = trigger('late', 'b', await subscriber.ready(), { annotations: { 'knode.dev/paused': 'true' } })
await using directory = await scratchDirectory()
const startKnode = async (): Promise<Knode> => {
  const started = await Knode.start({ dataDir: directory.path, core: 0 })
  await started.apply([broker('b'), late])
  return started
}
await using first = await startKnode()
let knode = first
const store = (count: number): ReturnType<typeof load> => load({ what: 'event', url: `${knode.url}/default/b`, count })

const rssMb: { phase: string; mb: number }[] = []
let phase = 'warm-up'
const watching = new AbortController()
const watch = (async () => {
  while (!watching.signal.aborted) {
    // There is a moment without a process.
    const mb = await knode.part.rssMb().catch(() => undefined)
    if (mb !== undefined) rssMb.push({ phase, mb })
    await wait(500)
  }
})()

const warmUp = Math.floor(events / 10)
await store(warmUp)
phase = 'piling up'
const rates: number[] = []
const costsUs: number[] = []
for (let part = 0; part < parts; part++) {
  process.stderr.write(`backlog: ${warmUp + Math.floor((part * (events - warmUp)) / parts)} of ${events}\n`)
  const beforeUs = await knode.part.cpuUs()
  const { sent, seconds } = await store(Math.floor((events - warmUp) / parts))
  rates.push(sent / seconds)
  costsUs.push(((await knode.part.cpuUs()) - beforeUs) / sent)
}
const stored = warmUp + parts * Math.floor((events - warmUp) / parts)
phase = 'restart'
await first[Symbol.asyncDispose]()
const restartedMs = performance.now()
await using second = await startKnode()
const restartSeconds = (performance.now() - restartedMs) / 1_000
knode = second
phase = 'catching up'
const resumedMs = performance.now()
await knode.patch('Trigger.eventing.knative.dev', 'default', 'late', {
  metadata: { annotations: { 'knode.dev/paused': 'false' } },
})
for (let seen = 0, toldMs = 0; seen < stored; await wait(50)) {
  const before = seen
  seen = Number(await subscriber.ask('?'))
  if (seen > before) toldMs = performance.now()
  else if (performance.now() - Math.max(toldMs, resumedMs) > 60_000) throw new Error(`stuck at ${seen} of ${stored}`)
}
const catchUpSeconds = (performance.now() - resumedMs) / 1_000
watching.abort()
await watch

const of = (name: string): number[] => rssMb.filter((sample) => sample.phase === name).map(({ mb }) => mb)
const spread = (samples: number[]): number => Math.max(...samples.map((mb) => Math.abs(mb - median(samples))))
const first4th = (samples: number[]): number => median(samples.slice(0, parts / 4))
const last4th = (samples: number[]): number => median(samples.slice(-parts / 4))
const show = (name: string, samples: number[]): void =>
  console.log(`${name}, first and last quarter`.padEnd(58), first4th(samples).toFixed(0), last4th(samples).toFixed(0))
console.log(`\n${stored} events of 1 KiB behind a paused Trigger`)
for (const name of ['warm-up', 'piling up', 'catching up']) {
  const samples = of(name)
  console.log(
    `RSS MB, ${name}`.padEnd(58),
    `median ${median(samples).toFixed(0)}, ${Math.min(...samples).toFixed(0)} to ${Math.max(...samples).toFixed(0)}`,
  )
}
show('events stored a second', rates)
show('CPU-us of each', costsUs)
console.log('start with them, seconds'.padEnd(58), restartSeconds.toFixed(1))
console.log('events delivered a second after it was resumed'.padEnd(58), (stored / catchUpSeconds).toFixed(0))
await report(
  'backlog',
  [
    {
      name: 'RSS while they pile up, MB from its median',
      value: spread(of('piling up')),
      relation: '<=',
      goal: rssSpreadMbMax,
    },
    {
      name: 'ingress rate, last quarter / first',
      value: last4th(rates) / first4th(rates),
      relation: '>=',
      goal: rateRatioMin,
    },
    {
      name: 'CPU of an event stored, last quarter / first',
      value: last4th(costsUs) / first4th(costsUs),
      relation: '<=',
      goal: costRatioMax,
    },
  ],
  { stored, rates, costsUs, rssMb, restartSeconds, catchUpSeconds },
)
