// Whether a text is a fully qualified domain name. Source: kubernetes/apimachinery pkg/util/validation
// IsFullyQualifiedDomainName.

const nameCharactersMax = 253
const labelCharactersMax = 63
const subdomainPattern = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'
const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and " +
  "end with an alphanumeric character (e.g. 'example.com', regex used for validation is " +
  `'${subdomainPattern}')`

/** What is wrong with the name, in Kubernetes' words; `undefined` when nothing is. `path` names its field. */
export function domainNameObjection(path: string, given: string): string | undefined {
  if (given === '') return `${path}: Required value`
  const name = given.replace(/\.$/, '')
  const invalid = (value: string, why: string): string => `${path}: Invalid value: ${JSON.stringify(value)}: ${why}`
  const objections = [
    ...(name.length > nameCharactersMax ? [`must be no more than ${nameCharactersMax} characters`] : []),
    ...(new RegExp(`^${subdomainPattern}$`).test(name) ? [] : [subdomainRule]),
  ]
  if (objections.length > 0) return invalid(name, objections.join(','))
  const labels = name.split('.')
  if (labels.length < 2) return invalid(name, 'should be a domain with at least two segments separated by dots')
  const tooLong = labels
    .filter((label) => label.length > labelCharactersMax)
    .map((label) => invalid(label, `must be no more than ${labelCharactersMax} characters`))
  return tooLong.length > 1 ? `[${tooLong.join(', ')}]` : tooLong[0]
}
