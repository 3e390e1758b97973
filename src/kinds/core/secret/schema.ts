// Secret v1. Source: kubernetes/api core/v1/types.go.
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { boolean, map, string } from '../../../model/kubernetes/schema.ts'

export interface Secret extends Resource {
  /** Base64. */
  data?: Record<string, string>
  /** Only in requests: it is folded into `data`. */
  stringData?: Record<string, string>
  type?: string
  immutable?: boolean
}

export const secretSchema = {
  data: map('Bytes by key, in base64.', string('Bytes.', { format: 'byte' })),
  stringData: map('Texts by key, to be written into data. Never returned.', string('A text.')),
  type: string('What the keys mean, e.g. Opaque, kubernetes.io/tls. Cannot change.'),
  immutable: boolean('When true, data cannot change any more; only metadata can.'),
}
