// Media types, as far as CloudEvents depends on them. Sources: RFC 2045 section 5.1, RFC 6838, CloudEvents JSON format.

export interface MediaType {
  /** Lower case, without parameters: `application/json`, or a single token such as `foo`. */
  essence: string
  /** By lower-case name; quotes undone. */
  parameters: ReadonlyMap<string, string>
}

/** The parsed media type, or `undefined` when its type or its parameters are malformed. A lone token is fine. */
export function parseMediaType(text: string): MediaType | undefined {
  const head = essencePattern.exec(text)
  if (head === null) return undefined
  const parameters = new Map<string, string>()
  let rest = text.slice(head[0].length)
  while (rest !== '') {
    if (/^[ \t]*;?[ \t]*$/.test(rest)) break
    const match = parameterPattern.exec(rest)
    const name = match?.[1]?.toLowerCase()
    if (match === null || name === undefined || parameters.has(name)) return undefined
    parameters.set(name, match[2] ?? match[3]!.replace(/\\(.)/gs, '$1'))
    rest = rest.slice(match[0].length)
  }
  return { essence: head[1]!.toLowerCase(), parameters }
}

/** Type and subtype in lower case, parameters ignored, whatever they are; `''` without a type. */
export function essenceOf(text: string | undefined): string {
  if (text === undefined) return ''
  const end = text.indexOf(';')
  return (end < 0 ? text : text.slice(0, end)).trim().toLowerCase()
}

/** Whether data of this content type is a JSON value: no type at all, subtype `json`, or suffix `+json`. */
export function isJsonContent(contentType: string | undefined): boolean {
  const essence = essenceOf(contentType)
  return essence === '' || essence.endsWith('/json') || essence.endsWith('+json')
}

/** Whether data of this content type is text in UTF-8. */
export function isTextContent(contentType: string): boolean {
  const mediaType = parseMediaType(contentType)
  if (mediaType === undefined) return false
  const charset = mediaType.parameters.get('charset')?.toLowerCase() ?? 'utf-8'
  if (!['utf-8', 'utf8', 'us-ascii'].includes(charset)) return false
  const { essence } = mediaType
  return essence.startsWith('text/') || essence.endsWith('+xml') || textTypes.has(essence)
}

const textTypes: ReadonlySet<string> = new Set([
  'application/ecmascript',
  'application/graphql',
  'application/javascript',
  'application/sql',
  'application/toml',
  'application/x-www-form-urlencoded',
  'application/xml',
  'application/yaml',
])

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const essencePattern = new RegExp(`^[ \\t]*(${token}(?:/${token})?)[ \\t]*(?=;|$)`)
const parameterPattern = new RegExp(
  `^[ \\t]*;[ \\t]*(${token})[ \\t]*=[ \\t]*(?:(${token})|"((?:[^"\\\\]|\\\\.)*)")[ \\t]*(?=;|$)`,
  's',
)
