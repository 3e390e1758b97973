// How large a CESQL expression may be, so that no text costs the process more than its length suggests.

/** Longest expression, in UTF-16 units. */
export const cesqlCharactersMax = 16_384

/** Deepest nesting: parentheses, prefix operators, arguments, and chains of arithmetic or comparison. */
export const cesqlDepthMax = 200
