// Discovery: which groups, versions and kinds there are, in the old and the aggregated form.
// Source: kubernetes/api apidiscovery/v2 and kubernetes/apimachinery meta/v1 APIResourceList.
import { apiVersionOf } from '../../../model/kubernetes/resource.ts'
import { hasStatus, isNamespaced } from '../../kind.ts'
import type { KindDefinition, Verb } from '../../kind.ts'
import { singularOf } from '../kind-registry.ts'
import type { KindRegistry } from '../kind-registry.ts'
import { reviewResources } from './reviews.ts'

/** Finished documents, by path and form. */
export interface Discovery {
  /** `path`: `/`, `/api`, `/apis`, `/api/v1`, `/apis/G`, `/apis/G/V`. Aggregated forms exist for the first two only. */
  find(path: string, form: 'v2' | 'v2beta1' | 'legacy'): { contentType: string; body: string } | undefined
}

export const allVerbs: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
]

/** Verbs of a kind's subresources, by name. */
export function subresourcesOf(kind: KindDefinition): Record<string, readonly Verb[]> {
  const writable = kind.verbs === undefined || kind.verbs.includes('update')
  return {
    ...(hasStatus(kind) && { status: writable ? (['get', 'patch', 'update'] as const) : (['get'] as const) }),
    ...(kind.scale !== undefined && { scale: ['get', 'patch', 'update'] as const }),
    ...(kind.group === '' && kind.kind === 'Namespace' && { finalize: ['update'] as const }),
  }
}

/** Answers from documents that are built once for each generation of the registry. */
export function createDiscovery(registry: KindRegistry): Discovery {
  let builtFor = -1
  let documents = new Map<string, { contentType: string; body: string }>()
  return {
    find(path, form) {
      if (builtFor !== registry.generation) {
        builtFor = registry.generation
        documents = buildDocuments(registry)
      }
      const aggregated = form !== 'legacy' && (path === '/api' || path === '/apis')
      return documents.get(aggregated ? `${path} ${form}` : path)
    },
  }
}

/** One kind or virtual resource in one version. */
interface Entry {
  plural: string
  singular: string
  kind: string
  namespaced: boolean
  verbs: readonly Verb[]
  shortNames: readonly string[]
  categories: readonly string[]
  subresources: Record<string, readonly Verb[]>
}

interface Group {
  group: string
  versions: { version: string; entries: Entry[] }[]
}

function buildDocuments(registry: KindRegistry): Map<string, { contentType: string; body: string }> {
  const documents = new Map<string, { contentType: string; body: string }>()
  const add = (key: string, object: unknown, contentType = 'application/json'): void =>
    void documents.set(key, { contentType, body: `${JSON.stringify(object)}\n` })
  const groups = groupsOf(registry)
  const core = groups.filter(({ group }) => group === '')
  const named = groups.filter(({ group }) => group !== '')
  for (const version of ['v2', 'v2beta1']) {
    const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`
    add(`/api ${version}`, aggregated(core, version), contentType)
    add(`/apis ${version}`, aggregated(named, version), contentType)
  }
  add('/', { paths: [...rootPaths, ...groups.flatMap(pathsOf)].sort() })
  const coreVersions = core.flatMap(({ versions }) => versions.map(({ version }) => version))
  const addresses = [{ clientCIDR: '0.0.0.0/0', serverAddress: '' }]
  add('/api', { kind: 'APIVersions', versions: coreVersions, serverAddressByClientCIDRs: addresses })
  add('/apis', { kind: 'APIGroupList', apiVersion: 'v1', groups: named.map(legacyGroup) })
  for (const group of groups) {
    if (group.group !== '') {
      add(`/apis/${group.group}`, { kind: 'APIGroup', apiVersion: 'v1', ...legacyGroup(group) })
    }
    for (const { version, entries } of group.versions) {
      const path = group.group === '' ? `/api/${version}` : `/apis/${group.group}/${version}`
      add(path, legacyResources(group.group, version, entries))
    }
  }
  return documents
}

const rootPaths = ['/api', '/apis', '/healthz', '/livez', '/openapi/v2', '/openapi/v3', '/readyz', '/version']

function pathsOf({ group, versions }: Group): string[] {
  const root = group === '' ? '/api' : `/apis/${group}`
  return [...(group === '' ? [] : [root]), ...versions.map(({ version }) => `${root}/${version}`)]
}

function groupsOf(registry: KindRegistry): Group[] {
  const groups = registry.groups().map(({ group, versions }) => ({
    group,
    versions: versions.map((version) => ({
      version,
      entries: registry
        .all()
        .filter((kind) => kind.group === group && kind.versions.some(({ name }) => name === version))
        .map(entryOf),
    })),
  }))
  for (const { group, version, plural, kind, namespaced } of reviewResources) {
    const entry: Entry = {
      plural,
      singular: kind.toLowerCase(),
      kind,
      namespaced,
      verbs: ['create'],
      shortNames: [],
      categories: [],
      subresources: {},
    }
    const home = groups.find((known) => known.group === group)
    if (home === undefined) groups.push({ group, versions: [{ version, entries: [entry] }] })
    else home.versions.find((known) => known.version === version)?.entries.push(entry)
  }
  return groups
}

const entryOf = (kind: KindDefinition): Entry => ({
  plural: kind.plural,
  singular: singularOf(kind),
  kind: kind.kind,
  namespaced: isNamespaced(kind),
  verbs: kind.verbs ?? allVerbs,
  shortNames: kind.shortNames ?? [],
  categories: kind.categories ?? [],
  subresources: subresourcesOf(kind),
})

function aggregated(groups: Group[], version: string): object {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ group, versions }) => ({
      metadata: { ...(group !== '' && { name: group }), creationTimestamp: null },
      versions: versions.map(({ version: name, entries }) => ({
        version: name,
        resources: entries.map((entry) => aggregatedResource(group, name, entry)),
        freshness: 'Current',
      })),
    })),
  }
}

/** What `/scale` answers with, whatever the kind. */
const scaleKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' } as const

function aggregatedResource(group: string, version: string, entry: Entry): object {
  const responseKind = { group, version, kind: entry.kind }
  return {
    resource: entry.plural,
    responseKind,
    scope: entry.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: entry.singular,
    verbs: entry.verbs,
    ...(entry.shortNames.length > 0 && { shortNames: entry.shortNames }),
    ...(entry.categories.length > 0 && { categories: entry.categories }),
    ...(Object.keys(entry.subresources).length > 0 && {
      subresources: Object.entries(entry.subresources).map(([subresource, verbs]) => ({
        subresource,
        responseKind: subresource === 'scale' ? scaleKind : responseKind,
        verbs,
      })),
    }),
  }
}

function legacyGroup({ group, versions }: Group): object {
  const listed = versions.map(({ version }) => ({ groupVersion: apiVersionOf(group, version), version }))
  return { name: group, versions: listed, preferredVersion: listed[0] }
}

function legacyResources(group: string, version: string, entries: Entry[]): object {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf(group, version),
    resources: entries.flatMap(
      ({ plural, singular, kind, namespaced, verbs, shortNames, categories, subresources }) => [
        {
          name: plural,
          singularName: singular,
          namespaced,
          kind,
          verbs,
          ...(shortNames.length > 0 && { shortNames }),
          ...(categories.length > 0 && { categories }),
        },
        ...Object.entries(subresources).map(([subresource, subVerbs]) => ({
          name: `${plural}/${subresource}`,
          singularName: '',
          namespaced,
          ...(subresource === 'scale' ? scaleKind : { kind }),
          verbs: subVerbs,
        })),
      ],
    ),
  }
}
