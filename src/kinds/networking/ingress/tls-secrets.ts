// The certificates of an Ingress: which Secrets hold them, and what is wrong with those that cannot be used.
import { messageOf } from '../../../base/errors.ts'
import { checkKeyPair } from '../../../base/key-pair.ts'
import type { KeyPair } from '../../../base/key-pair.ts'
import type { HostCertificate, ReconcileContext } from '../../../engine/reconciler.ts'
import { tlsTextsIn } from '../../../model/kubernetes/tls-secret.ts'
import type { Secret } from '../../core/secret/schema.ts'
import type { IngressTls } from './schema.ts'

interface Problem {
  reason: string
  message: string
}

export interface TlsSecrets {
  /** Without a pair where the Secret has none to give. */
  certificates: HostCertificate[]
  /** The first of those. */
  problem: Problem | undefined
}

type Reading = { pair: KeyPair } | { problem: Problem }

/** By Secret as it is cached: one that has not changed is not read again. */
const readings = new WeakMap<Secret, Reading>()

/** Reads the Secrets; a later change of any of them reconciles the Ingress again. */
export function readTlsSecrets(tls: readonly IngressTls[], context: Pick<ReconcileContext, 'get'>): TlsSecrets {
  const found = tls.map(({ hosts = [], secretName = '', secretNamespace = '' }) => ({
    hosts,
    reading: read(context.get<Secret>('Secret', secretNamespace, secretName), `${secretNamespace}/${secretName}`),
  }))
  const problems = found.flatMap(({ reading }) => ('problem' in reading ? [reading.problem] : []))
  return {
    certificates: found.map(({ hosts, reading }) => ({ hosts, ...('pair' in reading && { pair: reading.pair }) })),
    problem: problems[0],
  }
}

function read(secret: Secret | undefined, name: string): Reading {
  if (secret === undefined) {
    return { problem: { reason: 'TLSSecretNotFound', message: `Secret "${name}" with the TLS certificate not found.` } }
  }
  const known = readings.get(secret) ?? readPair(secret, name)
  readings.set(secret, known)
  return known
}

function readPair(secret: Secret, name: string): Reading {
  const invalid = (why: string): Reading => ({
    problem: { reason: 'TLSSecretInvalid', message: `Secret "${name}" holds no usable TLS certificate: ${why}.` },
  })
  const pair = tlsTextsIn(secret)
  if ('lacks' in pair) return invalid(`it has no ${pair.lacks}`)
  try {
    checkKeyPair(pair)
    return { pair }
  } catch (thrown) {
    return invalid(messageOf(thrown))
  }
}
