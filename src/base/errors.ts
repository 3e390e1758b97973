// The one error class of Knode: a stable code to branch on, a message that names the object, a hint that says what to do.
import type { ErrorCode } from './error-codes.ts'

export interface ErrorOptions {
  /** What to type or change next. Shown to users after the message. */
  hint?: string
  /** Whether the same call may succeed later without a change. @default false */
  retryable?: boolean
  cause?: unknown
}

/** An error with a code of docs/errors.md. Never branch on its message. */
export class KnodeError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'KnodeError'
    this.code = code
    this.hint = options.hint
    this.retryable = options.retryable ?? false
  }
}

/** The stored revision is no longer the expected one: read again and repeat. */
export class ConflictError extends KnodeError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('CONFLICT', message, { retryable: true, ...options })
  }
}

/** The asked-for history was compacted away: list again. */
export class GoneError extends KnodeError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('GONE', message, options)
  }
}

/** The bytes are not a valid CloudEvent; the message says what is wrong and where. */
export class InvalidEventError extends KnodeError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('INVALID_EVENT', message, options)
  }
}

/** Trying again cannot help until somebody edits the object. */
export class TerminalError extends KnodeError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('TERMINAL', message, options)
  }
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
