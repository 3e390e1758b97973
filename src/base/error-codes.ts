// Every error code of Knode, told one by one in docs/errors.md (a test compares the two).

/** The codes a {@link KnodeError} may carry. */
export const errorCodes = [
  'ADDRESS_IN_USE',
  'API_REFUSED',
  'API_UNREACHABLE',
  'BAD_CONFIG',
  'BAD_DURATION',
  'BAD_FILTER',
  'BAD_MANIFEST',
  'BODY_TOO_LARGE',
  'CONFLICT',
  'DATA_DIR_IN_USE',
  'DATA_DIR_NOT_WRITABLE',
  'GONE',
  'IMAGE_PULL_FAILED',
  'INVALID_EVENT',
  'LOG_CORRUPT',
  'NOT_ADDRESSABLE',
  'NOT_FOUND',
  'STORE_FAILED',
  'TERMINAL',
  'TIMED_OUT',
  'TRANSPORT_CLOSED',
  'TRANSPORT_FAILED',
  'TRANSPORT_FULL',
  'USAGE',
  'WORKLOAD_FAILED',
] as const

export type ErrorCode = (typeof errorCodes)[number]
