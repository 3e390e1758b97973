// Which kinds the server has, and which of them a word on the command line means.
import { KnodeError } from '../base/errors.ts'
import { nearest } from '../base/nearest.ts'
import type { Resource } from '../model/kubernetes/resource.ts'
import { apiVersionOf, parseApiVersion } from '../model/kubernetes/resource.ts'
import type { ApiClient } from './api-client.ts'

/** A kind in its preferred version, or in the version that a manifest names. */
export interface ApiResource {
  group: string
  version: string
  kind: string
  plural: string
  singular: string
  shortNames: readonly string[]
  categories: readonly string[]
  namespaced: boolean
  verbs: readonly string[]
}

export interface Discovery {
  /** Every kind in every version, core first, preferred versions first. */
  readonly resources: readonly ApiResource[]
  /** The kinds a word means: several for a category. @throws {KnodeError} USAGE with the nearest name */
  named(word: string): ApiResource[]
  /** The shortest of its names by which {@link named} finds the kind: `trigger`, but `ksvc`, as `service` is another. */
  wordFor(resource: ApiResource): string
  /** The kind of a manifest. @throws {KnodeError} BAD_MANIFEST with the nearest kind */
  of(manifest: Pick<Resource, 'apiVersion' | 'kind'>): ApiResource
}

interface AggregatedList {
  items?: {
    metadata?: { name?: string }
    versions?: {
      version: string
      resources?: {
        resource: string
        responseKind?: { kind: string }
        scope: string
        singularResource?: string
        shortNames?: string[]
        categories?: string[]
        verbs: string[]
      }[]
    }[]
  }[]
}

const aggregated = ['v2', 'v2beta1'].map(
  (version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
)

export async function discover(client: ApiClient): Promise<Discovery> {
  const accept = [...aggregated, 'application/json'].join(',')
  const lists = await Promise.all(['/api', '/apis'].map((path) => client.call<AggregatedList>({ path, accept })))
  return discoveryOf(lists.flatMap(({ body }) => resourcesOf(body)))
}

function resourcesOf({ items = [] }: AggregatedList): ApiResource[] {
  return items.flatMap(({ metadata, versions = [] }) =>
    versions.flatMap(({ version, resources = [] }) =>
      resources.map((resource) => ({
        group: metadata?.name ?? '',
        version,
        kind: resource.responseKind?.kind ?? '',
        plural: resource.resource,
        singular: resource.singularResource ?? '',
        shortNames: resource.shortNames ?? [],
        categories: resource.categories ?? [],
        namespaced: resource.scope === 'Namespaced',
        verbs: resource.verbs,
      })),
    ),
  )
}

function discoveryOf(resources: readonly ApiResource[]): Discovery {
  const preferred = resources.filter(
    (resource, index) =>
      resources.findIndex(({ group, plural }) => group === resource.group && plural === resource.plural) === index,
  )
  const theOne = (wanted: string): ApiResource | undefined =>
    preferred.find((resource) => namesOf(resource).includes(wanted)) ??
    resources.find((resource) => versionedNamesOf(resource).includes(wanted))
  return {
    resources,
    wordFor(resource) {
      const { group, plural, singular, shortNames } = resource
      const words = [singular, ...shortNames, plural, `${plural}.${group}`]
      return words.find((word) => word !== '' && isSameKind(theOne(word), resource)) ?? plural
    },
    named(word) {
      const wanted = word.toLowerCase()
      const one = theOne(wanted)
      if (one !== undefined) return [one]
      const inCategory = preferred.filter(
        ({ categories, verbs }) => categories.includes(wanted) && verbs.includes('list'),
      )
      if (inCategory.length > 0) return inCategory
      const known = preferred.flatMap((resource) => [resource.singular, resource.plural, ...resource.shortNames])
      const close = nearest(wanted, known)
      throw new KnodeError('USAGE', `the server has no kind "${word}"`, {
        hint: close === undefined ? 'knode get crd lists the kinds' : `did you mean ${close}?`,
      })
    },
    of({ apiVersion, kind }) {
      const { group, version } = parseApiVersion(apiVersion)
      const found = resources.find((one) => one.group === group && one.version === version && one.kind === kind)
      if (found !== undefined) return found
      const known = resources.filter((one) => one.kind === kind).map((one) => apiVersionOf(one.group, one.version))
      const close = nearest(kind, [...new Set(resources.map((one) => one.kind))])
      throw new KnodeError('BAD_MANIFEST', `no matches for kind "${kind}" in version "${apiVersion}"`, {
        ...(known.length > 0
          ? { hint: `${kind} is known as ${known.join(', ')}` }
          : close !== undefined && { hint: `did you mean ${close}?` }),
      })
    },
  }
}

const isSameKind = (a: ApiResource | undefined, b: ApiResource): boolean => a?.group === b.group && a.kind === b.kind

function namesOf({ group, kind, plural, singular, shortNames }: ApiResource): string[] {
  const plain = [plural, singular, kind.toLowerCase()]
  return [...plain, ...shortNames, ...(group === '' ? [] : plain.map((name) => `${name}.${group}`))]
}

const versionedNamesOf = ({ group, version, kind, plural, singular }: ApiResource): string[] =>
  [plural, singular, kind.toLowerCase()].map((name) => `${name}.${version}.${group}`)

/** `broker.eventing.knative.dev`, as kubectl writes kinds before names. */
export const kindLabel = ({ group, kind }: Pick<ApiResource, 'group' | 'kind'>): string =>
  group === '' ? kind.toLowerCase() : `${kind.toLowerCase()}.${group}`

/** The path of a kind's objects, or of one of them. */
export function pathOf(resource: ApiResource, namespace: string | undefined, name?: string): string {
  const { group, version, plural, namespaced } = resource
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const place = namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${place}/${plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
}
