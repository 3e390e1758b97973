// Who may come in: bearer token, Host and Origin against DNS rebinding and cross-site posts, impersonation.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIPv4 } from 'node:net'
import { StatusError } from '../../../model/kubernetes/status-error.ts'
import type { UserInfo } from '../../kind.ts'
import { badRequest } from '../api-errors.ts'

export interface GuardOptions {
  /** The one token that opens everything. */
  token: string
  /** Who its bearer is. @default kubernetes-admin in system:masters */
  user?: UserInfo
  /** The address the server is bound to; its name is allowed in `Host`. */
  host: string
  /** More names that `Host` and `Origin` may carry, without port. */
  hostNames?: readonly string[]
}

export interface Guard {
  /** @throws {StatusError} 403 when `Host` or `Origin` names somebody else. */
  checkOrigin(request: IncomingMessage): void
  /** Who asks, impersonation included. @throws {StatusError} 401 without the right token. */
  authenticate(request: IncomingMessage): UserInfo
  /** Whether this is the token, compared in constant time. */
  isToken(text: string): boolean
  readonly owner: UserInfo
}

const admin: UserInfo = { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] }

export function createGuard({ token, user = admin, host, hostNames = [] }: GuardOptions): Guard {
  // Hashing first makes both sides equally long, as timingSafeEqual wants them.
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  const wanted = digest(token)
  const isToken = (text: string): boolean => timingSafeEqual(digest(text), wanted)
  const allowed = new Set([host, ...hostNames].map((name) => name.toLowerCase()))
  const isAllowed = (name: string): boolean => allowed.has(name) || isLoopbackName(name)
  return {
    owner: user,
    isToken,
    checkOrigin(request) {
      const name = hostNameOf(request.headers.host)
      if (name === undefined || !isAllowed(name))
        throw forbidden(`host "${request.headers.host ?? ''}" is not served here`)
      const { origin } = request.headers
      if (origin === undefined) return
      const own = URL.canParse(origin) ? new URL(origin).host === request.headers.host?.toLowerCase() : false
      if (!own) throw forbidden(`cross-site requests from origin "${origin}" are refused`)
    },
    authenticate(request) {
      const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
      if (bearer === undefined || !isToken(bearer)) throw new StatusError(401, 'Unauthorized', 'Unauthorized')
      return impersonated(request) ?? user
    },
  }
}

const forbidden = (message: string): StatusError => new StatusError(403, 'Forbidden', message)

/** `[::1]:7480` → `[::1]`, `LOCALHOST:80` → `localhost`. */
function hostNameOf(header: string | undefined): string | undefined {
  return /^(\[[0-9a-f:.%]+\]|[^:[\]/@\s]+)(?::\d+)?$/i.exec(header ?? '')?.[1]?.toLowerCase()
}

const isLoopbackName = (name: string): boolean =>
  name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || (isIPv4(name) && name.startsWith('127.'))

/** The user of `--as`, who is trusted because the bearer may do everything anyway. */
function impersonated(request: IncomingMessage): UserInfo | undefined {
  const username = request.headers['impersonate-user']
  const groups = request.headersDistinct['impersonate-group'] ?? []
  if (typeof username !== 'string' || username === '') {
    const orphan = Object.keys(request.headers).find((name) => /^impersonate-(group|uid|extra-)/.test(name))
    if (orphan === undefined) return undefined
    throw badRequest(`header ${orphan} needs Impersonate-User`)
  }
  return { username, groups: [...new Set([...groups, 'system:authenticated'])] }
}
