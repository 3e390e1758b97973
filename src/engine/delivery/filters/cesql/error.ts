// What can go wrong with CESQL: a text that does not parse is thrown, an evaluation's error stands beside its value.
import { KnodeError } from '../../../../base/errors.ts'
import { textPosition } from '../text-position.ts'

/** The kinds of errors an evaluation may report. Source: CloudEvents SQL 1.0, section 3.3. */
export type CesqlErrorType =
  | 'ParseError'
  | 'MathError'
  | 'CastError'
  | 'MissingAttributeError'
  | 'MissingFunctionError'
  | 'FunctionEvaluationError'
  | 'GenericError'

export interface CesqlError {
  type: CesqlErrorType
  message: string
}

/** The text is not a CESQL expression. The message says where (line and column from 1) and what was expected. */
export class CesqlParseError extends KnodeError {
  /** Offset in the text, in UTF-16 units. */
  readonly offset: number

  constructor(text: string, offset: number, problem: string, hint?: string) {
    super('BAD_FILTER', `${textPosition(text, offset)}: ${problem}`, hint === undefined ? {} : { hint })
    this.offset = offset
  }
}
