// JSON merge patch. Source: RFC 7386, section 2.
import { isObject, own, setOwn } from '../json-value.ts'
import type { JsonObject } from '../json-value.ts'

/** `target` with `patch` merged in: objects merge, `null` removes, everything else replaces. Changes neither. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const merged: JsonObject = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key]
    else setOwn(merged, key, mergePatch(own(merged, key), value))
  }
  return merged
}
