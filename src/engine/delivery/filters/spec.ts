// What a Trigger may say about the events it wants. Source: knative/eventing pkg/apis/eventing/v1 trigger_types.go.

/** One element of `spec.filters`: an object with exactly one dialect. Source: CloudEvents Subscriptions API, "Filters". */
export interface SubscriptionsFilter {
  /** Each named attribute equals the text, case-sensitively. */
  exact?: Record<string, string>
  /** Each named attribute starts with the text. */
  prefix?: Record<string, string>
  /** Each named attribute ends with the text. */
  suffix?: Record<string, string>
  all?: SubscriptionsFilter[]
  any?: SubscriptionsFilter[]
  not?: SubscriptionsFilter
  /** A CloudEvents SQL expression. */
  cesql?: string
}

/** `spec.filter`: the older way, a map of attributes that must all be equal; `''` asks only for a non-empty value. */
export interface LegacyFilter {
  attributes?: Record<string, string>
}

/** All that decides whether a Trigger wants an event. Non-empty `filters` override `filter`; a data filter adds to both. */
export interface FilterSpec {
  filter?: LegacyFilter | undefined
  filters?: SubscriptionsFilter[] | undefined
  /** The CEL expression of the annotation {@link dataFilterAnnotation}. */
  dataFilter?: string | undefined
}

/** The annotation on a Trigger that holds a CEL expression over `data` and the attributes. */
export const dataFilterAnnotation = 'knode.dev/data-filter'

/** How deep `all`, `any` and `not` may nest. */
export const filterDepthMax = 32

/** How many filters, nested ones counted, a Trigger may have. */
export const filterCountMax = 1_000

/** The filters of a Trigger-like object, wherever they stand. */
export function filterSpecOf(trigger: {
  metadata: { annotations?: Record<string, string> }
  spec?: { filter?: LegacyFilter; filters?: SubscriptionsFilter[] }
}): FilterSpec {
  return {
    filter: trigger.spec?.filter ?? undefined,
    filters: trigger.spec?.filters ?? undefined,
    dataFilter: trigger.metadata.annotations?.[dataFilterAnnotation],
  }
}

/** Whether a dialect is said: a stored filter may hold explicit nulls, which mean the same as absent. */
export const isSet = <Value>(value: Value | null | undefined): value is Value => value !== undefined && value !== null

/** Whether a dialect names attributes. */
export const hasEntries = (map: Record<string, string> | null | undefined): map is Record<string, string> =>
  isSet(map) && Object.keys(map).length > 0
