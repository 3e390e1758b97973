// Image references. Sources: distribution reference grammar; Kubernetes "Images", default pull policy.

export interface ImageReference {
  /** Host with port, `docker.io` when the reference names none. */
  registry: string
  /** With the registry as it was written, without tag and digest. */
  name: string
  /** @default `latest`, unless there is a digest */
  tag?: string
  /** `sha256:…` */
  digest?: string
}

/** Registries that exist on this machine only. Source: Knative config-deployment, registries-skipping-tag-resolving. */
const localRegistries = new Set(['localhost', 'kind.local', 'ko.local', 'dev.local'])

/** `undefined` when it is no reference. */
export function parseImage(text: string): ImageReference | undefined {
  const match = imagePattern.exec(text)
  if (match === null) return undefined
  const [, name = '', tag, digest] = match
  const first = name.split('/', 1)[0]!
  const hasRegistry = name.includes('/') && (/[.:]/.test(first) || first === 'localhost')
  return {
    registry: hasRegistry ? first : 'docker.io',
    name,
    ...((tag ?? digest) === undefined ? { tag: 'latest' } : tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  }
}

const host = '(?:[a-zA-Z0-9.-]+|\\[[0-9a-fA-F:]+\\])(?::\\d+)?'
const path = '[a-z0-9]+(?:[._/-]+[a-z0-9]+)*'
const imagePattern = new RegExp(`^((?:${host}/)?${path})(?::(\\w[\\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`)

export const isLocalImage = ({ registry }: ImageReference): boolean => localRegistries.has(registry)

export const defaultPullPolicy = ({ tag, digest }: ImageReference): 'Always' | 'IfNotPresent' =>
  tag === 'latest' && digest === undefined ? 'Always' : 'IfNotPresent'

/** As an engine wants to be asked for it. A digest decides; the tag beside it is only for people. */
export const engineName = ({ name, tag, digest }: ImageReference): string =>
  digest === undefined ? `${name}:${tag ?? 'latest'}` : `${name}@${digest}`
