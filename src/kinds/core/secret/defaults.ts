// Defaults of a Secret. Source: kubernetes/kubernetes pkg/apis/core/v1/defaults.go and conversion.go.
import type { Secret } from './schema.ts'

/** Folds `stringData` into `data`, where it wins. */
export function setSecretDefaults(secret: Secret): void {
  if (secret.type === undefined || secret.type === '') secret.type = 'Opaque'
  const { stringData } = secret
  if (stringData === undefined) return
  const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')])
  secret.data = { ...secret.data, ...(Object.fromEntries(encoded) as Record<string, string>) }
  delete secret.stringData
}
