// The kinds this server knows, found by every name they have. User-made CRDs come and go while it runs.
import { kindId } from '../kind.ts'
import type { KindDefinition, KindId } from '../kind.ts'
import type { KindTarget } from './operations.ts'

export interface GroupVersions {
  /** `''` for core. */
  group: string
  /** Preferred first: stable before beta before alpha, newest first. */
  versions: string[]
}

/** The kinds of one server. */
export interface KindRegistry {
  /** Grows with every `add` and `remove`: what was computed from the kinds (discovery, OpenAPI) can be cached by it. */
  readonly generation: number
  /** All kinds, in the order they were added. */
  all(): readonly KindDefinition[]
  get(id: KindId): KindDefinition | undefined
  /** By the Kind of an object: `('eventing.knative.dev', 'Broker')`. */
  byKind(group: string, kind: string): KindDefinition | undefined
  /** By the parts of a URL: `('eventing.knative.dev', 'v1', 'brokers')`; undefined when that version is not served. */
  byPlural(group: string, version: string, plural: string): KindTarget | undefined
  /**
   * By what people type, in any case: plural, singular, short name or kind, also as `NAME.GROUP` or
   * `NAME.VERSION.GROUP`. The kind that was added first wins, core before all others.
   */
  byName(name: string): KindDefinition | undefined
  /** The kinds of a category such as `all` or `knative`. */
  inCategory(category: string): KindDefinition[]
  /** Core first, the others in order of appearance. */
  groups(): GroupVersions[]
  /** Adds a kind; one with the same id is replaced in its place. */
  add(kind: KindDefinition): void
  remove(id: KindId): void
}

/** A registry of these kinds. */
export function createKindRegistry(kinds: Iterable<KindDefinition>): KindRegistry {
  const byId = new Map<KindId, KindDefinition>()
  for (const kind of kinds) byId.set(kindId(kind), kind)
  let generation = 1
  let index = buildIndex(byId)
  const changed = (): void => {
    generation++
    index = buildIndex(byId)
  }
  return {
    get generation() {
      return generation
    },
    all: () => index.all,
    get: (id) => byId.get(id),
    byKind: (group, kind) => byId.get(kindId({ group, kind })),
    byPlural: (group, version, plural) => index.targets.get(`${group}/${version}/${plural}`),
    byName: (name) => index.names.get(name.toLowerCase()),
    inCategory: (category) => index.all.filter((kind) => kind.categories?.includes(category) === true),
    groups: () => index.groups,
    add(kind) {
      byId.set(kindId(kind), kind)
      changed()
    },
    remove(id) {
      if (byId.delete(id)) changed()
    },
  }
}

/** Lower case singular of the kind's names. */
export const singularOf = (kind: KindDefinition): string => kind.singular ?? kind.kind.toLowerCase()

interface Index {
  all: KindDefinition[]
  targets: Map<string, KindTarget>
  names: Map<string, KindDefinition>
  groups: GroupVersions[]
}

function buildIndex(kinds: ReadonlyMap<KindId, KindDefinition>): Index {
  const all = [...kinds.values()]
  const targets = new Map<string, KindTarget>()
  const names = new Map<string, KindDefinition>()
  const versions = new Map<string, Set<string>>()
  const name = (text: string, kind: KindDefinition): void => {
    if (!names.has(text)) names.set(text, kind)
  }
  const coreFirst = [...all.filter(({ group }) => group === ''), ...all.filter(({ group }) => group !== '')]
  for (const kind of coreFirst) {
    const ownVersions = versions.get(kind.group) ?? new Set()
    versions.set(kind.group, ownVersions)
    for (const version of kind.versions) {
      ownVersions.add(version.name)
      targets.set(`${kind.group}/${version.name}/${kind.plural}`, { kind, version: version.name })
    }
    for (const word of wordsOf(kind)) {
      name(word, kind)
      if (kind.group !== '') name(`${word}.${kind.group}`, kind)
      for (const version of kind.versions) name(`${word}.${version.name}.${kind.group}`, kind)
    }
  }
  const groups = [...versions].map(([group, set]) => ({ group, versions: [...set].sort(compareVersions) }))
  return { all, targets, names, groups }
}

const wordsOf = (kind: KindDefinition): string[] => [
  kind.plural,
  singularOf(kind),
  ...(kind.shortNames ?? []),
  kind.kind.toLowerCase(),
]

/**
 * Orders versions as Kubernetes prefers them: `v2 v1 v1beta2 v1beta1 v1alpha1`, then other names by letter.
 * Source: kubernetes/apimachinery pkg/version/helpers.go.
 */
export function compareVersions(a: string, b: string): number {
  const left = parseVersion(a)
  const right = parseVersion(b)
  if (left === undefined || right === undefined) {
    if (left !== undefined) return -1
    if (right !== undefined) return 1
    return a < b ? -1 : a > b ? 1 : 0
  }
  return right.stability - left.stability || right.major - left.major || right.minor - left.minor
}

function parseVersion(text: string): { stability: number; major: number; minor: number } | undefined {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(text)
  if (match === null) return undefined
  const stability = match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0
  return { stability, major: Number(match[1]), minor: Number(match[3] ?? 0) }
}
