// The address that a destination means. Source: knative/pkg resolver/addressable_resolver.go.
import { KnodeError } from '../../base/errors.ts'
import type { Addressable, AddressStatus, Destination, KReference } from '../../model/duck/types.ts'
import { parseApiVersion } from '../../model/kubernetes/resource.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { kindId, resourceName } from '../kind.ts'
import type { KindDefinition, KindId } from '../kind.ts'

/** The kind a reference means, if it is served in that version. */
export type KindOf = (ref: Pick<KReference, 'apiVersion' | 'group' | 'kind'>) => KindDefinition | undefined

export interface ResolverDeps {
  kindOf: KindOf
  get: (kind: KindId, namespace: string, name: string) => Resource | undefined
}

export function kindOfIn(kinds: readonly KindDefinition[]): KindOf {
  const byId = new Map(kinds.map((kind) => [kindId(kind), kind]))
  return ({ apiVersion, group, kind }) => {
    if (!apiVersion) return byId.get(kindId({ group: group ?? '', kind }))
    const named = parseApiVersion(apiVersion)
    const known = byId.get(kindId({ group: named.group, kind }))
    return known?.versions.some(({ name }) => name === named.version) === true ? known : undefined
  }
}

const clusterDomain = 'svc.cluster.local'

/**
 * Pure over `get`. References without a namespace are in `namespace`.
 * @throws {KnodeError} NOT_FOUND or NOT_ADDRESSABLE with upstream's message.
 */
export function resolveDestination(
  destination: Destination,
  namespace: string,
  deps: ResolverDeps,
): Addressable & { url: string } {
  const { ref, uri, CACerts, audience } = destination
  const own = { ...(CACerts === undefined ? {} : { CACerts }), ...(audience === undefined ? {} : { audience }) }
  if (ref !== undefined && ref !== null) {
    const address = addressOf({ ...ref, namespace: ref.namespace || namespace }, destination, deps)
    return { ...address, ...(uri === undefined ? {} : { url: joined(address.url, uri) }), ...own }
  }
  if (uri === undefined || uri === null) throw notAddressable('destination missing Ref and URI, expected at least one')
  if (!hasHost(uri)) {
    throw notAddressable(`URI is not absolute (both scheme and host should be non-empty): ${JSON.stringify(uri)}`)
  }
  return { url: uri, ...own }
}

function addressOf(
  ref: KReference & { namespace: string },
  destination: Destination,
  deps: ResolverDeps,
): Addressable & { url: string } {
  const object = referent(ref, deps)
  if (ref.kind === 'Service' && object.apiVersion === 'v1') {
    const scheme = destination.CACerts ? 'https' : 'http'
    return { url: `${scheme}://${ref.name}.${ref.namespace}.${clusterDomain}` }
  }
  const { addresses = [], address: single } = (object.status ?? {}) as AddressStatus
  const address = ref.address ? addresses.find(({ name }) => name === ref.address) : (addresses[0] ?? single)
  if (address === undefined || address === null) {
    if (!ref.address) throw notAddressable(`address not set for ${printed(ref)}`)
    throw notAddressable(`address with name ${JSON.stringify(ref.address)} not found for ${printed(ref)}`)
  }
  const { url } = address
  if (url === undefined || url === '') throw notAddressable(`URL missing in address of ${printed(ref)}`)
  if (!hasHost(url)) throw notAddressable(`hostname missing in address of ${printed(ref)}`)
  return { ...address, url }
}

function referent(ref: KReference & { namespace: string }, { kindOf, get }: ResolverDeps): Resource {
  const failed = `failed to get object ${ref.namespace}/${ref.name}`
  const kind = kindOf(ref)
  if (kind === undefined) {
    const what = ref.apiVersion
      ? `version ${JSON.stringify(ref.apiVersion)}`
      : `group ${JSON.stringify(ref.group ?? '')}`
    throw notFound(`${failed}: no matches for kind ${JSON.stringify(ref.kind)} in ${what}`)
  }
  const object = get(kindId(kind), kind.scope === 'Cluster' ? '' : ref.namespace, ref.name)
  if (object === undefined) throw notFound(`${failed}: ${resourceName(kind)} ${JSON.stringify(ref.name)} not found`)
  return object
}

/** RFC 3986, section 5: a path that starts with `/` replaces the whole path of the base. */
function joined(base: string, uri: string): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(uri)) {
    throw notAddressable('absolute URI is not allowed when Ref or [apiVersion, kind, name] exists')
  }
  if (!URL.canParse(uri, base)) throw notAddressable(`URI ${JSON.stringify(uri)} cannot be joined to ${base}`)
  return uri === '' ? base : new URL(uri, base).href
}

const hasHost = (url: string): boolean => URL.canParse(url) && new URL(url).host !== ''

const printed = ({ kind, namespace = '', name, apiVersion = '', group = '', address = '' }: KReference): string =>
  `Kind = ${kind}, Namespace = ${namespace}, Name = ${name}, APIVersion = ${apiVersion}, Group = ${group}, ` +
  `Address = ${address}`

const notAddressable = (message: string): KnodeError =>
  new KnodeError('NOT_ADDRESSABLE', message, { hint: 'name a sink that has status.address.url, or give its uri' })

const notFound = (message: string): KnodeError =>
  new KnodeError('NOT_FOUND', message, { hint: 'apply the object that the reference names, or correct the reference' })
