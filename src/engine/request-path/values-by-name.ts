// Headers as Node takes them for HTTP/2.

/** The values of each name, in lower case. Names are anybody's, `constructor` and `__proto__` among them. */
export function valuesByName(fields: readonly (readonly [string, string])[]): Record<string, string[]> {
  const byName = new Map<string, string[]>()
  for (const [name, value] of fields) {
    const values = byName.get(name.toLowerCase())
    if (values === undefined) byName.set(name.toLowerCase(), [value])
    else values.push(value)
  }
  return Object.fromEntries(byName)
}
