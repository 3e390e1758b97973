// Counters, gauges and histograms by OpenTelemetry's names, printed in Prometheus' text format.

export type Labels = Record<string, string | number>

export interface Counter {
  add(amount: number, labels?: Labels): void
  /** The counter of one set of labels, for hot paths: labels are put into text only once. */
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

/** Where the process counts what happens. Instruments of one name are one instrument. */
export interface Metrics {
  counter(name: string, description: string): Counter
  histogram(name: string, description: string, unit: string): Histogram
  /** `read` is asked at each scrape. */
  gauge(name: string, description: string, read: () => Iterable<[Labels, number]>): void
  /** Everything in Prometheus' text exposition format 0.0.4. */
  prometheus(): string
}

/** Histogram bounds of Knative's dispatch duration, in seconds. */
const boundsSeconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

interface Count {
  value: number
}

interface Buckets {
  counts: number[]
  sum: number
  count: number
}

/** Series a single instrument keeps; more label sets share one series labelled `overflow`. */
const seriesMax = 10_000

export function createMetrics(): Metrics {
  const counters = new Map<string, { description: string; series: Map<string, Count> }>()
  const histograms = new Map<string, { description: string; unit: string; series: Map<string, Buckets> }>()
  const gauges = new Map<string, { description: string; read: () => Iterable<[Labels, number]> }>()
  return {
    counter(name, description) {
      const { series } = getOrAdd(counters, name, () => ({ description, series: new Map<string, Count>() }))
      return {
        add: (amount, labels = {}) => void (getOrAdd(series, seriesKey(series, labels), noCount).value += amount),
        bind(labels) {
          const key = seriesKey(series, labels)
          // A series begins with the first that is counted, not before.
          let count: Count | undefined
          return { add: (amount) => void ((count ??= getOrAdd(series, key, noCount)).value += amount) }
        },
      }
    },
    histogram(name, description, unit) {
      const { series } = getOrAdd(histograms, name, () => ({ description, unit, series: new Map<string, Buckets>() }))
      return {
        record: (value, labels = {}) => recordIn(getOrAdd(series, seriesKey(series, labels), emptyBuckets), value),
        bind(labels) {
          const key = seriesKey(series, labels)
          let buckets: Buckets | undefined
          return { record: (value) => recordIn((buckets ??= getOrAdd(series, key, emptyBuckets)), value) }
        },
      }
    },
    gauge: (name, description, read) => void gauges.set(name, { description, read }),
    prometheus() {
      const lines: string[] = []
      const head = (name: string, description: string, type: string): void =>
        void lines.push(`# HELP ${name} ${description}`, `# TYPE ${name} ${type}`)
      for (const [name, { description, series }] of counters) {
        const printed = `${prometheusName(name)}_total`
        head(printed, description, 'counter')
        for (const [labels, { value }] of series) lines.push(`${printed}${braces(labels)} ${value}`)
      }
      for (const [name, { description, read }] of gauges) {
        const printed = prometheusName(name)
        head(printed, description, 'gauge')
        for (const [labels, value] of read()) lines.push(`${printed}${braces(labelText(labels))} ${value}`)
      }
      for (const [name, { description, unit, series }] of histograms) {
        const printed = `${prometheusName(name)}_${unit}`
        head(printed, description, 'histogram')
        for (const [labels, buckets] of series) lines.push(...histogramLines(printed, labels, buckets))
      }
      return `${lines.join('\n')}\n`
    },
  }
}

const noCount = (): Count => ({ value: 0 })

function recordIn(buckets: Buckets, value: number): void {
  buckets.sum += value
  buckets.count++
  let at = 0
  while (at < boundsSeconds.length && value > boundsSeconds[at]!) at++
  if (at < boundsSeconds.length) buckets.counts[at]!++
}

const emptyBuckets = (): Buckets => ({ counts: boundsSeconds.map(() => 0), sum: 0, count: 0 })

function histogramLines(name: string, labels: string, { counts, sum, count }: Buckets): string[] {
  const prefix = labels === '' ? '' : `${labels},`
  let below = 0
  const lines = boundsSeconds.map((bound, at) => `${name}_bucket{${prefix}le="${bound}"} ${(below += counts[at]!)}`)
  return [
    ...lines,
    `${name}_bucket{${prefix}le="+Inf"} ${count}`,
    `${name}_sum${braces(labels)} ${sum}`,
    `${name}_count${braces(labels)} ${count}`,
  ]
}

function getOrAdd<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = make()))
  return value
}

function seriesKey(series: Map<string, unknown>, labels: Labels): string {
  const key = labelText(labels)
  return series.has(key) || series.size < seriesMax ? key : 'overflow="true"'
}

const labelText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${prometheusName(name)}="${String(value).replace(/[\\"\n]/g, escapes)}"`)
    .join(',')

const escapes = (character: string): string => (character === '\n' ? '\\n' : `\\${character}`)
const braces = (labels: string): string => (labels === '' ? '' : `{${labels}}`)
const prometheusName = (name: string): string => name.replace(/[^a-zA-Z0-9_]/g, '_')
