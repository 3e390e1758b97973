// What a URL path of the Kubernetes API names. Source: kubernetes/apiserver pkg/endpoints/request/requestinfo.go.

/** The parts of `/apis/GROUP/VERSION[/namespaces/NS]/PLURAL[/NAME[/SUBRESOURCE]]`; core is `/api/v1/…`. */
export interface ResourcePath {
  /** `''` for core. */
  group: string
  version: string
  /** Absent for cluster-scoped kinds and for requests across all namespaces. */
  namespace?: string
  plural: string
  name?: string
  /** `status`, `finalize`, …; deeper ones keep their slashes. */
  subresource?: string
}

/** Undefined when the path names no resource, also when it is not decodable. */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const segments = decodeSegments(path)
  if (segments === undefined || segments.includes('')) return undefined
  const [root, ...rest] = segments
  const group = root === 'apis' ? rest.shift() : root === 'api' ? '' : undefined
  const version = rest.shift()
  if (group === undefined || version === undefined || rest.length === 0) return undefined
  // A namespace is both a prefix of other resources and a resource itself, with two subresources of its own.
  const inside = rest[0] === 'namespaces' && rest.length > 2 && !(rest.length === 3 && isOwnOfNamespace(rest[2]!))
  const namespace = inside ? rest[1] : undefined
  const [plural, name, ...subresource] = inside ? rest.slice(2) : rest
  return {
    group,
    version,
    plural: plural!,
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
    ...(subresource.length > 0 && { subresource: subresource.join('/') }),
  }
}

const isOwnOfNamespace = (segment: string): boolean => segment === 'status' || segment === 'finalize'

function decodeSegments(path: string): string[] | undefined {
  try {
    return path.replace(/^\//, '').replace(/\/$/, '').split('/').map(decodeURIComponent)
  } catch {
    return undefined
  }
}
