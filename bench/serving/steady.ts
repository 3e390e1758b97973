// The steady state: what the gateway adds to a request, beside what a bare proxy of the same libraries adds.
import { join } from 'node:path'
import { load } from '../measure-load.ts'
import { Part, script } from '../part.ts'
import { median } from '../report.ts'

export const host = 'hello.default.example.com'

export interface SteadyOptions {
  rounds: number
  requests: number
}

interface Sample {
  cpuUs: number
  perSecond: number
  p50Ms: number
  p95Ms: number
  p99Ms: number
}

export interface SteadyResult {
  samples: Record<string, Sample[]>
  /** Median of the requests a second, both with all the load they bear. */
  throughputRatio: number
  /** What each adds to the p95 of the program itself, at one rate that both bear easily. */
  addedP95Ratio: number
  cpuRatio: number
}

/** Latency is compared at this part of what the bare proxy bears: above it, it is the clients' that is measured. */
const calmShare = 4
const names = ['direct', 'bare proxy', 'knode gateway'] as const
type Name = (typeof names)[number]

const file = (name: string, ...args: string[]): string[] => script(join(import.meta.dirname, name), ...args)

const greeting = (url: string): string => new URL('/greeting', url).href

export async function measureSteady({ rounds, requests }: SteadyOptions): Promise<SteadyResult> {
  await using program = new Part(file('program.ts'), { core: 1 })
  const programUrl = await program.ready()
  await using proxy = new Part(file('proxy.ts', programUrl), { core: 0 })
  await using gateway = new Part(file('gateway.ts', programUrl, host), { core: 0 })
  const parts: Record<Name, { part: Part; url: string }> = {
    direct: { part: program, url: programUrl },
    'bare proxy': { part: proxy, url: await proxy.ready() },
    'knode gateway': { part: gateway, url: await gateway.ready() },
  }
  for (const name of names) await load({ what: 'get', url: greeting(parts[name].url), host, count: requests })

  const samples: Record<Name, Sample[]> = { direct: [], 'bare proxy': [], 'knode gateway': [] }
  for (let round = 1; round <= rounds; round++) {
    const full = {} as Record<Name, { perSecond: number; cpuUs: number }>
    for (const name of names) {
      process.stderr.write(`steady state, round ${round}/${rounds}, full load: ${name}\n`)
      const { part, url } = parts[name]
      const beforeUs = await part.cpuUs()
      const { seconds } = await load({ what: 'get', url: greeting(url), host, count: requests })
      full[name] = { perSecond: requests / seconds, cpuUs: ((await part.cpuUs()) - beforeUs) / requests }
    }
    const ratePerSecond = Math.round(full['bare proxy'].perSecond / calmShare)
    for (const name of names) {
      process.stderr.write(`steady state, round ${round}/${rounds}, ${ratePerSecond} a second: ${name}\n`)
      const { p50Ms, p95Ms, p99Ms } = await load({
        what: 'get',
        url: greeting(parts[name].url),
        host,
        count: requests / calmShare,
        ratePerSecond,
      })
      samples[name].push({ ...full[name], p50Ms, p95Ms, p99Ms })
    }
  }
  const of = (name: Name, field: keyof Sample): number => median(samples[name].map((sample) => sample[field]))
  const addedP95 = (name: Name): number =>
    median(samples[name].map(({ p95Ms }, at) => p95Ms - samples.direct[at]!.p95Ms))
  return {
    samples,
    throughputRatio: of('knode gateway', 'perSecond') / of('bare proxy', 'perSecond'),
    addedP95Ratio: addedP95('knode gateway') / addedP95('bare proxy'),
    cpuRatio: of('knode gateway', 'cpuUs') / of('bare proxy', 'cpuUs'),
  }
}
