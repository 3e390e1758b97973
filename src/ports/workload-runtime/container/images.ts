// Makes sure that an image is there, and tells its digest.
import { createInterface } from 'node:readline'
import type { Clock } from '../../../base/clock.ts'
import { KnodeError, messageOf } from '../../../base/errors.ts'
import type { ImageCredentials, StartProgress, WorkloadSpec } from '../port.ts'
import { EngineRefusal } from './engine-client.ts'
import type { EngineClient } from './engine-client.ts'
import { defaultPullPolicy, engineName, isLocalImage, parseImage } from './image-reference.ts'
import type { ImageReference } from './image-reference.ts'

type OnProgress = (progress: StartProgress) => void

interface StoredImage {
  Id: string
  RepoDigests?: string[] | null
}

/** One line of a pull's answer. */
interface PullLine {
  id?: string
  status?: string
  progressDetail?: { current?: number; total?: number }
  error?: string
}

/** The images of one engine. Those who want the same image at the same time share one pull. */
export class Images {
  #engine: EngineClient
  #clock: Clock
  #pulls = new Map<string, { done: Promise<void>; listeners: Set<OnProgress> }>()

  constructor(engine: EngineClient, clock: Clock) {
    this.#engine = engine
    this.#clock = clock
  }

  /** Resolves with the image's name for the engine when it is there. @throws {KnodeError} IMAGE_PULL_FAILED */
  async ensure(spec: WorkloadSpec, onProgress: OnProgress = () => undefined): Promise<string> {
    const image = referenceOf(spec)
    const name = engineName(image)
    const policy = spec.imagePullPolicy ?? defaultPullPolicy(image)
    const mayUseStored = policy !== 'Always' || isLocalImage(image)
    if (mayUseStored && (await this.#stored(name)) !== undefined) {
      onProgress({ kind: 'present', image: spec.image })
      return name
    }
    if (policy === 'Never') {
      // In the kubelet's words.
      throw pullFailed(`Container image "${spec.image}" is not present with pull policy of Never`)
    }
    await this.#pull(image, spec, onProgress)
    return name
  }

  /** See {@link WorkloadRuntime.resolveDigest}. */
  async resolveDigest(spec: WorkloadSpec): Promise<string | undefined> {
    const image = referenceOf(spec)
    if (image.digest !== undefined) return engineName(image)
    if (isLocalImage(image)) return undefined
    const stored = await this.#storedDigest(image)
    if (stored !== undefined) return stored
    const asked = await this.#askRegistry(image, spec)
    if (asked !== undefined) return asked
    // Podman has no way to ask a registry but to pull.
    await this.#pull(image, spec, () => undefined)
    return this.#storedDigest(image)
  }

  /** `NAME@sha256:…`, else the engine's own id. */
  async idOf(name: string): Promise<string | undefined> {
    const stored = await this.#stored(name)
    return stored?.RepoDigests?.[0] ?? stored?.Id
  }

  async #storedDigest(image: ImageReference): Promise<string | undefined> {
    const stored = await this.#stored(engineName(image))
    const isSameRepository = (found: string): boolean => found.slice(0, found.indexOf('@')).endsWith(image.name)
    const digest = stored?.RepoDigests?.find(isSameRepository)?.split('@')[1]
    return digest === undefined ? undefined : `${image.name}@${digest}`
  }

  async #stored(name: string): Promise<StoredImage | undefined> {
    return this.#engine.call<StoredImage>('GET', `/images/${encodeURIComponent(name)}/json`).catch(notFound)
  }

  async #askRegistry(image: ImageReference, { imageCredentials = [] }: WorkloadSpec): Promise<string | undefined> {
    const path = `/distribution/${encodeURIComponent(engineName(image))}/json`
    const headers = authHeaders(image, imageCredentials)
    type Found = { Descriptor?: { digest?: string } }
    // Podman answers 404 for the whole endpoint, so an unknown image is told by the pull.
    const found = await this.#engine.call<Found>('GET', path, { headers }).catch(notFound)
    const digest = found?.Descriptor?.digest
    return digest === undefined ? undefined : `${image.name}@${digest}`
  }

  async #pull(image: ImageReference, spec: WorkloadSpec, onProgress: OnProgress): Promise<void> {
    const headers = authHeaders(image, spec.imageCredentials ?? [])
    const key = `${engineName(image)} ${headers['x-registry-auth'] ?? ''}`
    let pull = this.#pulls.get(key)
    if (pull === undefined) {
      const listeners = new Set([onProgress])
      const tell: OnProgress = (progress) => {
        for (const listener of listeners) listener(progress)
      }
      const done = this.#pullOnce(image, spec.image, headers, tell).finally(() => this.#pulls.delete(key))
      pull = { done, listeners }
      this.#pulls.set(key, pull)
    } else pull.listeners.add(onProgress)
    await pull.done
  }

  async #pullOnce(
    image: ImageReference,
    text: string,
    headers: Record<string, string>,
    onProgress: OnProgress,
  ): Promise<void> {
    const startedMs = this.#clock.monotonicMs()
    const query = { fromImage: image.name, tag: image.digest ?? image.tag ?? 'latest' }
    const layers = new Map<string, { current: number; total: number }>()
    onProgress({ kind: 'pulling', image: text, receivedBytes: 0, totalBytes: 0 })
    try {
      const answer = await this.#engine.stream('POST', '/images/create', { query, headers })
      // One that is not read to its end would keep its connection.
      using _answer = { [Symbol.dispose]: () => void answer.destroy() }
      for await (const line of createInterface({ input: answer })) {
        const { error, id, progressDetail } = parseLine(line)
        if (error !== undefined) throw pullFailed(error)
        if (id === undefined || progressDetail?.total === undefined) continue
        layers.set(id, { current: progressDetail.current ?? 0, total: progressDetail.total })
        const sum = (field: 'current' | 'total'): number =>
          [...layers.values()].reduce((bytes, layer) => bytes + layer[field], 0)
        onProgress({ kind: 'pulling', image: text, receivedBytes: sum('current'), totalBytes: sum('total') })
      }
    } catch (thrown) {
      if (thrown instanceof KnodeError && thrown.code === 'IMAGE_PULL_FAILED') throw thrown
      throw pullFailed(messageOf(thrown), thrown)
    }
    onProgress({ kind: 'pulled', image: text, tookMs: this.#clock.monotonicMs() - startedMs })
  }
}

function referenceOf({ image }: WorkloadSpec): ImageReference {
  const reference = parseImage(image)
  if (reference === undefined) throw pullFailed(`could not parse reference: ${image || '""'}`)
  return reference
}

/** Credentials of the image's registry, as Docker's API takes them. */
function authHeaders({ registry }: ImageReference, credentials: readonly ImageCredentials[]): Record<string, string> {
  // Docker Hub has had several names.
  const names = registry === 'docker.io' ? ['docker.io', 'index.docker.io', 'registry-1.docker.io'] : [registry]
  // Entries may be written as the address of an API: `https://index.docker.io/v1/`.
  const hostOf = (text: string): string => text.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
  const found = credentials.find((entry) => names.includes(hostOf(entry.registry)))
  if (found === undefined) return {}
  const { username, password } = found
  const auth = JSON.stringify({ username, password, serveraddress: found.registry })
  return { 'x-registry-auth': Buffer.from(auth).toString('base64url') }
}

function parseLine(line: string): PullLine {
  try {
    return JSON.parse(line) as PullLine
  } catch {
    return {}
  }
}

function notFound(thrown: unknown): undefined {
  if (thrown instanceof EngineRefusal && thrown.status === 404) return undefined
  throw thrown
}

const pullFailed = (message: string, cause?: unknown): KnodeError =>
  new KnodeError('IMAGE_PULL_FAILED', message, { retryable: true, cause })
