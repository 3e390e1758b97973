// The key to the API, kept in the data directory: a bearer token, a certificate, and the kubeconfig that carries both.
import { randomBytes } from 'node:crypto'
import { chmod, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createCertificate } from '../base/certificate.ts'
import type { Certificate } from '../base/certificate.ts'
import { kubeconfigText } from '../engine/api-server/http/kubeconfig.ts'

/** Bytes of entropy in the token. */
const tokenBytes = 32
const ownerOnly = 0o600

export interface Credentials {
  token: string
  tls: Certificate
}

/** Those of the directory: made at first, the same ever after, so that a kubeconfig stays good over restarts. */
export async function readOrMakeCredentials(directory: string, nowMs: number): Promise<Credentials> {
  const path = join(directory, 'credentials.json')
  const stored = await readFile(path, 'utf8').then(parsed, () => undefined)
  if (stored !== undefined) return stored
  const hosts = ['127.0.0.1', '::1', 'localhost']
  const made: Credentials = {
    token: randomBytes(tokenBytes).toString('base64url'),
    tls: createCertificate({ commonName: 'knode', hosts, nowMs }),
  }
  await writePrivate(path, JSON.stringify(made))
  return made
}

/** Writes `DIRECTORY/kubeconfig`, readable by its owner only, and returns its path. */
export async function writeKubeconfig(directory: string, server: string, { token, tls }: Credentials): Promise<string> {
  const path = join(directory, 'kubeconfig')
  await writePrivate(path, kubeconfigText({ server, certificate: tls.cert, token }))
  return path
}

function parsed(text: string): Credentials | undefined {
  try {
    const { token, tls } = JSON.parse(text) as Partial<Credentials>
    return token !== undefined && tls !== undefined ? { token, tls } : undefined
  } catch {
    // Half a file of an older crash is as good as none.
    return undefined
  }
}

/** Whole or not at all: a reader never sees half a file. */
async function writePrivate(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}`
  await writeFile(draft, text, { mode: ownerOnly })
  await chmod(draft, ownerOnly)
  await rename(draft, path)
}
