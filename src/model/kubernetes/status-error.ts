// Failures as the Kubernetes API tells them. Source: kubernetes/apimachinery pkg/api/errors/errors.go.

export interface StatusCause {
  /** E.g. `FieldValueRequired`. */
  reason?: string
  message?: string
  field?: string
}

export interface StatusDetails {
  name?: string
  group?: string
  /** The plural for 404, 409 and 403; the Kind for 422. */
  kind?: string
  uid?: string
  causes?: StatusCause[]
  retryAfterSeconds?: number
}

export interface Status {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: Record<string, never>
  status: 'Success' | 'Failure'
  message?: string
  reason?: string
  details?: StatusDetails
  code: number
}

/** An API failure: what the server answers, what the client throws. */
export class StatusError extends Error {
  readonly code: number
  readonly reason: string
  readonly details: StatusDetails | undefined

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message)
    this.name = 'StatusError'
    this.code = code
    this.reason = reason
    this.details = details
  }

  toStatus(): Status {
    const { code, reason, message, details } = this
    const head = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason } as const
    return details === undefined ? { ...head, code } : { ...head, details, code }
  }
}
