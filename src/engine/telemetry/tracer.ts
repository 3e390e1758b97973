// Decides which traces are recorded, and records them. Source: knative/pkg observability/tracing/provider.go;
// OpenTelemetry specification, trace/sdk.
import type { Clock } from '../../base/clock.ts'
import { randomHex } from '../../base/random.ts'
import type { Random } from '../../base/random.ts'
import type { AttributeValue, Attributes } from '../../model/otlp/common.ts'
import type { FinishedSpan, SpanKind, SpanLink } from '../../model/otlp/span.ts'
import { parseTraceparent, sampledTraceparent } from '../../model/otlp/traceparent.ts'
import type { TraceParent } from '../../model/otlp/traceparent.ts'
import type { Span, Tracer } from '../tracing.ts'

export interface TracerOptions {
  /** The part of Knode that records. */
  scope: string
  /** 0: nothing is recorded; 1: everything is; between: what the caller's trace says, else this share of new traces. */
  samplingRate: number
  clock: Clock
  random: Random
  /** Takes each span that has ended. Must not throw. */
  onEnd: (span: FinishedSpan) => void
}

/** What is kept of a text, in characters: a subject may be as long as its event, and thousands of spans wait. */
const textLengthMax = 4_096

export function createTracer(options: TracerOptions): Tracer {
  const { samplingRate, clock, random } = options
  return {
    begin(name, { kind, parent: headers, attributes, links = [] }) {
      if (samplingRate <= 0) return undefined
      const parent = parseTraceparent(headers.traceparent)
      const ids = randomHex(random, 48)
      const traceId = parent?.traceId ?? ids.slice(0, 32)
      if (!isSampled(samplingRate, parent, traceId)) return undefined
      const trace: Trace = {
        options,
        traceId,
        // The state belongs to the parent: it goes with it.
        traceState: parent === undefined ? '' : (headers.tracestate ?? ''),
        offsetMs: clock.now() - clock.monotonicMs(),
      }
      return new RecordedSpan(
        trace,
        { name, kind, spanId: ids.slice(32), parentSpanId: parent?.spanId ?? '', links },
        attributes,
      )
    },
  }
}

/** As upstream does: the bounds count for everybody, also for those whose callers have decided otherwise. */
function isSampled(rate: number, parent: TraceParent | undefined, traceId: string): boolean {
  if (rate >= 1) return true
  // Whoever else decides by the trace's id comes to the same answer: its last 8 bytes, of which 52 bits are enough.
  return parent === undefined ? Number.parseInt(traceId.slice(16, 29), 16) / 2 ** 52 < rate : parent.isSampled
}

interface Trace {
  options: TracerOptions
  traceId: string
  traceState: string
  /** From steady to wall-clock time: within one trace, time does not jump. */
  offsetMs: number
}

interface SpanFacts {
  name: string
  kind: SpanKind
  spanId: string
  parentSpanId: string
  links: readonly SpanLink[]
}

class RecordedSpan implements Span {
  #trace: Trace
  #facts: SpanFacts
  #attributes: Record<string, AttributeValue>
  #startMs: number
  #error: string | undefined
  #isOver = false

  constructor(trace: Trace, facts: SpanFacts, attributes: Attributes) {
    this.#trace = trace
    this.#facts = facts
    this.#attributes = { ...attributes }
    this.#startMs = trace.options.clock.monotonicMs() + trace.offsetMs
  }

  get traceparent(): string {
    return sampledTraceparent(this.#trace.traceId, this.#facts.spanId)
  }

  get tracestate(): string {
    return this.#trace.traceState
  }

  set(attributes: Attributes): void {
    Object.assign(this.#attributes, attributes)
  }

  child(name: string, kind: SpanKind, attributes: Attributes = {}): Span {
    const spanId = randomHex(this.#trace.options.random, 16)
    return new RecordedSpan(
      this.#trace,
      { name, kind, spanId, parentSpanId: this.#facts.spanId, links: [] },
      attributes,
    )
  }

  fail(message: string): void {
    this.#error = message
  }

  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    const { options, traceId, traceState, offsetMs } = this.#trace
    const { clock, scope, onEnd } = options
    onEnd({
      ...this.#facts,
      traceId,
      // A part of a state is none.
      traceState: traceState.length <= textLengthMax ? traceState : '',
      scope,
      startMs: this.#startMs,
      endMs: clock.monotonicMs() + offsetMs,
      name: shortened(this.#facts.name),
      attributes: withoutLongTexts(this.#attributes),
      error: this.#error === undefined ? undefined : shortened(this.#error),
    })
  }
}

function withoutLongTexts(attributes: Record<string, AttributeValue>): Attributes {
  for (const key in attributes) {
    const value = attributes[key]!
    if (typeof value === 'string') attributes[key] = shortened(value)
  }
  return attributes
}

/** A copy where it is too long: a slice would keep the whole text in memory. */
const shortened = (text: string): string =>
  text.length <= textLengthMax ? text : Buffer.from(text.slice(0, textLengthMax)).toString()
