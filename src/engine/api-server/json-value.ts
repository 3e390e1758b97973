// Questions about JSON values that no schema has seen yet.

export type JsonObject = Record<string, unknown>

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value of an own field: names such as `constructor` come from users. */
export const own = (object: JsonObject, key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined)

/** Sets an own field, also one called `__proto__`. */
export function setOwn(object: JsonObject, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}

/** A private copy; what JSON cannot say (undefined, functions) is left out. */
export const jsonCopy = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value

/** Whether arrays and objects nest deeper than `depthMax`; does not recurse, so no input overflows the stack. */
export function nestsDeeperThan(root: unknown, depthMax: number): boolean {
  let level = [root]
  for (let depth = 0; depth <= depthMax; depth++) {
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []))
    if (level.length === 0) return false
  }
  return true
}

/** JSON's name of the value's type. */
export function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}
