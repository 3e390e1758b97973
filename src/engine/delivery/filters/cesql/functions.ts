// The functions CESQL brings along; characters are code points. Source: CloudEvents SQL 1.0, section 3.5.
import { castValue } from './cast.ts'
import type { CesqlType, CesqlValue } from './ast.ts'
import type { CesqlErrorType } from './error.ts'

/** Reports an error beside the value the function returns. */
type Report = (type: CesqlErrorType, message: string) => void

export interface CesqlFunction {
  /** Types the arguments are cast to; `Any` takes them as they are. */
  parameters: (CesqlType | 'Any')[]
  /** Type of any number of further arguments. */
  rest?: CesqlType
  returns: CesqlType
  call(values: CesqlValue[], report: Report): CesqlValue
}

/** By name in upper case; overloads differ in their number of arguments. */
export const cesqlFunctions: ReadonlyMap<string, readonly CesqlFunction[]> = new Map(
  Object.entries({
    LENGTH: [unary('String', 'Integer', (text: string) => characterCount(text))],
    CONCAT: [{ parameters: [], rest: 'String', returns: 'String', call: (values) => values.join('') }],
    CONCAT_WS: [
      {
        parameters: ['String'],
        rest: 'String',
        returns: 'String',
        call: ([delimiter, ...values]) => values.join(delimiter as string),
      },
    ],
    LOWER: [unary('String', 'String', lower)],
    UPPER: [unary('String', 'String', upper)],
    TRIM: [unary('String', 'String', trim)],
    LEFT: [ofTextAndCount((text, count, report) => (isCount('LEFT', count, report) ? slice(text, 0, count) : text))],
    RIGHT: [
      ofTextAndCount((text, count, report) =>
        isCount('RIGHT', count, report) ? slice(text, Math.max(0, characterCount(text) - count)) : text,
      ),
    ],
    SUBSTRING: [
      ofTextAndCount((text, position, report) => substring(text, position, undefined, report)),
      {
        parameters: ['String', 'Integer', 'Integer'],
        returns: 'String',
        call: ([text, position, length], report) =>
          substring(text as string, position as number, length as number, report),
      },
    ],
    ABS: [
      unary('Integer', 'Integer', (value: number, report) => {
        if (value !== -2_147_483_648) return Math.abs(value)
        report('MathError', 'ABS(-2147483648) does not fit into 32 bits')
        return 2_147_483_647
      }),
    ],
    INT: [unary('Integer', 'Integer', (value: number) => value)],
    BOOL: [unary('Boolean', 'Boolean', (value: boolean) => value)],
    STRING: [unary('String', 'String', (value: string) => value)],
    IS_INT: [unary('Any', 'Boolean', (value: CesqlValue) => castValue(value, 'Integer') !== undefined)],
    IS_BOOL: [unary('Any', 'Boolean', (value: CesqlValue) => castValue(value, 'Boolean') !== undefined)],
  } satisfies Record<string, CesqlFunction[]>),
)

/** The overload for so many arguments. */
export function findFunction(name: string, argumentCount: number): CesqlFunction | undefined {
  return cesqlFunctions
    .get(name)
    ?.find(({ parameters, rest }) =>
      rest === undefined ? parameters.length === argumentCount : parameters.length <= argumentCount,
    )
}

/** The arguments come cast to the declared types. */
function unary<Value extends CesqlValue>(
  parameter: CesqlType | 'Any',
  returns: CesqlType,
  call: (value: Value, report: Report) => CesqlValue,
): CesqlFunction {
  return { parameters: [parameter], returns, call: ([value], report) => call(value as Value, report) }
}

function ofTextAndCount(call: (text: string, count: number, report: Report) => string): CesqlFunction {
  return {
    parameters: ['String', 'Integer'],
    returns: 'String',
    call: ([text, count], report) => call(text as string, count as number, report),
  }
}

function characterCount(text: string): number {
  let count = text.length
  for (let index = 1; index < text.length; index++) {
    if (isLow(text.charCodeAt(index)) && isHigh(text.charCodeAt(index - 1))) {
      count--
      index++
    }
  }
  return count
}

/** The characters from `start` to before `end`. */
function slice(text: string, start: number, end = Infinity): string {
  let index = 0
  let from = text.length
  for (let character = 0; index < text.length; character++) {
    if (character === start) from = index
    if (character >= end) return text.slice(from, index)
    index += text.codePointAt(index)! > 0xffff ? 2 : 1
  }
  return text.slice(from)
}

function substring(text: string, position: number, length: number | undefined, report: Report): string {
  const characters = characterCount(text)
  if (Math.abs(position) > characters) {
    report('FunctionEvaluationError', `SUBSTRING: position ${position} is outside of a string of length ${characters}`)
    return ''
  }
  if (length !== undefined && length < 0) {
    report('FunctionEvaluationError', `SUBSTRING: the length ${length} is negative`)
    return ''
  }
  if (position === 0) return ''
  const start = position > 0 ? position - 1 : characters + position
  return slice(text, start, length === undefined ? Infinity : start + length)
}

function isCount(name: string, count: number, report: Report): boolean {
  if (count >= 0) return true
  report('FunctionEvaluationError', `${name}: the count ${count} is negative`)
  return false
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff

// oxlint-disable-next-line no-control-regex
const ascii = /^[\0-\x7f]*$/

/** Character by character, so that no mapping changes the length: `ß` stays, as in Go. */
function upper(text: string): string {
  if (ascii.test(text)) return text.toUpperCase()
  return Array.from(text, (character) => {
    const mapped = character.toUpperCase()
    return characterCount(mapped) === 1 ? mapped : character
  }).join('')
}

function lower(text: string): string {
  if (ascii.test(text)) return text.toLowerCase()
  return Array.from(text, (character) => slice(character.toLowerCase(), 0, 1)).join('')
}

const whiteSpace = /\p{White_Space}/u

/** All characters with Unicode's White_Space property are single UTF-16 units. */
function trim(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && whiteSpace.test(text[start]!)) start++
  while (end > start && whiteSpace.test(text[end - 1]!)) end--
  return text.slice(start, end)
}
