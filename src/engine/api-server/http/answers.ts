// How answers are written: JSON or YAML, Status errors, warnings, gzip.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import { KnodeError, messageOf } from '../../../base/errors.ts'
import type { Logger } from '../../../base/log.ts'
import { StatusError } from '../../../model/kubernetes/status-error.ts'
import type { Status } from '../../../model/kubernetes/status-error.ts'
import { writeYaml } from '../../../model/kubernetes/yaml.ts'
import { badRequest } from '../api-errors.ts'

/** Answers shorter than this are not worth compressing on a loopback. */
const gzipBytesMin = 131_072
const gzipAsync = promisify(gzip)

export interface AnswerOptions {
  code?: number
  /** @default 'application/json' */
  contentType?: string
  syntax?: 'json' | 'yaml'
}

/** Writes an object. */
export async function sendObject(
  request: IncomingMessage,
  response: ServerResponse,
  object: unknown,
  { code = 200, contentType, syntax = 'json' }: AnswerOptions = {},
): Promise<void> {
  const yaml = syntax === 'yaml'
  const text = yaml ? writeYaml(object) : `${JSON.stringify(object)}\n`
  await sendBytes(request, response, code, contentType ?? (yaml ? 'application/yaml' : 'application/json'), text)
}

/** Writes a finished body, gzipped when that pays and the client takes it. */
export async function sendBytes(
  request: IncomingMessage,
  response: ServerResponse,
  code: number,
  contentType: string,
  body: string | Buffer,
): Promise<void> {
  let bytes = typeof body === 'string' ? Buffer.from(body) : body
  response.setHeader('Content-Type', contentType)
  if (bytes.length >= gzipBytesMin && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) {
    bytes = await gzipAsync(bytes, { level: constants.Z_BEST_SPEED })
    response.setHeader('Content-Encoding', 'gzip')
    response.setHeader('Vary', 'Accept-Encoding')
  }
  response.setHeader('Content-Length', bytes.length)
  response.writeHead(code)
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

/** Plain text, as the health checks and unknown paths answer. */
export function sendText(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' })
  response.end(text)
}

/** Characters of all warnings of an answer; where they are more, each is cut, and the last ones are left out. */
const warningsCharactersMax = 4_096
const warningCharactersMax = 256

/**
 * Adds one `Warning:` header each, which kubectl prints; clients take only so much of headers.
 * Source: kubernetes/apiserver pkg/endpoints/filters/warning.go.
 */
export function addWarnings(response: ServerResponse, warnings: readonly string[]): void {
  const isTooMuch = warnings.reduce((sum, { length }) => sum + length, 0) > warningsCharactersMax
  let left = warningsCharactersMax
  for (const warning of new Set(warnings)) {
    const text = isTooMuch ? warning.slice(0, warningCharactersMax) : warning
    if (isTooMuch && (left -= text.length) < 0) return
    response.appendHeader('Warning', `299 - "${quotable(text)}"`)
  }
}

// Header values are one line of Latin-1; anything else would be refused by Node.
const quotable = (text: string): string =>
  text
    .replace(/[\r\n]+/g, ' ')
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/["\\]/g, '\\$&')

/** The Status of whatever was thrown; what is not a StatusError is our mistake and is logged. */
export function statusOf(thrown: unknown, log: Logger): Status {
  if (thrown instanceof StatusError) return thrown.toStatus()
  const known = thrown instanceof KnodeError ? knownError(thrown) : undefined
  if (known !== undefined) return known.toStatus()
  log.error('api request failed', { err: thrown })
  return new StatusError(500, 'InternalError', `Internal error occurred: ${messageOf(thrown)}`).toStatus()
}

function knownError(error: KnodeError): StatusError | undefined {
  switch (error.code) {
    case 'GONE':
      return expired(error.message)
    case 'CONFLICT':
      return new StatusError(409, 'Conflict', error.message)
    case 'USAGE':
      return badRequest(error.message)
    default:
      return undefined
  }
}

export const expired = (message: string): StatusError => new StatusError(410, 'Expired', message)
