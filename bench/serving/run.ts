// `npm run bench`: what the way to a Service costs, as ratios of things measured side by side in this run; medians are
// shown, raw numbers kept in bench/results/. Usage: run.ts [--rounds N] [--requests N] [--samples N] [--only PART]
import { parseArgs } from 'node:util'
import { measureBurst, measureContainers, measureFunctions, measureIdle, measureProcess } from './cold.ts'
import { fixed, holds, median, report } from '../report.ts'
import type { Goal } from '../report.ts'
import { measureSteady } from './steady.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    requests: { type: 'string', default: '12000' },
    samples: { type: 'string', default: '9' },
    only: { type: 'string', default: '' },
    // Of the other benchmarks, which get the same arguments.
    events: { type: 'string' },
  },
})
const samples = Number(values.samples)
const burstRequests = 300
const idleServices = 500

const goals: Goal[] = []
const raw: Record<string, unknown> = {}
const lines: string[] = []
const wants = (part: string): boolean => values.only === '' || values.only === part

if (wants('steady')) {
  const steady = await measureSteady({ rounds: Number(values.rounds), requests: Number(values.requests) })
  raw['steady'] = steady
  lines.push(`${'steady state'.padEnd(20)}  requests/s  CPU-us/request   p50 ms   p95 ms   p99 ms`)
  for (const [name, all] of Object.entries(steady.samples)) {
    const cells = (['perSecond', 'cpuUs', 'p50Ms', 'p95Ms', 'p99Ms'] as const).map((field) =>
      fixed(median(all.map((sample) => sample[field]))).padStart(12),
    )
    lines.push(`${name.padEnd(20)}${cells.join('')}`)
  }
  goals.push(
    { name: 'requests per CPU-second, of a bare proxy', value: 1 / steady.cpuRatio, relation: '>=', goal: 0.7 },
    { name: 'requests per second, of a bare proxy', value: steady.throughputRatio, relation: '>=', goal: 0.7 },
    { name: 'added p95, of what a bare proxy adds', value: steady.addedP95Ratio, relation: '<=', goal: 2 },
  )
}
if (wants('process')) {
  const pairs = await measureProcess(samples)
  raw['process'] = pairs
  const own = median(pairs.own)
  const first = median(pairs.first)
  lines.push(`process: ${fixed(own)} ms from spawn to listening, ${fixed(first)} ms to the first answer from zero`)
  goals.push({ name: 'process, first answer of its own start', value: first / own, relation: '<=', goal: 1.25 })
}
if (wants('function')) {
  const first = await measureFunctions(samples)
  raw['function'] = first
  goals.push({ name: 'function, first answer p50, ms', value: median(first), relation: '<=', goal: 60 })
}
if (wants('container')) {
  const pairs = await measureContainers(samples)
  raw['container'] = pairs
  if (pairs !== undefined) {
    const own = median(pairs.own)
    const first = median(pairs.first)
    lines.push(`container: ${fixed(own)} ms with podman run, ${fixed(first)} ms to the first answer from zero`)
    goals.push({ name: 'container, first answer of podman run', value: first / own, relation: '<=', goal: 1.15 })
  }
}
if (wants('burst')) {
  const statuses = await measureBurst(burstRequests)
  raw['burst'] = statuses
  lines.push(`burst of ${burstRequests} at zero: ${JSON.stringify(statuses)}`)
  goals.push({ name: 'burst, answered 200', value: statuses['200'] ?? 0, relation: '>=', goal: burstRequests })
}
if (wants('idle')) {
  const { rssBytes, timers } = await measureIdle(idleServices)
  raw['idle'] = { rssBytes, timers }
  goals.push(
    { name: `RSS of each of ${idleServices} idle Services, MiB`, value: rssBytes / 2 ** 20, relation: '<', goal: 1 },
    { name: `timers of ${idleServices} idle Services`, value: timers, relation: '<', goal: 10 },
  )
}

console.log(`\n${lines.join('\n')}`)
await report('serving', goals, raw)
process.exit(goals.every(holds) ? 0 : 1)
