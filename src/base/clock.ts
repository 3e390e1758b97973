// Time as a neighbour: everything that waits or asks for the time gets a Clock through its constructor.
import { setTimeout as nodeSetTimeout, clearTimeout as nodeClearTimeout } from 'node:timers'

/** Cancels a timer; calling it twice, or after it fired, is fine. */
export type CancelTimer = () => void

export interface Clock {
  /** Wall-clock time, in milliseconds since 1970. */
  now(): number
  /** Steady time for measuring, in milliseconds; only differences mean something. */
  monotonicMs(): number
  /** Calls `fire` once, after at least `delayMs`. */
  setTimer(delayMs: number, fire: () => void): CancelTimer
}

/** Longest delay Node's timers take, in milliseconds. */
const nodeTimerMsMax = 2_147_483_647

/** The machine's clock. A timer that is set keeps the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, fire) {
    // Nearly all: one closure fewer counts where every event has a timer.
    if (delayMs <= nodeTimerMsMax) {
      const short = nodeSetTimeout(fire, Math.max(0, delayMs))
      return () => nodeClearTimeout(short)
    }
    let timer: NodeJS.Timeout
    const arm = (leftMs: number): void => {
      const stepMs = Math.min(leftMs, nodeTimerMsMax)
      timer = nodeSetTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : fire()), stepMs)
    }
    arm(delayMs)
    return () => nodeClearTimeout(timer)
  },
}

/** Resolves after `delayMs` on `clock`. @throws the signal's reason when it aborts first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason as Error)
    const onAbort = (): void => {
      cancel()
      reject(signal?.reason as Error)
    }
    const cancel = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** Waits for `work`, at most `limitMs`. @returns whether it was done by then. @throws what it throws by then. */
export async function isDoneWithin(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>()
  const cancel = clock.setTimer(limitMs, () => resolve(false))
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    cancel()
  }
}
