// Instruments in Prometheus' text exposition format 0.0.4.
import type { HistogramPoint, Instrument, Labels } from './metrics.ts'

export function prometheusText(instruments: Iterable<Instrument>): string {
  const lines: string[] = []
  for (const instrument of instruments) {
    const { kind, name, description, unit } = instrument
    const printed = `${prometheusName(name)}${unit === '' ? '' : `_${unit}`}${kind === 'counter' ? '_total' : ''}`
    lines.push(`# HELP ${printed} ${description}`, `# TYPE ${printed} ${kind}`)
    if (instrument.kind === 'histogram') {
      for (const point of instrument.points) histogramLines(lines, printed, point, instrument.bounds)
    } else {
      for (const { labels, value } of instrument.points) lines.push(`${printed}${braces(labelText(labels))} ${value}`)
    }
  }
  return `${lines.join('\n')}\n`
}

function histogramLines(
  lines: string[],
  name: string,
  { labels, counts, sum, count }: HistogramPoint,
  bounds: readonly number[],
): void {
  const text = labelText(labels)
  const prefix = text === '' ? '' : `${text},`
  let below = 0
  bounds.forEach((bound, at) => lines.push(`${name}_bucket{${prefix}le="${bound}"} ${(below += counts[at]!)}`))
  lines.push(`${name}_bucket{${prefix}le="+Inf"} ${count}`)
  lines.push(`${name}_sum${braces(text)} ${sum}`, `${name}_count${braces(text)} ${count}`)
}

const labelText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${prometheusName(name)}="${String(value).replace(/[\\"\n]/g, escapes)}"`)
    .join(',')

const escapes = (character: string): string => (character === '\n' ? '\\n' : `\\${character}`)
const braces = (labels: string): string => (labels === '' ? '' : `{${labels}}`)
const prometheusName = (name: string): string => name.replace(/[^a-zA-Z0-9_]/g, '_')
