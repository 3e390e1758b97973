// Reads request bodies up to a size and within a time, and gives up on those that never end.
import type { IncomingMessage } from 'node:http'
import type { CancelTimer, Clock } from '../../base/clock.ts'
import { UnorderedSet } from '../../base/unordered-set.ts'
import type { Member } from '../../base/unordered-set.ts'

export interface BodyLimits {
  /** Largest body that is read, in bytes. */
  bodyBytesMax: number
  /** Longest time a body may take to arrive, in milliseconds. */
  bodyMs: number
  /** How much of an unwanted body is swallowed so that its sender reads our answer, in bytes. */
  discardBytesMax: number
}

/** Takes what becomes of one body; exactly one call. None comes when the client goes away. */
export interface BodyTaker {
  onBody(body: Buffer): void
  onTooLarge(): void
  onTooLate(): void
}

const reading = Symbol('reading')
type ReadRequest = IncomingMessage & { [reading]?: Reading }

/** One body on its way. */
interface Reading extends Member {
  reader: BodyReader
  /** Gone once it has been told; the rest of the body is then swallowed. */
  taker: BodyTaker | undefined
  request: IncomingMessage
  startedMs: number
  bytes: number
  first: Buffer | undefined
  rest: Buffer[] | undefined
}

/**
 * One timer watches over all bodies, and the listeners are shared: a body that arrives at once costs no timer and no
 * closure.
 */
export class BodyReader {
  #clock: Clock
  #limits: BodyLimits
  #open = new UnorderedSet<Reading>()
  #cancelSweep: CancelTimer | undefined

  constructor(clock: Clock, limits: BodyLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  read(request: IncomingMessage, taker: BodyTaker): void {
    this.#watch(request, taker)
  }

  /** Swallows a body nobody wants, for as long as the limits allow. */
  discard(request: IncomingMessage): void {
    this.#watch(request, undefined)
  }

  close(): void {
    this.#cancelSweep?.()
    this.#cancelSweep = undefined
  }

  #watch(request: IncomingMessage, taker: BodyTaker | undefined): void {
    const state: Reading = {
      place: -1,
      reader: this,
      taker,
      request,
      startedMs: this.#clock.monotonicMs(),
      bytes: 0,
      first: undefined,
      rest: undefined,
    }
    ;(request as ReadRequest)[reading] = state
    this.#open.add(state)
    this.#cancelSweep ??= this.#clock.setTimer(this.#limits.bodyMs, () => this.#sweep())
    request.on('data', onData)
    request.on('end', onEnd)
    request.on('close', onClose)
  }

  take(state: Reading, chunk: Buffer): void {
    state.bytes += chunk.length
    const { bodyBytesMax, discardBytesMax } = this.#limits
    if (state.taker === undefined) {
      if (state.bytes > discardBytesMax) state.request.socket.destroy()
      return
    }
    if (state.bytes > bodyBytesMax) {
      const { taker } = state
      this.#drop(state)
      taker.onTooLarge()
    } else if (state.first === undefined) state.first = chunk
    else (state.rest ??= []).push(chunk)
  }

  finish(state: Reading): void {
    this.#open.delete(state)
    const { taker, first = Buffer.alloc(0), rest } = state
    this.#drop(state)
    taker?.onBody(rest === undefined ? first : Buffer.concat([first, ...rest], state.bytes))
  }

  forget(state: Reading): void {
    this.#open.delete(state)
  }

  /** The rest is swallowed, and nothing is kept. */
  #drop(state: Reading): void {
    state.taker = undefined
    state.first = undefined
    state.rest = undefined
  }

  #sweep(): void {
    this.#cancelSweep = undefined
    const lateMs = this.#clock.monotonicMs() - this.#limits.bodyMs
    let soonestMs = Infinity
    for (const state of this.#open.toArray()) {
      if (state.startedMs > lateMs) {
        soonestMs = Math.min(soonestMs, state.startedMs)
        continue
      }
      this.#open.delete(state)
      const { taker, request } = state
      this.#drop(state)
      if (taker === undefined) request.socket.destroy()
      else taker.onTooLate()
    }
    if (soonestMs < Infinity) this.#cancelSweep ??= this.#clock.setTimer(soonestMs - lateMs, () => this.#sweep())
  }
}

function onData(this: IncomingMessage, chunk: Buffer): void {
  const state = (this as ReadRequest)[reading]!
  state.reader.take(state, chunk)
}

function onEnd(this: IncomingMessage): void {
  const state = (this as ReadRequest)[reading]!
  state.reader.finish(state)
}

function onClose(this: IncomingMessage): void {
  const state = (this as ReadRequest)[reading]!
  state.reader.forget(state)
}
