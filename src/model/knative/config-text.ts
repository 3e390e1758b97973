// YAML inside the values of Knative's ConfigMaps.
import { parse } from 'yaml'

/**
 * The value of a text, `undefined` for an empty one. A key with nothing below it is null in YAML and absent in Go's
 * structs: it is left out. @throws {Error} where the text is no YAML
 */
export const parseConfigText = (text: string): unknown =>
  parse(text, (_, value: unknown) => (value === null ? undefined : value)) as unknown
