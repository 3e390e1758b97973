// Why a request got no answer, as metrics name it: few words, whatever the systems on the way say.

export type ErrorType =
  | 'timeout'
  | 'refused'
  | 'unreachable'
  | 'unknown_host'
  | 'closed'
  | 'invalid_answer'
  | 'tls'
  | 'aborted'
  | 'no_request'
  | 'other'

/** By the beginning of an error's code. */
const typesByCode: readonly [codes: RegExp, type: ErrorType][] = [
  [/^ECONNREFUSED$/, 'refused'],
  [/^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|ETIMEDOUT|EADDRNOTAVAIL)$/, 'unreachable'],
  [/^(ENOTFOUND|EAI_\w+)$/, 'unknown_host'],
  [/^(UND_ERR_SOCKET|ECONNRESET|EPIPE|ECONNABORTED)$/, 'closed'],
  [/^(HPE_\w+|UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES_\w+|UND_ERR_INFO)$/, 'invalid_answer'],
  [/^(ERR_TLS_\w+|ERR_SSL_\w+|EPROTO|CERT_\w+|UNABLE_TO_\w+|\w+_CERT(_\w+)?|\w+_IN_CHAIN)$/, 'tls'],
]

/** The type of a failed request's error, by its code. */
export function errorTypeOf(error: Error): ErrorType {
  // undici's parser leaves out the code when the parser gives a number.
  if (error.name === 'HTTPParserError') return 'invalid_answer'
  const { code } = error as { code?: unknown }
  return typesByCode.find(([codes]) => codes.test(String(code)))?.[1] ?? 'other'
}
