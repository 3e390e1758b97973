// Counters, gauges and histograms by OpenTelemetry's names: read as data points, or printed in Prometheus' text format.
import { prometheusText } from './prometheus-text.ts'

export type Labels = Readonly<Record<string, string | number>>

export interface Counter {
  add(amount: number, labels?: Labels): void
  /** The counter of one set of labels, for hot paths: its series is found only once. */
  bind(labels: Labels): BoundCounter
}
export interface BoundCounter {
  add(amount: number): void
}
export interface Histogram {
  record(value: number, labels?: Labels): void
  /** The histogram of one set of labels, for hot paths. */
  bind(labels: Labels): BoundHistogram
}
export interface BoundHistogram {
  record(value: number): void
}

/** Makes instruments. Those of one scope and name are one instrument. */
export interface Meter {
  counter(name: string, description: string): Counter
  histogram(name: string, description: string, unit: string): Histogram
  /** `read` is asked whenever somebody reads the metrics. */
  gauge(name: string, description: string, read: GaugeReader): void
}

/** Where the process counts what happens. Instruments that it makes itself have the scope `''`. */
export interface Metrics extends Meter {
  /** Instruments of one part of the process, by OpenTelemetry's instrumentation scope. */
  scope(name: string): Meter
  /** All instruments that have something to tell, in the order they were made. Points are views: read them at once. */
  read(): Iterable<Instrument>
  /** Everything in Prometheus' text exposition format 0.0.4. */
  prometheus(): string
}

/** What an instrument has counted since the process began. */
export type Instrument = {
  scope: string
  name: string
  description: string
  /** Spelt out, e.g. `seconds`; `''`: what it counts has none. */
  unit: string
} & (
  | { kind: 'counter' | 'gauge'; points: Iterable<NumberPoint> }
  | { kind: 'histogram'; bounds: readonly number[]; points: Iterable<HistogramPoint> }
)

export interface NumberPoint {
  readonly labels: Labels
  readonly value: number
}

export interface HistogramPoint {
  readonly labels: Labels
  /** Of values up to each bound and above the one before; the rest of `count` is above the last. */
  readonly counts: readonly number[]
  readonly sum: number
  readonly count: number
}

/** Histogram bounds of Knative's dispatch duration, in seconds. */
const boundsSeconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

interface Count {
  readonly labels: Labels
  value: number
}

interface Buckets {
  readonly labels: Labels
  counts: number[]
  sum: number
  count: number
}

/** Series a single instrument keeps; more label sets share one series labelled `overflow`. */
const seriesMax = 10_000
/** Names and values of one set of labels, in characters; longer ones, which somebody made up, share that series, too. */
const labelsLengthMax = 4_096

type GaugeReader = () => Iterable<readonly [Labels, number]>

type Kept =
  | { kind: 'counter'; series: Map<string, Count> }
  | { kind: 'histogram'; series: Map<string, Buckets> }
  | { kind: 'gauge'; read: GaugeReader }
type Made = Kept & { scope: string; name: string; description: string; unit: string }

export interface MetricsOptions {
  /** Hears once of each gauge that cannot be read: the others are. @default throws it */
  onUnreadable?: (gauge: string, thrown: unknown) => void
}

export function createMetrics({ onUnreadable = rethrow }: MetricsOptions = {}): Metrics {
  const counters = new Map<string, Extract<Made, { kind: 'counter' }>>()
  const gauges = new Map<string, Extract<Made, { kind: 'gauge' }>>()
  const histograms = new Map<string, Extract<Made, { kind: 'histogram' }>>()
  const meter = (scope: string): Meter => ({
    counter(name, description) {
      const make = () => ({ scope, name, description, unit: '', kind: 'counter', series: new Map() }) as const
      const { series } = getOrAdd(counters, `${scope} ${name}`, make)
      return {
        add: (amount, labels = {}) => void (seriesOf(series, labels, noCount).value += amount),
        bind(labels) {
          // A series begins with the first that is counted, not before.
          let count: Count | undefined
          return { add: (amount) => void ((count ??= seriesOf(series, labels, noCount)).value += amount) }
        },
      }
    },
    histogram(name, description, unit) {
      const make = () => ({ scope, name, description, unit, kind: 'histogram', series: new Map() }) as const
      const { series } = getOrAdd(histograms, `${scope} ${name}`, make)
      return {
        record: (value, labels = {}) => recordIn(seriesOf(series, labels, emptyBuckets), value),
        bind(labels) {
          let buckets: Buckets | undefined
          return { record: (value) => recordIn((buckets ??= seriesOf(series, labels, emptyBuckets)), value) }
        },
      }
    },
    gauge: (name, description, read) =>
      void gauges.set(`${scope} ${name}`, { scope, name, description, unit: '', kind: 'gauge', read }),
  })
  const unreadable = new Set<string>()
  /** All at once: one that fails halfway tells nothing rather than a part. */
  const readable = ({ scope, name }: { scope: string; name: string }, read: GaugeReader): NumberPoint[] | undefined => {
    try {
      return Array.from(read(), ([labels, value]) => ({ labels, value }))
    } catch (thrown) {
      const key = `${scope} ${name}`
      if (!unreadable.has(key)) onUnreadable(name, thrown)
      unreadable.add(key)
      return undefined
    }
  }
  function* read(): Iterable<Instrument> {
    for (const { series, ...counter } of counters.values()) yield { ...counter, points: series.values() }
    for (const { read: pointsOf, ...gauge } of gauges.values()) {
      const points = readable(gauge, pointsOf)
      if (points !== undefined) yield { ...gauge, points }
    }
    for (const { series, ...histogram } of histograms.values()) {
      yield { ...histogram, bounds: boundsSeconds, points: series.values() }
    }
  }
  return { ...meter(''), scope: meter, read, prometheus: () => prometheusText(read()) }
}

function rethrow(_gauge: string, thrown: unknown): never {
  throw thrown
}

const noCount = (labels: Labels): Count => ({ labels, value: 0 })

function recordIn(buckets: Buckets, value: number): void {
  buckets.sum += value
  buckets.count++
  let at = 0
  while (at < boundsSeconds.length && value > boundsSeconds[at]!) at++
  if (at < boundsSeconds.length) buckets.counts[at]!++
}

const emptyBuckets = (labels: Labels): Buckets => ({ labels, counts: boundsSeconds.map(() => 0), sum: 0, count: 0 })

function getOrAdd<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = make()))
  return value
}

function seriesOf<Value>(series: Map<string, Value>, labels: Labels, make: (labels: Labels) => Value): Value {
  let key = ''
  for (const name in labels) key += `${name}\n${labels[name]}\n`
  const known = series.get(key)
  if (known !== undefined) return known
  if (series.size >= seriesMax || key.length > labelsLengthMax)
    return getOrAdd(series, 'overflow', () => make({ overflow: 'true' }))
  const value = make(labels)
  series.set(key, value)
  return value
}
