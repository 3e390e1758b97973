// The header `traceparent`. Source: W3C Trace Context Level 1, section 3.2.

export interface TraceParent {
  /** 32 hexadecimal digits. */
  traceId: string
  /** 16 hexadecimal digits. */
  spanId: string
  isSampled: boolean
}

/** @returns `undefined` when it is none: then a new trace begins. */
export function parseTraceparent(text = ''): TraceParent | undefined {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(text)
  if (match === null) return undefined
  const [, version, traceId = '', spanId = '', flags = '', more] = match
  // Later versions may go on after the flags.
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

/** Of a span that is recorded. */
export const sampledTraceparent = (traceId: string, spanId: string): string => `00-${traceId}-${spanId}-01`
