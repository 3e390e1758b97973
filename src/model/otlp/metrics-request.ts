// ExportMetricsServiceRequest. Source: opentelemetry-proto, collector/metrics/v1/metrics_service.proto, metrics/v1.
import type { HistogramPoint, Instrument, NumberPoint } from '../../base/metrics.ts'
import { WireWriter } from '../protobuf/wire-writer.ts'
import { nanosOf, writeAttributes, writeResource, writeScope } from './common.ts'
import type { Attributes } from './common.ts'

export interface MetricsRequest {
  resource: Attributes
  /** Of the instrumentation scopes. */
  version: string
  instruments: Iterable<Instrument>
  /** Since when everything counts, and now: in milliseconds since 1970. */
  startedMs: number
  nowMs: number
}

/** AggregationTemporality: everything since the start. */
const cumulative = 2

/** One message with all points; `undefined` when there are none. */
export function writeMetricsRequest(request: MetricsRequest): Uint8Array | undefined {
  const { resource, version, startedMs, nowMs } = request
  const scopes = byScope(request.instruments)
  if (scopes.size === 0) return undefined
  const times = { startNanos: nanosOf(startedMs), nanos: nanosOf(nowMs) }
  const writer = new WireWriter()
  writer.message(1, () => {
    writeResource(writer, resource)
    for (const [scope, instruments] of scopes) {
      writer.message(2, () => {
        writeScope(writer, scope, version)
        for (const instrument of instruments) writer.message(2, () => writeMetric(writer, instrument, times))
      })
    }
  })
  return writer.bytes
}

/** An instrument of which all points are at hand. */
type Taken = Instrument & { points: readonly unknown[] }

function byScope(instruments: Iterable<Instrument>): Map<string, Taken[]> {
  const scopes = new Map<string, Taken[]>()
  for (const instrument of instruments) {
    const points = [...instrument.points]
    if (points.length === 0) continue
    const taken = { ...instrument, points } as Taken
    const list = scopes.get(instrument.scope)
    if (list === undefined) scopes.set(instrument.scope, [taken])
    else list.push(taken)
  }
  return scopes
}

interface Times {
  startNanos: bigint
  nanos: bigint
}

function writeMetric(writer: WireWriter, instrument: Taken, times: Times): void {
  writer.string(1, instrument.name)
  writer.string(2, instrument.description)
  writer.string(3, ucumUnit(instrument.unit))
  switch (instrument.kind) {
    case 'gauge':
      return writer.message(5, () => {
        for (const point of instrument.points) writeNumber(writer, point, times)
      })
    case 'counter':
      return writer.message(7, () => {
        for (const point of instrument.points) writeNumber(writer, point, times)
        writer.varint(2, cumulative)
        writer.varint(3, 1)
      })
    case 'histogram':
      return writer.message(9, () => {
        for (const point of instrument.points) writeHistogram(writer, point, instrument.bounds, times)
        writer.varint(2, cumulative)
      })
    default:
      instrument satisfies never
  }
}

function writeNumber(writer: WireWriter, { labels, value }: NumberPoint, { startNanos, nanos }: Times): void {
  writer.message(1, () => {
    writer.fixed64(2, startNanos)
    writer.fixed64(3, nanos)
    if (Number.isSafeInteger(value)) writer.sfixed64(6, BigInt(value))
    else writer.double(4, value)
    writeAttributes(writer, 7, labels)
  })
}

function writeHistogram(
  writer: WireWriter,
  { labels, counts, sum, count }: HistogramPoint,
  bounds: readonly number[],
  { startNanos, nanos }: Times,
): void {
  const above = count - counts.reduce((total, each) => total + each, 0)
  writer.message(1, () => {
    writer.fixed64(2, startNanos)
    writer.fixed64(3, nanos)
    writer.fixed64(4, BigInt(count))
    writer.double(5, sum)
    writer.packedFixed64(6, [...counts, above])
    writer.packedDoubles(7, bounds)
    writeAttributes(writer, 9, labels)
  })
}

/** As UCUM spells it, which OpenTelemetry asks for. */
const ucumUnit = (unit: string): string => (unit === 'seconds' ? 's' : unit)
