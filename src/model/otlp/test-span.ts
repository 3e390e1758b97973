// A span for tests.
import type { FinishedSpan } from './span.ts'

export const aSpan = (): FinishedSpan => ({
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  parentSpanId: '',
  traceState: '',
  scope: 's',
  name: 'n',
  kind: 'server',
  startMs: 1,
  endMs: 2,
  attributes: {},
  links: [],
  error: undefined,
})
