// A span as it is exported. Source: opentelemetry-proto, trace/v1/trace.proto.
import type { Attributes } from './common.ts'

export type SpanKind = 'internal' | 'server' | 'client'

/** Another span that this one has to do with, without being below it. */
export interface SpanLink {
  /** 32 and 16 hexadecimal digits. */
  readonly traceId: string
  readonly spanId: string
}

export interface FinishedSpan {
  /** 32 and 16 hexadecimal digits. */
  readonly traceId: string
  readonly spanId: string
  /** `''`: the first of its trace. */
  readonly parentSpanId: string
  /** W3C `tracestate`. */
  readonly traceState: string
  /** The part of Knode that made it. */
  readonly scope: string
  readonly name: string
  readonly kind: SpanKind
  /** Milliseconds since 1970, with fractions. */
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Attributes
  readonly links: readonly SpanLink[]
  /** Why it failed; `undefined`: it did not. */
  readonly error: string | undefined
}
