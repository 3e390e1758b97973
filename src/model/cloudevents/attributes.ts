// What attributes of an event must look like, whichever way it came. Source: CloudEvents 1.0.2, "Context Attributes".
import { InvalidEventError } from '../../base/errors.ts'
import type { AttributeValue } from './event.ts'
import { parseMediaType } from './media-type.ts'
import { utcTimestamp } from './timestamp.ts'
import { isAbsoluteUri, isUriReference } from './uri.ts'

/** Why this cannot name an attribute, or `undefined` when it can. */
export function nameObjection(name: string): string | undefined {
  if (name === 'data') return 'attribute name "data" is taken by the event\'s data'
  if (/^[a-z0-9]+$/.test(name)) return undefined
  return `attribute name ${quoted(name)} has characters other than a-z and 0-9`
}

/**
 * Checks freshly read attributes with legal names and brings them into the form that an ingress passes on, in place: `time` in UTC,
 * empty optional attributes dropped, empty extensions kept.
 * @param problems what was found wrong so far; the error tells all of it.
 * @param known `isPlain`: whether all texts are known to be printable ASCII.
 * @throws {InvalidEventError}
 */
export function settleAttributes(
  attributes: Map<string, AttributeValue>,
  problems: string[],
  { isPlain = false }: { isPlain?: boolean } = {},
): void {
  attributes.forEach((value, name) => {
    const objection = checks.get(name)?.(value, attributes) ?? (isPlain ? undefined : textObjection(name, value))
    if (objection !== undefined) problems.push(objection)
  })
  for (const name of required) {
    if (!attributes.has(name)) problems.push(`attribute ${quoted(name)} is missing`)
  }
  if (problems.length > 0) throw new InvalidEventError(problems.slice(0, problemsMax).join('; '))
}

/** A value for messages: quoted, cut to a readable length. */
export const quoted = (text: string): string => JSON.stringify(text.length > 64 ? `${text.slice(0, 61)}...` : text)

/** The versions that an ingress of Knative takes. */
const specVersions: readonly AttributeValue[] = ['1.0', '0.3']

/** Problems told in one error. */
const problemsMax = 10
const required = ['specversion', 'id', 'source', 'type']

type Check = (value: AttributeValue, attributes: Map<string, AttributeValue>) => string | undefined

const nonEmpty =
  (name: string): Check =>
  (value) => {
    if (typeof value !== 'string') return `attribute "${name}" is not a string`
    return value.trim() === '' ? `attribute "${name}" is empty` : undefined
  }

/** An attribute whose empty value means that it is not there. */
const optional =
  (name: string, objection: (text: string) => string | undefined): Check =>
  (value, attributes) => {
    if (typeof value !== 'string') return `attribute "${name}" is not a string`
    if (value !== '') return objection(value)
    attributes.delete(name)
    return undefined
  }

const checks: ReadonlyMap<string, Check> = new Map(
  Object.entries<Check>({
    specversion: (value) =>
      specVersions.includes(value) ? undefined : `attribute "specversion" is ${quoted(String(value))}, not 1.0 or 0.3`,
    id: nonEmpty('id'),
    type: nonEmpty('type'),
    source: (value, attributes) =>
      nonEmpty('source')(value, attributes) ??
      (isUriReference(String(value)) ? undefined : `attribute "source" is no URI-reference: ${quoted(String(value))}`),
    subject: optional('subject', () => undefined),
    datacontenttype: optional('datacontenttype', (text) =>
      text === 'application/json' || (/^[\t\x20-\x7e]*$/.test(text) && parseMediaType(text) !== undefined)
        ? undefined
        : `attribute "datacontenttype" is no media type: ${quoted(text)}`,
    ),
    dataschema: optional('dataschema', (text) =>
      isAbsoluteUri(text) ? undefined : `attribute "dataschema" is no absolute URI: ${quoted(text)}`,
    ),
    time: (value, attributes) => {
      const time = typeof value === 'string' ? utcTimestamp(value) : undefined
      if (time === undefined) return `attribute "time" is no RFC 3339 timestamp: ${quoted(String(value))}`
      if (time !== value) attributes.set('time', time)
      return undefined
    },
  }),
)

/** Source: CloudEvents 1.0.2, "Type System": what a String may not contain. */
function textObjection(name: string, value: AttributeValue): string | undefined {
  if (typeof value !== 'string' || plainText.test(value)) return undefined
  if (!value.isWellFormed()) return `attribute "${name}" contains half of a surrogate pair`
  const forbidden = forbiddenCharacter.exec(value)?.[0]
  if (forbidden === undefined) return undefined
  const code = forbidden.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
  return `attribute "${name}" contains the forbidden character U+${code}`
}

const plainText = /^[\x20-\x7e]*$/
const forbiddenCharacter = /[\p{Cc}\p{Noncharacter_Code_Point}]/u
