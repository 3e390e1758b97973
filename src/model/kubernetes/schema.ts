// Structural OpenAPI v3 schemas with their TypeScript type: one source for types, validation, `kubectl explain` and CRDs.
import type { Destination, DeliverySpec, KReference } from '../duck/types.ts'

declare const shape: unique symbol

/** The subset of OpenAPI v3 that Kubernetes calls a structural schema. `T` is what the described JSON is in TypeScript. */
export interface Schema<T = unknown> {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  readonly description?: string
  readonly format?: string
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: unknown
  readonly nullable?: boolean
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly additionalProperties?: Schema
  readonly 'x-kubernetes-preserve-unknown-fields'?: true
  readonly 'x-kubernetes-int-or-string'?: true
  readonly 'x-kubernetes-list-type'?: 'map' | 'set' | 'atomic'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly [shape]?: T
}

/** The TypeScript type a schema describes. */
export type Infer<S> = S extends Schema<infer T> ? T : never

type Extra = Partial<Omit<Schema, 'type' | 'description' | 'properties' | 'items'>>
type Shape<P extends Record<string, Schema>> = { -readonly [Name in keyof P]?: Infer<P[Name]> }

export const string = <T extends string = string>(description: string, extra: Extra = {}): Schema<T> =>
  ({ type: 'string', description, ...extra }) as Schema<T>
export const integer = (description: string, extra: Extra = {}): Schema<number> =>
  ({ type: 'integer', description, ...extra }) as Schema<number>
export const boolean = (description: string, extra: Extra = {}): Schema<boolean> =>
  ({ type: 'boolean', description, ...extra }) as Schema<boolean>

/** An object with named fields, all optional unless `required`: most of Knative's rules live in validation. */
export const object = <P extends Record<string, Schema>>(
  description: string,
  properties: P,
  extra: Extra = {},
): Schema<Shape<P>> => ({ type: 'object', description, properties, ...extra }) as Schema<Shape<P>>

/**
 * An object whose unknown fields the schema lets through, so that admission can name them in upstream's words: Knative's
 * CRDs leave typos in `spec` to its webhook.
 */
export const openObject = <P extends Record<string, Schema>>(description: string, properties: P): Schema<Shape<P>> =>
  object(description, properties, { 'x-kubernetes-preserve-unknown-fields': true })

export const list = <T>(description: string, items: Schema<T>, extra: Extra = {}): Schema<T[]> =>
  ({ type: 'array', description, items, ...extra }) as Schema<T[]>
export const map = <T>(description: string, values: Schema<T>, extra: Extra = {}): Schema<Record<string, T>> =>
  ({ type: 'object', description, additionalProperties: values, ...extra }) as Schema<Record<string, T>>

/** Any JSON object, kept as it is. */
export const anyObject = <T = Record<string, unknown>>(description: string): Schema<T> => ({
  type: 'object',
  description,
  'x-kubernetes-preserve-unknown-fields': true,
})
/** A number or a string, as Kubernetes' IntOrString. */
export const intOrString = (description: string): Schema<number | string> => ({
  description,
  'x-kubernetes-int-or-string': true,
})

export const kReference = (description: string): Schema<KReference> =>
  object(description, {
    apiVersion: string('API version of the referent.'),
    kind: string('Kind of the referent.'),
    name: string('Name of the referent.'),
    namespace: string('Namespace of the referent. Defaults to that of the object holding this reference.'),
    group: string('API group of the referent, without a version; needs the feature flag kreference-group.'),
    address: string('Name of one entry of the referent’s status.addresses.'),
  }) as Schema<KReference>

export const destination = (description: string): Schema<Destination> =>
  object(description, {
    ref: kReference('An Addressable object.'),
    uri: string('An absolute URL, or, beside ref, a URI relative to its address.'),
    CACerts: string('PEM certificates that the target’s certificate is checked against.'),
    audience: string('OIDC audience of the target.'),
  }) as Schema<Destination>

export const deliverySpec = (description: string): Schema<DeliverySpec> =>
  object(description, {
    deadLetterSink: destination('Where events go that could not be delivered.'),
    retry: integer('How often a failed delivery is repeated.', { format: 'int32' }),
    backoffPolicy: string<'linear' | 'exponential'>('How the wait grows: linear (delay·n) or exponential (delay·2ⁿ).'),
    backoffDelay: string('Base wait between tries, as ISO 8601 duration, e.g. PT0.5S.'),
    timeout: string('Longest wait for one answer, as ISO 8601 duration.'),
    retryAfterMax: string('Longest Retry-After that is honoured, as ISO 8601 duration; PT0S ignores the header.'),
    format: string<'json' | 'binary'>('Content mode of deliveries: json (structured) or binary.'),
  }) as Schema<DeliverySpec>

/**
 * A filter of CloudEvents' Subscriptions API. Filters nest without end, which a structural schema cannot say: described
 * are a filter and those in it. Unknown dialects are let through, so that admission can name them.
 */
export const subscriptionsFilter = (description: string): Schema<Record<string, unknown>> =>
  filterWith(
    description,
    filterWith('One filter, as outside.', anyObject('One filter, as outside; it may hold filters in turn.')),
  )

const filterWith = (description: string, nested: Schema): Schema<Record<string, unknown>> => {
  const texts = (how: string): Schema =>
    map(`Attribute name to text; the value of each named attribute ${how}.`, string('Text.'), { nullable: true })
  const properties = {
    exact: texts('equals the text, case-sensitively'),
    prefix: texts('starts with the text, case-sensitively'),
    suffix: texts('ends with the text, case-sensitively'),
    all: list('Filters that must all pass.', nested, { nullable: true }),
    any: list('Filters of which at least one must pass.', nested, { nullable: true }),
    not: { ...nested, description: 'A filter that must not pass.', nullable: true },
    cesql: string('A CloudEvents SQL expression that must be true.', { nullable: true }),
  }
  return openObject(description, properties) as Schema<Record<string, unknown>>
}

export const addressable = (description: string): Schema =>
  object(description, {
    name: string('Name of the address.'),
    url: string('Where to send events.'),
    CACerts: string('PEM certificates of the address.'),
    audience: string('OIDC audience of the address.'),
  })

/** `status` fields of every Knative kind, plus the kind's own. */
export const statusOf = <P extends Record<string, Schema>>(properties: P): Schema<Shape<P>> =>
  object('What was seen last.', {
    ...properties,
    observedGeneration: integer('The generation that was last reconciled.', { format: 'int64' }),
    conditions: list('The latest observations.', condition),
    annotations: map('More facts about the state.', string('Value.')),
  }) as Schema as Schema<Shape<P>>

const condition = object('One observation.', {
  type: string('Name of the condition.'),
  status: string('True, False or Unknown.'),
  severity: string('Empty for an error, else Info or Warning.'),
  lastTransitionTime: string('When it last changed.'),
  reason: string('One word that tells why.'),
  message: string('Details for people.'),
})
