// For tests: a tracer that records in plain words.
import type { Attributes } from '../model/otlp/common.ts'
import type { SpanKind, SpanLink } from '../model/otlp/span.ts'
import type { Span, TraceHeaders, Tracer } from './tracing.ts'

export interface Recorded {
  name: string
  kind: SpanKind
  /** `caller`, or the span it is below. */
  parent: string
  attributes: Record<string, unknown>
  links?: readonly SpanLink[]
  error?: string
}

export interface TestTracer {
  tracer: Tracer
  /** Spans in the order they ended. */
  ended: Recorded[]
  /** What each trace began with. */
  parents: TraceHeaders[]
}

/** Records everything. The second span of all is `span-2`, which is also what it is told as. */
export function aTestTracer(): TestTracer {
  const ended: Recorded[] = []
  const parents: TraceHeaders[] = []
  let made = 0
  const begin = (recorded: Recorded, tracestate: string): Span => {
    const traceparent = `span-${++made}`
    return {
      traceparent,
      tracestate,
      set: (more: Attributes) => void Object.assign(recorded.attributes, more),
      child: (name, kind, more = {}) => begin({ name, kind, parent: traceparent, attributes: { ...more } }, tracestate),
      fail: (message) => void (recorded.error = message),
      end: () => void ended.push(recorded),
    }
  }
  const tracer: Tracer = {
    begin(name, { kind, parent, attributes, links }) {
      parents.push(parent)
      const own = { name, kind, parent: 'caller', attributes: { ...attributes }, ...(links && { links }) }
      return begin(own, parent.tracestate ?? '')
    },
  }
  return { tracer, ended, parents }
}
