// A certificate with its key, as Secrets of type kubernetes.io/tls hold them.

export const tlsSecretType = 'kubernetes.io/tls'

export interface TlsTexts {
  /** PEM, unchecked. */
  cert: string
  /** PEM, unchecked. Secret. */
  key: string
}

/** What the Secret holds, or the key of its data that it lacks. */
export function tlsTextsIn({ data = {} }: { data?: Readonly<Record<string, string>> }): TlsTexts | { lacks: string } {
  const [cert = '', key = ''] = [data['tls.crt'], data['tls.key']]
  if (cert === '') return { lacks: 'tls.crt' }
  if (key === '') return { lacks: 'tls.key' }
  return { cert: decoded(cert), key: decoded(key) }
}

/** Texts as a Secret's data has them. */
export const secretData = (texts: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]))

const decoded = (base64: string): string => Buffer.from(base64, 'base64').toString('latin1')
