// What form of answer a request accepts. Source: kubernetes/apiserver pkg/endpoints/handlers/negotiation.

/** Full objects, rows for people, or metadata only; discovery documents name their own kind. */
interface AcceptClause {
  /** In lower case, e.g. `application/json`, or a protobuf or wildcard type. */
  mediaType: string
  as?: string
  group?: string
  version?: string
}

/** The clauses of an Accept header, preferred first (by `q`, then as written). */
function parseAccept(header: string | undefined): AcceptClause[] {
  if (header === undefined) return []
  return header
    .split(',')
    .map((text) => {
      const [mediaType = '', ...pairs] = text.split(';').map((part) => part.trim())
      const parameters = new Map(pairs.map((pair) => splitPair(pair)))
      const clause: AcceptClause = { mediaType: mediaType.toLowerCase() }
      const [as, group, version] = [parameters.get('as'), parameters.get('g'), parameters.get('v')]
      if (as !== undefined) clause.as = as
      if (group !== undefined) clause.group = group
      if (version !== undefined) clause.version = version
      return { clause, quality: Number(parameters.get('q') ?? 1) }
    })
    .sort((a, b) => b.quality - a.quality)
    .map(({ clause }) => clause)
}

export interface AnswerForm {
  shape: 'object' | 'table' | 'partial'
  /** Of the meta.k8s.io envelope. */
  version: 'v1' | 'v1beta1'
  syntax: 'json' | 'yaml'
}

const shapes = new Map<string, AnswerForm['shape']>([
  ['Table', 'table'],
  ['PartialObjectMetadata', 'partial'],
  ['PartialObjectMetadataList', 'partial'],
])

/**
 * The form of a resource's answer. JSON answers any Accept: typed Go clients ask for protobuf and decode by the
 * Content-Type they get.
 */
export function chooseForm(header: string | undefined): AnswerForm {
  for (const { mediaType, as, group, version = 'v1' } of parseAccept(header)) {
    const syntax = mediaType === 'application/yaml' ? 'yaml' : 'json'
    if (as === undefined) return { shape: 'object', version: 'v1', syntax }
    const shape = shapes.get(as)
    if (shape === undefined || group !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) continue
    return { shape, version, syntax }
  }
  return { shape: 'object', version: 'v1', syntax: 'json' }
}

/** The version of aggregated discovery that is asked for before plain JSON, if any. */
export function chooseDiscovery(header: string | undefined): 'v2' | 'v2beta1' | 'legacy' {
  for (const { mediaType, as, group, version } of parseAccept(header)) {
    if (mediaType !== 'application/json') continue
    if (as === undefined) return 'legacy'
    if (as !== 'APIGroupDiscoveryList' || group !== 'apidiscovery.k8s.io') continue
    if (version === 'v2' || version === 'v2beta1') return version
  }
  return 'legacy'
}

function splitPair(pair: string): [string, string] {
  const equals = pair.indexOf('=')
  return equals < 0 ? [pair, ''] : [pair.slice(0, equals).trim().toLowerCase(), pair.slice(equals + 1).trim()]
}
