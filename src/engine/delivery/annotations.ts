// Knode's own say in a delivery, by annotations, so that a manifest stays valid on any Knative cluster.
import { parseIsoDurationMs } from '../../model/duck/iso-duration.ts'
import { at, atKey, invalidValue } from '../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../model/kubernetes/field-error.ts'

/** What the annotations of a Trigger or Subscription ask for. */
export interface DeliveryControls {
  /** `knode.dev/paused: "true"` keeps events waiting. */
  paused: boolean
  /** `knode.dev/max-in-flight`: tries going on at once. */
  inFlightMax?: number
  /** `knode.dev/ordering: <attribute>`: events of equal attribute are delivered one by one, in order. */
  orderingAttribute?: string
  /** `knode.dev/rate: 100/s` (or `/m`, `/h`): tries per second. */
  ratePerSecond?: number
  /** `knode.dev/expire-after: PT1H`: older events are dropped, in milliseconds. */
  expireAfterMs?: number
  /** `knode.dev/batch: 100` or `100/PT1S`: so many events in one request, and how long the first waits for others. */
  batch?: { eventsMax: number; waitMs?: number }
  /** `knode.dev/webhook-origin: shop.example.com`: the subscriber is asked for its consent, under this name. */
  webhookOrigin?: string
}

const inFlightMaxMax = 10_000
const batchEventsMaxMax = 1_000
const batchWaitMsMax = 60_000
const unitSeconds = { s: 1, m: 60, h: 3600 } as const

/** Reads one annotation into the controls, or says what it expects. */
type Reader = (value: string, controls: DeliveryControls) => string | undefined

const readers: Record<string, Reader> = {
  'knode.dev/paused'(value, controls) {
    if (value !== 'true' && value !== 'false') return 'expected true or false'
    controls.paused = value === 'true'
  },
  'knode.dev/max-in-flight'(value, controls) {
    const inFlightMax = /^\d{1,6}$/.test(value) ? Number(value) : 0
    if (inFlightMax < 1 || inFlightMax > inFlightMaxMax) return `expected a whole number from 1 to ${inFlightMaxMax}`
    controls.inFlightMax = inFlightMax
  },
  'knode.dev/ordering'(value, controls) {
    if (!/^[a-z0-9]{1,64}$/.test(value))
      return 'expected the name of an event attribute, such as subject or partitionkey'
    controls.orderingAttribute = value
  },
  'knode.dev/rate'(value, controls) {
    const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,6})?)\/([smh])$/.exec(value) ?? []
    if (amount === undefined || Number(amount) === 0) return 'expected a rate above 0, such as 100/s, 30/m or 5/h'
    controls.ratePerSecond = Number(amount) / unitSeconds[unit as keyof typeof unitSeconds]
  },
  'knode.dev/expire-after'(value, controls) {
    const expireAfterMs = parseIsoDurationMs(value)
    if (expireAfterMs === undefined || expireAfterMs === 0) return 'expected an ISO 8601 duration above 0, such as PT1H'
    controls.expireAfterMs = expireAfterMs
  },
  'knode.dev/batch'(value, controls) {
    const [, amount, wait] = /^(\d{1,4})(?:\/(.+))?$/.exec(value) ?? []
    const eventsMax = Number(amount ?? 0)
    const waitMs = wait === undefined ? 0 : (parseIsoDurationMs(wait) ?? Infinity)
    if (eventsMax < 1 || eventsMax > batchEventsMaxMax || waitMs > batchWaitMsMax) {
      return `expected events from 1 to ${batchEventsMaxMax}, and how long to wait for them, at most PT1M: 100 or 100/PT1S`
    }
    if (controls.orderingAttribute !== undefined)
      return 'a batch cannot keep the order that knode.dev/ordering asks for'
    controls.batch = { eventsMax, ...(wait !== undefined && { waitMs }) }
  },
  'knode.dev/webhook-origin'(value, controls) {
    if (value.length > 253 || !dnsName.test(value)) return 'expected a DNS name, such as shop.example.com'
    controls.webhookOrigin = value
  },
}

const dnsLabel = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const dnsName = new RegExp(`^${dnsLabel}(?:\\.${dnsLabel})*$`, 'i')

/** On a Broker: how long an event's source and id are remembered, as an ISO 8601 duration. */
const dedupAnnotation = 'knode.dev/dedup'

/** What is wrong with the annotations of a Broker that its door reads, with paths from the object's root. */
export function validateDoorAnnotations(annotations: Readonly<Record<string, string>> | undefined): FieldError[] {
  const value = annotations?.[dedupAnnotation]
  if (value === undefined || dedupWindowMs(annotations) !== undefined) return []
  const expected = 'expected an ISO 8601 duration above 0, such as PT24H'
  return at('metadata.annotations', atKey(dedupAnnotation, [invalidValue(value, '', expected)]))
}

/** For how long a Broker takes each event once, in milliseconds; `undefined` when it takes duplicates. */
export function dedupWindowMs(annotations: Readonly<Record<string, string>> | undefined): number | undefined {
  const value = annotations?.[dedupAnnotation]
  return value === undefined ? undefined : parseIsoDurationMs(value) || undefined
}

/** The annotations of a Broker's door, and of a delivery. */
export const doorAnnotations: readonly string[] = [dedupAnnotation]
export const deliveryAnnotations: readonly string[] = Object.keys(readers)

/** What is wrong with the delivery annotations of an object, with paths from the object's root. */
export const validateDeliveryAnnotations = (annotations: Readonly<Record<string, string>> | undefined): FieldError[] =>
  read(annotations).errors

/** The controls; an annotation that does not parse counts as absent (admission refuses it). */
export const deliveryControls = (annotations: Readonly<Record<string, string>> | undefined): DeliveryControls =>
  read(annotations).controls

function read(annotations: Readonly<Record<string, string>> = {}): {
  controls: DeliveryControls
  errors: FieldError[]
} {
  const controls: DeliveryControls = { paused: false }
  const errors: FieldError[] = []
  for (const [name, reader] of Object.entries(readers)) {
    const value = annotations[name]
    if (value === undefined) continue
    const expected = reader(value, controls)
    if (expected !== undefined) {
      errors.push(...at('metadata.annotations', atKey(name, [invalidValue(value, '', expected)])))
    }
  }
  return { controls, errors }
}
