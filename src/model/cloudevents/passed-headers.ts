// Which HTTP headers travel with an event. Source: knative/eventing pkg/utils/headers.go, W3C Trace Context and Baggage.

/** Whether a header of this lower-case name is handed on from hop to hop; all others are dropped. */
export function isPassedOn(name: string): boolean {
  return passed.has(name) || name.startsWith('knative-') || name.startsWith('x-b3-')
}

/** Whether several headers of this lower-case name are one list, to be joined by commas; of others the first counts. */
export const isListHeader = (name: string): boolean => name === 'tracestate' || name === 'baggage'

const passed: ReadonlySet<string> = new Set(['baggage', 'traceparent', 'tracestate', 'x-request-id'])
