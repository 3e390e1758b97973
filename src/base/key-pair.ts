// A TLS certificate with its key, checked before anybody is shown it.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { messageOf } from './errors.ts'

export interface KeyPair {
  /** PEM: the certificate, and after it those that lead to its authority. */
  cert: string
  /** PEM. Secret. */
  key: string
}

/** Reads a pair. @throws {Error} saying which of the two is not usable and why, without a word of the key. */
export function checkKeyPair({ cert, key }: KeyPair): X509Certificate {
  let certificate: X509Certificate
  let privateKey: KeyObject
  try {
    certificate = new X509Certificate(cert)
  } catch (cause) {
    throw new Error('the certificate is no PEM that can be read', { cause })
  }
  try {
    privateKey = createPrivateKey(key)
  } catch (cause) {
    throw new Error('the key is no PEM that can be read', { cause })
  }
  if (!certificate.checkPrivateKey(privateKey)) throw new Error('the key is not that of the certificate')
  try {
    createSecureContext({ cert, key })
  } catch (cause) {
    throw new Error(`TLS cannot use them: ${messageOf(cause)}`, { cause })
  }
  return certificate
}
