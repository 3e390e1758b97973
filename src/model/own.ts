// Fields by names that users choose: `constructor` and `__proto__` are such names, and every object has those.

/** The object's own field of this name. */
export const own = <Value>(
  fields: Readonly<Record<string, Value>> | null | undefined,
  name: string | undefined,
): Value | undefined =>
  fields !== undefined && fields !== null && name !== undefined && Object.hasOwn(fields, name)
    ? fields[name]
    : undefined
