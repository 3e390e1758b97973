// The volumes of one Pod: filled before a container starts, brought up to date while it runs.
import type { Pod } from '../../model/kubernetes/pod/pod.ts'
import type { FindSource } from './pod-sources.ts'
import { serviceAccountToken } from './service-account-token.ts'
import { volumeFiles } from './volume-content.ts'
import type { VolumeDirectory } from './volume-directory.ts'

export interface PodVolumesOptions {
  directory: VolumeDirectory
  find: FindSource
  /** Signs tokens of service accounts. */
  tokenKey: string
  /** When tokens begin to be good, in milliseconds since 1970. */
  nowMs: number
}

export class PodVolumes {
  #options: PodVolumesOptions
  /** One at a time: containers that start together want the same files. */
  #last: Promise<void> = Promise.resolve()

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
    const { directory, find, tokenKey, nowMs } = this.#options
    for (const volume of pod.spec.volumes ?? []) {
      const files = volumeFiles(volume, {
        pod,
        find,
        token: (request) => serviceAccountToken(pod, request, { key: tokenKey, nowMs }),
      })
      if (files !== undefined) await directory.write(volume.name ?? '', files)
      else if (volume.emptyDir !== undefined) await directory.make(volume.name ?? '')
    }
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
