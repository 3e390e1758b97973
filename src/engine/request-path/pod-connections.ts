// What leads to one Pod, and what is led there. How the bytes go is told by http1-connections.ts and h2c-connections.ts.
import type { Dispatcher } from 'undici'
import type { RequestBody } from './request-body.ts'

/** Where a Pod takes requests. */
export interface PodAddress {
  host: string
  port: number
}

/** The connections to one Pod's port: kept while the Pod is there, so that a request finds one open. */
export interface PodConnections extends Readonly<PodAddress> {
  /** Forwards the call. Never throws: the call hears how it went. */
  send(call: OutgoingCall): void
  /** Takes no further calls; each connection ends with the call that is on it. */
  close(): void
  /** The Pod is gone, and with it whatever it was working on. */
  destroy(): void
}

/** Of a request on its way to a Pod: what is sent, and who hears of the answer. */
export interface OutgoingCall extends Dispatcher.DispatchHandler {
  readonly method: string
  /** In origin form, with query. */
  readonly path: string
  /** Raw trailers of the request, once its body has ended. */
  readonly rawTrailers: readonly string[]
  /** Its body is at hand as a whole, or it has none. */
  readonly isRepeatable: boolean
  /** Raw headers: name, value, name, value … */
  headers(): string[]
  /** Calls `take` with the body when it is time to send it; not at all when nobody wants the answer any more. */
  takeBody(take: (body: Buffer | RequestBody | null) => void): void
  /** It is being sent. */
  onStart(exchange: Exchange): void
  onAnswer(status: number, rawHeaders: readonly (Buffer | string)[]): void
  /** False asks to pause until the exchange is resumed. */
  onData(chunk: Buffer): boolean
  onEnd(rawTrailers: readonly (Buffer | string)[]): void
  /** `isUnsent`: the program has not looked at it, and another attempt is worth while. */
  onFailure(error: unknown, options: { isUnsent: boolean }): void
}

/** The program's side of a call. */
export interface Exchange {
  pause(): void
  resume(): void
  abort(reason: Error): void
}

export const originOf = ({ host, port }: PodAddress): string =>
  `http://${host.includes(':') ? `[${host}]` : host}:${port}`

/** No connection came about. */
export function isDialFailure(error: unknown): boolean {
  const { syscall, code } = error as NodeJS.ErrnoException
  return syscall === 'connect' || code === 'UND_ERR_CONNECT_TIMEOUT' || error instanceof AggregateError
}
