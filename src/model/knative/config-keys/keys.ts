// How it is told which keys of Knative's ConfigMaps count in Knode, and what becomes of the others.

export interface ConfigMapKeys {
  /** Keys that something here reads, live. `*` at the end stands for anything: `*` alone for every key. */
  honoured: readonly string[]
  idle: readonly IdleKeys[]
}

/** Keys of which nothing comes, with one story. */
export interface IdleKeys {
  /** Like {@link ConfigMapKeys.honoured}. */
  keys: readonly string[]
  /** Values that ask for nothing, beside the empty one, in lower case. What ships is among them. @default none */
  harmless?: readonly (string | RegExp)[]
  /** Objects get what the key says, as on a cluster; it is there that nothing comes of it. @default false */
  isCarried?: boolean
  /** What the key does on a cluster: goes on where "on a cluster it" ends. */
  cluster: string
  /** Why it does not here, or what to do instead. */
  here: string
}

/** Whether `pattern` is `key`, or ends with a star and begins like it. */
export const fits = (pattern: string, key: string): boolean =>
  pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : key === pattern

/** Whether a value of an idle key asks for nothing. */
export function isHarmless(value: string, { harmless = [] }: IdleKeys): boolean {
  const text = value.trim().toLowerCase()
  return text === '' || harmless.some((each) => (typeof each === 'string' ? each === text : each.test(text)))
}
