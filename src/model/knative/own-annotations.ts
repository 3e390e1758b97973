// Annotations of Knode's own domain: one that nobody reads is a typing mistake, and said so at the door.
import { nearest } from '../../base/nearest.ts'
import { at, invalidKeyName } from '../kubernetes/field-error.ts'
import type { FieldError } from '../kubernetes/field-error.ts'

/** What the names of Knode's own annotations begin with. */
const domain = 'knode.dev/'

/** Written by Knode itself on objects of any kind. */
const internal: readonly string[] = ['knode.dev/applied']

type Annotations = Readonly<Record<string, string>>

/**
 * Complains about each annotation in Knode's domain that is not among `known`, naming the one that was probably meant.
 * What was there `before` stays allowed, so that an object from another version of Knode can still be changed.
 * Paths start at the object that has the metadata.
 */
export function unknownOwnAnnotations(
  annotations: Annotations = {},
  known: readonly string[],
  before: Annotations = {},
): FieldError[] {
  const unknown = Object.keys(annotations).filter(
    (name) =>
      name.startsWith(domain) && !isOneOf(name, known) && !internal.includes(name) && !Object.hasOwn(before, name),
  )
  return at(
    'metadata.annotations',
    unknown.map((name) => invalidKeyName(name, '', adviceFor(name, known))),
  )
}

/** Whether `name` is among `known`, where `knode.dev/command.*` stands for any name that begins so. */
export const isOneOf = (name: string, known: readonly string[]): boolean =>
  known.some((each) => (each.endsWith('.*') ? name.startsWith(each.slice(0, -1)) : name === each))

function adviceFor(name: string, known: readonly string[]): string {
  if (known.length === 0) return 'there are no knode.dev annotations here'
  const short = (each: string): string => each.slice(domain.length)
  const close = nearest(short(name), known.map(short))
  const question = close === undefined ? '' : `did you mean ${domain}${close}? `
  return `${question}known here: ${known.toSorted().join(', ')}`
}
