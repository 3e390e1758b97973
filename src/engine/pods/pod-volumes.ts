// The volumes of one Pod: filled before a container starts, brought up to date while it runs.
import type { Clock } from '../../base/clock.ts'
import type { Pod } from '../../model/kubernetes/pod/pod.ts'
import type { FindSource } from './pod-sources.ts'
import { serviceAccountToken } from './service-account-token.ts'
import type { TokenRequest } from './service-account-token.ts'
import { volumeFiles } from './volume-content.ts'
import type { VolumeDirectory } from './volume-directory.ts'

export interface PodVolumesOptions {
  directory: VolumeDirectory
  find: FindSource
  /** Signs tokens of service accounts. */
  tokenKey: string
  clock: Clock
}

/** A token that was given to a Pod. Times in milliseconds since 1970. */
interface IssuedToken {
  text: string
  fromMs: number
  renewMs: number
}

/** The share of its life after which a token is replaced. Source: kubernetes/kubernetes pkg/kubelet/token. */
const renewalShare = 0.8

export class PodVolumes {
  #options: PodVolumesOptions
  /** One at a time: containers that start together want the same files. */
  #last: Promise<void> = Promise.resolve()
  /** By what was asked for: what is good for a while yet stays, so that no file changes without need. */
  #tokens = new Map<string, IssuedToken>()

  constructor(options: PodVolumesOptions) {
    this.#options = options
  }

  /** Writes what differs. @throws {KnodeError} WORKLOAD_FAILED when something that files come from is missing */
  fill(pod: Pod): Promise<void> {
    if ((pod.spec.volumes ?? []).length === 0) return Promise.resolve()
    const filled = this.#last.then(() => this.#fill(pod))
    this.#last = filled.catch(() => undefined)
    return filled
  }

  async #fill(pod: Pod): Promise<void> {
    const { directory, find } = this.#options
    for (const volume of pod.spec.volumes ?? []) {
      const files = volumeFiles(volume, {
        pod,
        find,
        token: (request) => this.#token(pod, request),
      })
      if (files !== undefined) await directory.write(volume.name ?? '', files)
      else if (volume.emptyDir !== undefined) await directory.make(volume.name ?? '')
    }
  }

  /** When the next token has to be replaced, in milliseconds since 1970; `undefined` when there is none. */
  get renewMs(): number | undefined {
    const times = [...this.#tokens.values()].map(({ renewMs }) => renewMs)
    return times.length === 0 ? undefined : Math.min(...times)
  }

  #token(pod: Pod, request: TokenRequest): string {
    const { tokenKey, clock } = this.#options
    const nowMs = clock.now()
    const key = JSON.stringify(request)
    const known = this.#tokens.get(key)
    if (known !== undefined && known.fromMs <= nowMs && nowMs < known.renewMs) return known.text
    const text = serviceAccountToken(pod, request, { key: tokenKey, nowMs })
    const renewMs = nowMs + request.expirationSeconds * 1_000 * renewalShare
    this.#tokens.set(key, { text, fromMs: nowMs, renewMs })
    return text
  }

  /** Where a volume is on this machine. */
  pathOf(volume: string): string {
    return this.#options.directory.pathOf(volume)
  }

  /** Removes them; `keepsData`: the Pod’s own directories stay. */
  async remove({ keepsData }: { keepsData: boolean }): Promise<void> {
    const { directory } = this.#options
    await (keepsData ? directory.removeWritten() : directory.removeAll())
  }
}
