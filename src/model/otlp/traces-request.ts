// ExportTraceServiceRequest. Source: opentelemetry-proto, collector/trace/v1/trace_service.proto, trace/v1/trace.proto.
import { WireWriter } from '../protobuf/wire-writer.ts'
import { nanosOf, writeAttributes, writeResource, writeScope } from './common.ts'
import type { Attributes } from './common.ts'
import type { FinishedSpan, SpanKind } from './span.ts'

export interface TracesRequest {
  resource: Attributes
  /** Of the instrumentation scopes. */
  version: string
  spans: readonly FinishedSpan[]
}

const kinds: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3 }
/** Status.StatusCode. */
const statusError = 2
/** SpanFlags: the trace is sampled, the lowest bit of W3C's trace flags. */
const sampled = 1

export function writeTracesRequest({ resource, version, spans }: TracesRequest): Uint8Array {
  const scopes = Map.groupBy(spans, ({ scope }) => scope)
  const writer = new WireWriter()
  writer.message(1, () => {
    writeResource(writer, resource)
    for (const [scope, those] of scopes) {
      writer.message(2, () => {
        writeScope(writer, scope, version)
        for (const span of those) writer.message(2, () => writeSpan(writer, span))
      })
    }
  })
  return writer.bytes
}

function writeSpan(writer: WireWriter, span: FinishedSpan): void {
  writer.hex(1, span.traceId)
  writer.hex(2, span.spanId)
  writer.string(3, span.traceState)
  writer.hex(4, span.parentSpanId)
  writer.string(5, span.name)
  writer.varint(6, kinds[span.kind])
  writer.fixed64(7, nanosOf(span.startMs))
  writer.fixed64(8, nanosOf(span.endMs))
  writeAttributes(writer, 9, span.attributes)
  for (const { traceId, spanId } of span.links) {
    writer.message(13, () => {
      writer.hex(1, traceId)
      writer.hex(2, spanId)
    })
  }
  const { error } = span
  if (error !== undefined) {
    writer.message(15, () => {
      writer.string(2, error)
      writer.varint(3, statusError)
    })
  }
  writer.fixed32(16, sampled)
}
