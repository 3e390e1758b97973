// `ca.crt` beside the kubeconfig: whom to trust when Knode's own certificates are met, e.g. `curl --cacert`.
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../base/log.ts'
import type { OpenCaches } from '../engine/control-loop/caches.ts'
import { authorityName } from '../kinds/networking/certificate/authority.ts'
import { servingSystemNamespace } from '../model/knative/feature-flags.ts'
import type { Resource } from '../model/kubernetes/resource.ts'

export interface AuthorityFileOptions {
  caches: Pick<OpenCaches, 'get' | 'onChange'>
  /** Where the kubeconfig is. */
  directory: string
  log: Logger
}

/** Keeps the file as ConfigMap `knode-ca` says; there is none before the first certificate. Disposing writes no more. */
export function keepAuthorityFile({ caches, directory, log }: AuthorityFileOptions): AsyncDisposable {
  const path = join(directory, 'ca.crt')
  let written = ''
  let writing = Promise.resolve()
  const write = async (): Promise<void> => {
    const configMap = caches.get<Resource & { data?: Record<string, string> }>(
      'ConfigMap',
      servingSystemNamespace,
      authorityName,
    )
    const text = configMap?.data?.['ca.crt'] ?? written
    if (text === written) return
    try {
      // Whole or not at all: a reader never sees half a file.
      await writeFile(`${path}.new`, text)
      await rename(`${path}.new`, path)
      written = text
    } catch (err) {
      log.warn('the authority’s certificate could not be written', { path, err })
    }
  }
  const next = (): void => void (writing = writing.then(write))
  const following = caches.onChange(({ kind, resource }) => {
    const { name, namespace } = resource.metadata
    if (kind === 'ConfigMap' && name === authorityName && namespace === servingSystemNamespace) next()
  })
  next()
  return {
    async [Symbol.asyncDispose]() {
      following[Symbol.dispose]()
      await writing
    },
  }
}
