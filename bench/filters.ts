// What filters cost: many Triggers against few, the index against asking each, CESQL against TypeScript.
// Run with: node_modules/.bin/node bench/filters.ts
import { seededRandom } from '../src/base/random.ts'
import { compileCesql } from '../src/engine/delivery/filters/cesql/compile.ts'
import { compileFilters } from '../src/engine/delivery/filters/compile.ts'
import type { CompiledFilter } from '../src/engine/delivery/filters/compile.ts'
import { createMatcher } from '../src/engine/delivery/filters/matcher.ts'
import type { Matcher } from '../src/engine/delivery/filters/matcher.ts'
import type { SubscriptionsFilter } from '../src/engine/delivery/filters/spec.ts'
import { cloudEvent } from '../src/model/cloudevents/event.ts'
import type { CloudEvent } from '../src/model/cloudevents/event.ts'

const rounds = 9
const roundMs = 60
const random = seededRandom(1)
let sink = 0

interface Contestant {
  name: string
  /** Handles one event. */
  run: (event: CloudEvent) => number | boolean
  events: CloudEvent[]
}

/** Median nanoseconds per event of each contestant; rounds are interleaved, so that noise hits all alike. */
function measure(contestants: Contestant[]): Map<string, number> {
  const timesNs = new Map(contestants.map(({ name }) => [name, [] as number[]]))
  for (let round = -2; round < rounds; round++) {
    for (const { name, run, events } of contestants) {
      let count = 0
      const started = performance.now()
      let tookMs = 0
      do {
        for (const event of events) sink += Number(run(event))
        count += events.length
        tookMs = performance.now() - started
      } while (tookMs < roundMs)
      if (round >= 0) timesNs.get(name)!.push((tookMs * 1e6) / count)
    }
  }
  return new Map(Array.from(timesNs, ([name, times]) => [name, times.sort((a, b) => a - b)[times.length >> 1]!]))
}

function report(what: string, value: number, unit: string, goal?: { text: string; holds: boolean }): void {
  const mark = goal === undefined ? '' : `  ${goal.text}: ${goal.holds ? 'holds' : 'FAILS'}`
  if (goal?.holds === false) process.exitCode = 1
  console.log(`${what.padEnd(64)} ${value.toPrecision(4).padStart(9)} ${unit}${mark}`)
}

const eventOf = (attributes: Record<string, string | number>): CloudEvent =>
  cloudEvent(
    {
      id: `${Math.floor(random.next() * 1e9)}`,
      source: '/shops/17',
      type: 'com.example.order.created',
      time: '2026-01-01T00:00:00Z',
      datacontenttype: 'application/json',
      ...attributes,
    },
    '{"total":150}',
  )

function matcherOf(filters: readonly CompiledFilter[]): Matcher {
  const matcher = createMatcher()
  for (const [index, filter] of filters.entries()) matcher.set(`default/trigger-${index}`, filter)
  return matcher
}

const filtersOf = (count: number, make: (index: number) => SubscriptionsFilter): CompiledFilter[] =>
  Array.from({ length: count }, (_, index) => compileFilters({ filters: [make(index)] }))

const upTo = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))
const anyOf = (count: number): number => Math.floor(random.next() * count)

function manyTriggers(): void {
  const exact = (index: number): SubscriptionsFilter => ({ exact: { type: `com.example.type${index}` } })
  const [few, many] = [10, 10_000].map((count) => matcherOf(filtersOf(count, exact)))
  const events = (types: number): CloudEvent[] =>
    upTo(2_000, () => eventOf({ type: `com.example.type${anyOf(types)}`, subject: `orders/${anyOf(1e9)}` }))
  const times = measure([
    { name: 'few', run: (event) => few!.match(event).size, events: events(10) },
    { name: 'many', run: (event) => many!.match(event).size, events: events(10_000) },
  ])
  const [fewNs, manyNs] = [times.get('few')!, times.get('many')!]
  console.log('\nExact filters on type, one of the Triggers matches')
  report('10 Triggers', fewNs, 'ns/event')
  report('10,000 Triggers, each event of any of 10,000 types', manyNs, 'ns/event')
  const ratio = manyNs / fewNs
  report('ratio', ratio, 'x', { text: 'at most 5', holds: ratio <= 5 })
}

/** Each dialect in turn, as people write them; an event passes a handful. */
function mixed(index: number): SubscriptionsFilter {
  const team = index % 143
  switch (index % 7) {
    case 0:
      return { exact: { type: `com.example.order.type${team}` } }
    case 1:
      return { prefix: { source: `/shops/${team}/` } }
    case 2:
      return { suffix: { subject: `/items/${team}` } }
    case 3:
      return { all: [{ prefix: { type: 'com.example.' } }, { exact: { tenant: `tenant-${team}` } }] }
    case 4:
      return { any: [{ exact: { type: `com.example.refund.type${team}` } }, { exact: { tenant: `vip-${team}` } }] }
    case 5:
      return { not: { any: [{ prefix: { type: 'com.example.' } }, { exact: { tenant: `tenant-${team}` } }] } }
    default:
      return { cesql: `type LIKE 'com.example.order.%' AND tenant IN ('tenant-${team}', 'vip-${team}') AND hop < 5` }
  }
}

function mixedDialects(): void {
  const filters = filtersOf(1_000, mixed)
  const [matcher, calm] = [matcherOf(filters), matcherOf(filters)]
  const event = (subjects: number): CloudEvent =>
    eventOf({
      type: `com.example.order.type${anyOf(200)}`,
      source: `/shops/${anyOf(200)}/checkout`,
      subject: `/orders/${anyOf(subjects)}/items/${anyOf(1_000)}`,
      tenant: `tenant-${anyOf(200)}`,
      hop: anyOf(10),
    })
  const events = upTo(60_000, () => event(1e9))
  const again = upTo(50, () => event(10))
  const eachInTurn = (event: CloudEvent): number => {
    let count = 0
    for (const filter of filters) if (filter.passes(event)) count++
    return count
  }
  for (const one of events.slice(0, 200)) {
    if (matcher.match(one).size !== eachInTurn(one)) throw new Error('the index and asking each in turn disagree')
  }
  const times = measure([
    { name: 'each', run: eachInTurn, events: events.slice(0, 500) },
    { name: 'index', run: (event) => matcher.match(event).size, events },
    { name: 'index again', run: (event) => calm.match(event).size, events: again },
  ])
  const [eachNs, indexNs, againNs] = [times.get('each')!, times.get('index')!, times.get('index again')!]
  console.log('\n1,000 Triggers mixing all dialects, two or three match')
  report('testing each in turn', eachNs, 'ns/event')
  report('index, 60,000 events, more than it remembers', indexNs, 'ns/event')
  report('index, 50 events again and again', againNs, 'ns/event')
  report('ratio, more events than it remembers', eachNs / indexNs, 'x', {
    text: 'at least 20',
    holds: eachNs / indexNs >= 20,
  })
  report('ratio, the same events', eachNs / againNs, 'x')
}

function cesql(): void {
  const text = "type = 'com.example.order.created' AND source = '/shops/17' AND subject != 'orders/1'"
  const compiled = compileCesql(text)
  const byHand = ({ attributes }: CloudEvent): boolean =>
    attributes.get('type') === 'com.example.order.created' &&
    attributes.get('source') === '/shops/17' &&
    attributes.get('subject') !== 'orders/1'
  // All three comparisons are made for each of these.
  const events = upTo(500, () => eventOf({ subject: `orders/${2 + anyOf(1e6)}` }))
  const times = measure([
    { name: 'cesql', run: compiled.passes, events },
    { name: 'by hand', run: byHand, events },
  ])
  const [cesqlNs, byHandNs] = [times.get('cesql')!, times.get('by hand')!]
  console.log('\nCESQL with three comparisons, all of them made')
  report('compiled CESQL', cesqlNs, 'ns/event')
  report('the same in TypeScript', byHandNs, 'ns/event')
  report('ratio', cesqlNs / byHandNs, 'x')
  const perSecond = 1e9 / cesqlNs
  report('evaluations a second', perSecond, '/s', { text: 'at least 1,000,000', holds: perSecond >= 1e6 })
}

function changes(): void {
  const filters = filtersOf(10_000, mixed)
  const started = performance.now()
  const matcher = matcherOf(filters)
  const loadedMs = performance.now() - started
  const event = eventOf({ tenant: 'tenant-1', hop: 1 })
  const changeStarted = performance.now()
  const changeCount = 2_000
  for (let index = 0; index < changeCount; index++) {
    matcher.set(`default/trigger-${index}`, filters[(index + 7) % filters.length]!)
    sink += matcher.match(event).size
  }
  console.log('\nChanges among 10,000 Triggers of all dialects')
  report('loading all', loadedMs, 'ms')
  report('replacing one, and the next match', ((performance.now() - changeStarted) * 1e3) / changeCount, 'µs')
}

manyTriggers()
mixedDialects()
cesql()
changes()
if (sink < 0) console.log(sink)
