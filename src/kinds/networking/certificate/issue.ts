// One certificate: whether the one that is there is still good, until when, and how a new one is made.
import { X509Certificate } from 'node:crypto'
import { createCertificate } from '../../../base/certificate.ts'
import { messageOf } from '../../../base/errors.ts'
import { checkKeyPair } from '../../../base/key-pair.ts'
import type { KeyPair } from '../../../base/key-pair.ts'
import { AuthorityError } from './authority.ts'
import type { Authority } from './authority.ts'

export interface Life {
  expiresMs: number
  /** When another one should take its place; absent when that would not last longer. */
  renewsMs?: number
}

/** How long a certificate is good, in days; a third before its end it is renewed. As cert-manager's default. */
const validDays = 90
/** Longest common name (RFC 5280 appendix A.1). */
const commonNameMax = 64

/** Makes a certificate, followed by the authority's. @throws {AuthorityError} when that cannot sign */
export function issue(names: readonly string[], authority: Authority, nowMs: number): { pair: KeyPair; life: Life } {
  const commonName = names.find((name) => name.length <= commonNameMax) ?? 'knode'
  let pair: KeyPair
  try {
    const { cert, key } = createCertificate({ commonName, hosts: names, nowMs, validDays, authority })
    pair = { cert: cert + authority.cert, key }
  } catch (thrown) {
    throw new AuthorityError(messageOf(thrown))
  }
  const life = lifeOf(pair, names, authority, nowMs)
  if (life === undefined) throw new AuthorityError('what it signs is not valid')
  return { pair, life }
}

/** How long the pair will do for these names; `undefined` when it does not now. */
export function lifeOf(pair: KeyPair, names: readonly string[], authority: Authority, nowMs: number): Life | undefined {
  let certificate: X509Certificate
  try {
    certificate = checkKeyPair(pair)
  } catch {
    return undefined
  }
  const signer = authority.certificate
  if (!certificate.checkIssued(signer) || !certificate.verify(signer.publicKey)) return undefined
  if (!pair.cert.endsWith(authority.cert) || !isSameSet(namesIn(certificate), names)) return undefined
  const [startsMs, expiresMs] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]
  if (expiresMs >= Date.parse(signer.validTo)) return expiresMs > nowMs ? { expiresMs } : undefined
  const renewsMs = expiresMs - (expiresMs - startsMs) / 3
  return renewsMs > nowMs ? { expiresMs, renewsMs } : undefined
}

const namesIn = ({ subjectAltName = '' }: X509Certificate): string[] =>
  subjectAltName.split(', ').map((name) => name.replace(/^(DNS|IP Address):/, ''))

const isSameSet = (some: readonly string[], others: readonly string[]): boolean =>
  new Set(some).symmetricDifference(new Set(others)).size === 0
