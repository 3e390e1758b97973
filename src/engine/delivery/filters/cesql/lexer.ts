// Cuts the text of a CESQL expression into tokens. Source: CloudEvents SQL 1.0, CESQLLexer.g4.
import { CesqlParseError } from './error.ts'
import { cesqlCharactersMax } from './limits.ts'

type TokenKind =
  | 'keyword'
  | 'integer'
  | 'string'
  /** Letters and digits, lower-cased. */
  | 'name'
  /** Letters and underscores: only a function may be called so. */
  | 'function name'
  | 'symbol'
  | 'end'

export interface Token {
  kind: TokenKind
  /** Keywords in upper case, names in lower case, strings without quotes, integers and symbols as written. */
  text: string
  /** Offset of the first and of one after the last UTF-16 unit. */
  at: number
  end: number
}

const keywords = new Set(['AND', 'OR', 'XOR', 'NOT', 'LIKE', 'EXISTS', 'IN', 'TRUE', 'FALSE'])

const space = /[ \t\r\n]+/y
const integer = /[+-]?[0-9]+/y
const word = /[A-Za-z0-9]+/y
const functionWord = /[A-Za-z][A-Za-z_]*/y
const symbol = /!=|<>|<=|>=|[=<>+\-*/%(),]/y

/** All tokens, the last one of kind `end`. @throws {CesqlParseError} */
export function tokenize(text: string): Token[] {
  if (text.length > cesqlCharactersMax) {
    throw new CesqlParseError(
      text,
      cesqlCharactersMax,
      `the expression has ${text.length} characters, more than cesqlCharactersMax (${cesqlCharactersMax})`,
      'split it into several filters',
    )
  }
  const tokens: Token[] = []
  let at = 0
  const take = (pattern: RegExp): number => {
    pattern.lastIndex = at
    return pattern.test(text) ? pattern.lastIndex : at
  }
  for (;;) {
    at = take(space)
    if (at === text.length) return [...tokens, { kind: 'end', text: '', at, end: at }]
    const token = quoted(text, at) ?? longest(text, at, take)
    tokens.push(token)
    at = token.end
  }
}

/** The longest token wins, as in every lexer made by ANTLR: `4-1` is 4 and -1, `1st` is a name. */
function longest(text: string, at: number, take: (pattern: RegExp) => number): Token {
  const integerEnd = take(integer)
  const wordEnd = take(word)
  const functionEnd = take(functionWord)
  if (wordEnd > at && wordEnd > integerEnd && wordEnd >= functionEnd) {
    const upper = text.slice(at, wordEnd).toUpperCase()
    if (keywords.has(upper)) return { kind: 'keyword', text: upper, at, end: wordEnd }
    return { kind: 'name', text: upper.toLowerCase(), at, end: wordEnd }
  }
  if (functionEnd > at) {
    return { kind: 'function name', text: text.slice(at, functionEnd).toLowerCase(), at, end: functionEnd }
  }
  if (integerEnd > at) return { kind: 'integer', text: text.slice(at, integerEnd), at, end: integerEnd }
  const symbolEnd = take(symbol)
  if (symbolEnd > at) return { kind: 'symbol', text: text.slice(at, symbolEnd), at, end: symbolEnd }
  throw strange(text, at)
}

/**
 * A string between single or double quotes, or `undefined` when none starts here. A backslash takes the next character
 * along; only before the string's own quote is it dropped, since LIKE needs the others. A doubled quote stays doubled.
 */
function quoted(text: string, at: number): Token | undefined {
  const quote = text[at]
  if (quote !== "'" && quote !== '"') return undefined
  let value = ''
  let from = at + 1
  for (let index = from; index < text.length; index++) {
    if (text[index] === '\\') {
      if (text[index + 1] === quote) {
        value += text.slice(from, index)
        from = index + 1
      }
      index++
    } else if (text[index] === quote) {
      if (text[index + 1] === quote) index++
      else return { kind: 'string', text: value + text.slice(from, index), at, end: index + 1 }
    }
  }
  throw new CesqlParseError(text, at, `the string is not closed: expected ${quote}`)
}

function strange(text: string, at: number): CesqlParseError {
  const character = String.fromCodePoint(text.codePointAt(at)!)
  const hint = /[\p{L}_.-]/u.test(character)
    ? 'attribute names have only the letters a-z and digits; put text into quotes'
    : undefined
  return new CesqlParseError(text, at, `unexpected character ${JSON.stringify(character)}`, hint)
}
