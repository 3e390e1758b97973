// Tokens of service accounts in projected volumes: JSON web tokens of the shape Kubernetes gives. Knode's API knows its
// own token only, so these tell a program who it is, and nobody else.
import { createHmac } from 'node:crypto'
import type { Pod } from '../../model/kubernetes/pod/pod.ts'

export interface TokenRequest {
  audience?: string
  expirationSeconds: number
}

const issuer = 'https://kubernetes.default.svc.cluster.local'

/** Signs with HS256. */
export function serviceAccountToken(
  { metadata, spec }: Pod,
  { audience = issuer, expirationSeconds }: TokenRequest,
  { key, nowMs }: { key: string; nowMs: number },
): string {
  const nowSeconds = Math.floor(nowMs / 1_000)
  const { namespace = '', name, uid = '' } = metadata
  const { serviceAccountName = 'default' } = spec
  const claims = {
    aud: [audience],
    exp: nowSeconds + expirationSeconds,
    iat: nowSeconds,
    nbf: nowSeconds,
    iss: issuer,
    'kubernetes.io': { namespace, pod: { name, uid }, serviceaccount: { name: serviceAccountName } },
    sub: `system:serviceaccount:${namespace}:${serviceAccountName}`,
  }
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
}
