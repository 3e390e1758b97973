// What a new connection speaks, told by the first bytes that come on it; whoever takes it over reads them again.
import type { Socket } from 'node:net'
import type { Clock } from './clock.ts'

export interface FirstBytes<Protocol> {
  /** What these bytes begin; `undefined` when more are needed to tell. */
  tell: (seen: Buffer) => Protocol | undefined
  /** The connection is yours now; its data has not begun to flow. */
  take: (protocol: Protocol) => void
  clock: Clock
  /** Longest time until it is clear, in milliseconds: then the connection is closed. */
  waitMsMax: number
}

/** First byte of a TLS handshake (RFC 8446 section 5.1). No text begins like that. */
export const tlsHandshake = 22

/** Reads until it is clear what `socket` speaks. Connections that end or fail before are closed. */
export function readFirstBytes<Protocol>(socket: Socket, { tell, take, clock, waitMsMax }: FirstBytes<Protocol>): void {
  let seen: Buffer | undefined
  let isOver = false
  const forget = (): void => {
    cancel()
    isOver = true
    socket.off('data', onData).off('end', onEnd).off('error', onEnd).off('close', forget)
  }
  const onEnd = (): void => void socket.destroy()
  const onData = (data: Buffer): void => {
    seen = seen === undefined ? data : Buffer.concat([seen, data])
    const protocol = tell(seen)
    if (protocol === undefined) return
    forget()
    socket.pause()
    socket.unshift(seen)
    take(protocol)
  }
  // Where the machine stood still, timers are looked at first: what was said meanwhile is read before it is too late.
  const onLate = (): void => void setImmediate(() => isOver || onEnd())
  const cancel = clock.setTimer(waitMsMax, onLate)
  socket.on('data', onData).on('end', onEnd).on('error', onEnd).on('close', forget)
}
