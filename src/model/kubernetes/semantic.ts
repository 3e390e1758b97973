// Whether two objects mean the same, whatever their order of keys. Source: kubernetes/apimachinery pkg/api/equality.

/** Equal but for the order of keys; absent, empty lists and empty objects are the same. */
export function semanticallyEqual(a: unknown, b: unknown): boolean {
  if (isEmpty(a) || isEmpty(b)) return isEmpty(a) && isEmpty(b)
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((x, i) => semanticallyEqual(x, b[i]))
    )
  }
  if (!isRecord(a) || !isRecord(b)) return a === b
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => semanticallyEqual(a[key], b[key]))
}

/** Whether `actual` has all that `wanted` gives: objects may have more fields, lists not more elements. */
export function covers(actual: unknown, wanted: unknown): boolean {
  if (isEmpty(wanted)) return !Array.isArray(wanted) || isEmpty(actual)
  if (Array.isArray(wanted)) {
    return Array.isArray(actual) && actual.length === wanted.length && wanted.every((x, i) => covers(actual[i], x))
  }
  if (!isRecord(wanted)) return actual === wanted
  return isRecord(actual) && Object.entries(wanted).every(([key, value]) => covers(actual[key], value))
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0)
