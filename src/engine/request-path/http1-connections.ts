// HTTP/1.1 connections to one Pod.
import { Pool } from 'undici'
import { originOf } from './pod-connections.ts'
import type { OutgoingCall, PodAddress, PodConnections } from './pod-connections.ts'

/** Connections to one Pod; further requests wait for one. As many as the gateway has clients. */
const connectionsMax = 10_000
/** Largest head of an answer, in bytes: as of requests. */
const headerBytesMax = 1_048_576
/** Longest wait for a connection, in milliseconds. */
const connectMs = 10_000
/**
 * How long a connection waits for its next request where the program does not say how long it keeps it, in milliseconds.
 * Shorter than servers' own limits, the shortest of which is 2 s (gunicorn): a request must not meet a closing connection.
 */
const idleMs = 1_000

export class Http1Connections implements PodConnections {
  readonly host: string
  readonly port: number
  #pool: Pool

  constructor({ host, port }: PodAddress) {
    this.host = host
    this.port = port
    this.#pool = new Pool(originOf({ host, port }), {
      connections: connectionsMax,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      connectTimeout: connectMs,
      keepAliveTimeout: idleMs,
      maxHeaderSize: headerBytesMax,
    })
  }

  send(call: OutgoingCall): void {
    call.takeBody((body) => {
      try {
        this.#pool.dispatch({ method: call.method, path: call.path, headers: call.headers(), body }, call)
      } catch (thrown) {
        call.onFailure(thrown, { isUnsent: false })
      }
    })
  }

  close(): void {
    this.#pool.close().catch(() => undefined)
  }

  destroy(): void {
    this.#pool.destroy().catch(() => undefined)
  }
}
