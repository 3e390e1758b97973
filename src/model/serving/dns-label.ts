// Names that are DNS-1035 labels, and what Kubernetes says of those that are not.
// Source: kubernetes/apimachinery pkg/util/validation/validation.go, IsDNS1035Label, IsQualifiedName.

const labelCharactersMax = 63
const labelPattern = '[a-z]([-a-z0-9]*[a-z0-9])?'
const labelRule =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and " +
  "end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is " +
  `'${labelPattern}')`

const qualifiedPattern = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const qualifiedRule =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric " +
  "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is " +
  `'${qualifiedPattern}')`

/** What is wrong with a label, as Go prints a list of strings; `undefined` when nothing is. */
export function dnsLabelObjection(name: string): string | undefined {
  const tooLong = name.length > labelCharactersMax ? [`must be no more than ${labelCharactersMax} characters`] : []
  const malformed = new RegExp(`^${labelPattern}$`).test(name) ? [] : [labelRule]
  const objections = [...tooLong, ...malformed]
  return objections.length === 0 ? undefined : `[${objections.join(' ')}]`
}

/** The same for the beginning of generated names, which may end with a dash. */
export const dnsLabelPrefixObjection = (prefix: string): string | undefined =>
  dnsLabelObjection(prefix.endsWith('-') ? `${prefix.slice(0, -1)}a` : prefix)

/** What is wrong with the name of an object that is only referred to; `undefined` when nothing is. */
export function qualifiedNameObjection(name: string): string | undefined {
  if (name.length > labelCharactersMax) return `name part must be no more than ${labelCharactersMax} characters`
  return new RegExp(`^${qualifiedPattern}$`).test(name) ? undefined : qualifiedRule
}
