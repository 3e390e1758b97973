// Who works when: queues share the turns of the event loop, and leave some of each to requests and connections.
import { setImmediate } from 'node:timers'
import type { Clock } from '../../base/clock.ts'

/** Calls `run` in a later turn of the event loop, unless that has been busy enough: then in one after it. */
export type Turns = (run: () => void) => void

/** What may be begun in one turn after this much of it has passed: nothing more, in milliseconds. */
const turnMs = 1

export function createTurns(clock: Pick<Clock, 'monotonicMs'>): Turns {
  /** Since when this turn is worked in; absent at its beginning. */
  let sinceMs: number | undefined
  const turns: Turns = (run) =>
    void setImmediate(() => {
      const nowMs = clock.monotonicMs()
      if (sinceMs === undefined) {
        sinceMs = nowMs
        // First of all in the next turn: what is put off in this one is queued behind it.
        setImmediate(() => (sinceMs = undefined))
      }
      if (nowMs - sinceMs < turnMs) run()
      else turns(run)
    })
  return turns
}
