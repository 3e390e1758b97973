// What request-path and delivery record of requests and events, for whoever exports it. Source: W3C Trace Context,
// OpenTelemetry's trace API.
import type { Attributes } from '../model/otlp/common.ts'
import type { SpanKind, SpanLink } from '../model/otlp/span.ts'

/** The tracers at this moment; `undefined` while nobody wants traces. Ask again for each request. */
export interface Tracing {
  readonly serving: Tracer | undefined
  readonly eventing: Tracer | undefined
}

/** The headers of W3C Trace Context, as they came. */
export interface TraceHeaders {
  readonly traceparent?: string | undefined
  readonly tracestate?: string | undefined
}

export interface SpanOptions {
  kind: SpanKind
  /** What the request or event came with. */
  parent: TraceHeaders
  attributes: Attributes
  links?: readonly SpanLink[]
}

export interface Tracer {
  /** @returns `undefined` when nothing is recorded of this trace: leave its headers as they are */
  begin(name: string, options: SpanOptions): Span | undefined
}

/** Something that goes on. What is done to it after its end is lost. */
export interface Span {
  /** Names this span as the parent of what comes after it. */
  readonly traceparent: string
  /** `''` when there is none. */
  readonly tracestate: string
  set(attributes: Attributes): void
  /** A span below this one, in the same process. */
  child(name: string, kind: SpanKind, attributes?: Attributes): Span
  /** Marks it as failed. */
  fail(message: string): void
  end(): void
}

/** Records nothing, ever. */
export const noTracing: Tracing = { serving: undefined, eventing: undefined }
