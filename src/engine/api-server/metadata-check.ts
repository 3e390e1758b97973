// What metadata must be: names, labels, annotations, owners, finalizers.
// Messages: kubernetes/apimachinery pkg/util/validation and pkg/api/validation/objectmeta.go.
import type { ObjectMeta, OwnerReference } from '../../model/kubernetes/resource.ts'
import type { StatusCause } from '../../model/kubernetes/status-error.ts'
import { isNamespaced } from '../kind.ts'
import type { KindDefinition, NameFormat } from '../kind.ts'

const nameCharactersMax = 253
const labelCharactersMax = 63

/** Largest sum of all annotation keys and values, in bytes. */
const annotationBytesMax = 262_144

/** Everything wrong with the metadata of a new or changed object. */
export function metadataErrors(kind: KindDefinition, metadata: ObjectMeta): StatusCause[] {
  return [
    ...nameErrors(kind, metadata),
    ...labelErrors(metadata.labels ?? {}),
    ...annotationErrors(metadata.annotations ?? {}),
    ...ownerErrors(metadata.ownerReferences ?? []),
    ...(metadata.finalizers ?? []).flatMap((name, at) => qualifiedNameErrors(name, `metadata.finalizers[${at}]`)),
  ]
}

/** What a change must leave alone; absent fields were filled in from the stored object before. */
export function metadataChangeErrors(before: ObjectMeta, after: ObjectMeta): StatusCause[] {
  const immutable = ['uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const
  const added = (after.finalizers ?? []).filter((name) => before.finalizers?.includes(name) !== true)
  return [
    ...immutable
      .filter((field) => (before[field] ?? undefined) !== (after[field] ?? undefined))
      .map((field) => badValue(`metadata.${field}`, after[field], 'field is immutable')),
    ...(before.deletionTimestamp === undefined || added.length === 0 ? [] : [noNewFinalizers(added)]),
  ]
}

function nameErrors(kind: KindDefinition, { name, generateName, namespace }: ObjectMeta): StatusCause[] {
  const format = nameFormats[kind.nameFormat ?? 'dns-subdomain']
  const errors = [
    ...(generateName === undefined || generateName === ''
      ? []
      : format(generateName, true).map((why) => badValue('metadata.generateName', generateName, why))),
    ...(name === ''
      ? [required('metadata.name', 'name or generateName is required')]
      : format(name, false).map((why) => badValue('metadata.name', name, why))),
  ]
  if (!isNamespaced(kind)) {
    return namespace === undefined
      ? errors
      : [...errors, forbiddenField('metadata.namespace', 'not allowed on this type')]
  }
  return namespace === undefined || namespace === '' ? [...errors, required('metadata.namespace')] : errors
}

type Format = (text: string, isPrefix: boolean) => string[]

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const dns1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'

const nameFormats: Record<NameFormat, Format> = {
  'dns-subdomain': dnsFormat(
    `${label}(\\.${label})*`,
    nameCharactersMax,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and " +
      "end with an alphanumeric character (e.g. 'example.com'",
  ),
  'dns-label': dnsFormat(
    label,
    labelCharactersMax,
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with " +
      "an alphanumeric character (e.g. 'my-name',  or '123-abc'",
  ),
  'dns-1035': dnsFormat(
    dns1035,
    labelCharactersMax,
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, " +
      "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123'",
  ),
  'path-segment': (text, isPrefix) => [
    ...(!isPrefix && (text === '.' || text === '..') ? [`may not be '${text}'`] : []),
    ...['/', '%'].filter((sign) => text.includes(sign)).map((sign) => `may not contain '${sign}'`),
  ],
}

function dnsFormat(pattern: string, charactersMax: number, rule: string): Format {
  const shape = new RegExp(`^${pattern}$`)
  return (text, isPrefix) => [
    ...(text.length > charactersMax ? [`must be no more than ${charactersMax} characters`] : []),
    // A prefix may end with the dash that the generated part follows.
    ...(shape.test(isPrefix ? text.replace(/-$/, 'a') : text)
      ? []
      : [`${rule}, regex used for validation is '${pattern}')`]),
  ]
}

const namePart = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const namePartRule =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric " +
  `character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${namePart}')`
const qualifiedNameRule =
  "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an " +
  `alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${namePart}') ` +
  "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
const labelValueRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and " +
  "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is " +
  `'(${namePart})?')`

const namePartShape = new RegExp(`^${namePart}$`)

/** Labels, annotations and finalizers are named `prefix/name` or `name`. */
function qualifiedNameErrors(text: string, field: string): StatusCause[] {
  const bad = (why: string): StatusCause => badValue(field, text, why)
  const parts = text.split('/')
  if (parts.length > 2) return [bad(qualifiedNameRule)]
  const name = parts.at(-1) ?? ''
  const prefix = parts.length === 2 ? parts[0] : undefined
  const prefixErrors = prefix === undefined ? [] : nameFormats['dns-subdomain'](prefix, false)
  return [
    ...(prefix === '' ? ['prefix part must be non-empty'] : prefixErrors.map((why) => `prefix part ${why}`)),
    ...(name === '' ? ['name part must be non-empty'] : []),
    ...(name.length > labelCharactersMax ? [`name part must be no more than ${labelCharactersMax} characters`] : []),
    ...(namePartShape.test(name) ? [] : [namePartRule]),
  ].map(bad)
}

const labelErrors = (labels: Record<string, string>): StatusCause[] =>
  Object.entries(labels).flatMap(([key, value]) => [
    ...qualifiedNameErrors(key, 'metadata.labels'),
    ...[
      ...(value.length > labelCharactersMax ? [`must be no more than ${labelCharactersMax} characters`] : []),
      ...(value === '' || namePartShape.test(value) ? [] : [labelValueRule]),
    ].map((why) => badValue('metadata.labels', value, why)),
  ])

function annotationErrors(annotations: Record<string, string>): StatusCause[] {
  const field = 'metadata.annotations'
  const bytes = Object.entries(annotations).reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0)
  const tooLong = {
    reason: 'FieldValueTooLong',
    field,
    message: `Too long: may not be more than ${annotationBytesMax} bytes`,
  }
  return [
    ...Object.keys(annotations).flatMap((key) => qualifiedNameErrors(key.toLowerCase(), field)),
    ...(bytes > annotationBytesMax ? [tooLong] : []),
  ]
}

function ownerErrors(owners: Partial<OwnerReference>[]): StatusCause[] {
  const field = 'metadata.ownerReferences'
  const controllers = owners.filter(({ controller }) => controller === true).map(({ name }) => name ?? '')
  const [first, second] = controllers
  return [
    ...owners.flatMap(({ apiVersion = '', kind = '', name = '', uid = '' }) => [
      ...(apiVersion === '' ? [badValue(`${field}.apiVersion`, apiVersion, 'version must not be empty')] : []),
      ...(kind === '' ? [badValue(`${field}.kind`, kind, 'must not be empty')] : []),
      ...(name === '' ? [badValue(`${field}.name`, name, 'must not be empty')] : []),
      ...(uid === '' ? [badValue(`${field}.uid`, uid, 'must not be empty')] : []),
      ...(apiVersion === 'v1' && kind === 'Event'
        ? [badValue(field, 'Event', 'is disallowed from being an owner')]
        : []),
    ]),
    ...(second === undefined
      ? []
      : [
          badValue(
            field,
            controllers,
            `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${second}`,
          ),
        ]),
  ]
}

function noNewFinalizers(added: string[]): StatusCause {
  const names = added.map((name) => JSON.stringify(name)).join(', ')
  const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${names}}`
  return forbiddenField('metadata.finalizers', why)
}

const byteLength = (text: string): number => Buffer.byteLength(text)

const required = (field: string, why?: string): StatusCause => ({
  reason: 'FieldValueRequired',
  message: why === undefined ? 'Required value' : `Required value: ${why}`,
  field,
})

const badValue = (field: string, value: unknown, why: string): StatusCause => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value ?? null)}: ${why}`,
  field,
})

const forbiddenField = (field: string, why: string): StatusCause => ({
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${why}`,
  field,
})
