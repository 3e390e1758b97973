// Where in a text something stands, for messages.

/** `line 1, column 5`; both count from 1, columns in characters. `offset` is in UTF-16 units. */
export function textPosition(text: string, offset: number): string {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  const column = Array.from(before.slice(before.lastIndexOf('\n') + 1)).length + 1
  return `line ${line}, column ${column}`
}
