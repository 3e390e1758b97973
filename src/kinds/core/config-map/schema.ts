// ConfigMap v1. Source: kubernetes/api core/v1/types.go.
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { boolean, map, string } from '../../../model/kubernetes/schema.ts'

export interface ConfigMap extends Resource {
  data?: Record<string, string>
  /** Base64. */
  binaryData?: Record<string, string>
  immutable?: boolean
}

export const configMapSchema = {
  data: map('Texts by key. Keys are letters, digits, "-", "_" and ".".', string('A text.')),
  binaryData: map('Bytes by key, in base64; its keys differ from those of data.', string('Bytes.', { format: 'byte' })),
  immutable: boolean('When true, data cannot change any more; only metadata can.'),
}
