// How requests are divided among Revisions: shape, defaults and rules of `spec.traffic`.
// Source: knative/serving pkg/apis/serving/v1/route_{types,defaults,validation}.go.
import { at, atIndex, disallowedField, fieldError, invalidKeyName, invalidValue } from '../kubernetes/field-error.ts'
import { missingOneOf, multipleOneOf, outOfBounds } from '../kubernetes/field-error.ts'
import type { FieldError } from '../kubernetes/field-error.ts'
import { boolean, integer, list, object, string } from '../kubernetes/schema.ts'
import type { Infer } from '../kubernetes/schema.ts'
import { dnsLabelObjection, qualifiedNameObjection } from './dns-label.ts'

export const trafficSchema = list(
  'How requests are divided among Revisions.',
  object('One share.', {
    revisionName: string('A certain Revision.'),
    configurationName: string('The latest ready Revision of a Configuration; not in a Service.'),
    latestRevision: boolean('Whether it is the latest ready Revision.'),
    percent: integer('Share of the requests, in percent.', { format: 'int64' }),
    tag: string('Name of an address of its own.'),
    url: string('The address of the tag; only in the status.'),
  }),
)

export type TrafficTarget = Infer<typeof trafficSchema>[number]

/** Fills in the targets, in place, and returns them; a Service without any sends all to its latest Revision. */
export function defaultTraffic(traffic: TrafficTarget[] | undefined, inService: boolean): TrafficTarget[] | undefined {
  if (traffic === undefined || traffic.length === 0) {
    return inService ? [{ latestRevision: true, percent: 100 }] : traffic
  }
  for (const target of traffic) {
    target.latestRevision ??= (target.revisionName ?? '') === ''
    target.percent ??= 0
  }
  return traffic
}

/** Paths begin below `spec`. In a Service the Configuration is given. */
export function validateTraffic(traffic: readonly TrafficTarget[], inService: boolean): FieldError[] {
  const sum = traffic.reduce((total, { percent = 0 }) => total + percent, 0)
  const firstByTag = new Map<string, number>()
  const errors = traffic.flatMap((target, index) => {
    const { tag = '' } = target
    const own = atIndex(index, validateTarget(target, inService))
    if (tag === '') return own
    const objection = dnsLabelObjection(tag)
    if (objection !== undefined) own.push(invalidValue(`not a DNS 1035 label: ${objection}`, `tag[${index}]`))
    const first = firstByTag.get(tag)
    if (first === undefined) firstByTag.set(tag, index)
    else own.push(fieldError(`Multiple definitions for "${tag}"`, [`[${index}].tag`, `[${first}].tag`]))
    return own
  })
  if (sum !== 100) errors.push(fieldError(`Traffic targets sum to ${sum}, want 100`, ['']))
  return at('traffic', errors)
}

function validateTarget(target: TrafficTarget, inService: boolean): FieldError[] {
  const { revisionName = '', configurationName = '', latestRevision, percent, url = '' } = target
  const errors: FieldError[] = []
  if (latestRevision !== undefined && (revisionName !== '') === latestRevision) {
    const text = `may not set revisionName "${revisionName}" when latestRevision is ${latestRevision}`
    errors.push(fieldError(text, ['latestRevision']))
  }
  if (inService && configurationName !== '') errors.push(disallowedField('configurationName'))
  else if (revisionName !== '' && configurationName !== '') {
    errors.push(multipleOneOf('revisionName', 'configurationName'))
  } else if (revisionName !== '') errors.push(...qualified(revisionName, 'revisionName'))
  else if (configurationName !== '') errors.push(...qualified(configurationName, 'configurationName'))
  else if (!inService) errors.push(missingOneOf('revisionName', 'configurationName'))
  if (percent !== undefined && (percent < 0 || percent > 100)) errors.push(outOfBounds(percent, 0, 100, 'percent'))
  if (url !== '') errors.push(disallowedField('url'))
  return errors
}

function qualified(name: string, field: string): FieldError[] {
  const objection = qualifiedNameObjection(name)
  return objection === undefined ? [] : [invalidKeyName(name, field, objection)]
}
