// How tests wait for what real I/O brings about: by looking again, never by sleeping.

/** Turns without what is waited for, in milliseconds of real time, before a test gives up. */
const patienceMs = 60_000
/** The most that one turn counts: a machine that stood still for a minute has not waited for a minute. */
const turnMsMax = 100

export interface Patience {
  /** Between two looks. @default one turn of the event loop */
  turn?: () => Promise<unknown>
  /** Milliseconds of real time. @default 60000 */
  patienceMs?: number
  /** Milliseconds of real time. @default performance.now */
  nowMs?: () => number
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * Resolves with what `look` finds, once that is something: not undefined, not false.
 *
 * @param what named when it never comes; a function is asked then, to tell what there was instead.
 * @throws when it does not come in time.
 */
export async function eventually<Found>(
  look: () => Found | Promise<Found>,
  what: string | (() => string),
  { turn = nextTurn, patienceMs: waitMs = patienceMs, nowMs = () => performance.now() }: Patience = {},
): Promise<Exclude<Found, undefined | false>> {
  let [waitedMs, seenMs] = [0, nowMs()]
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found as Exclude<Found, undefined | false>
    if (waitedMs > waitMs) throw new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`)
    await turn()
    const turnMs = nowMs() - seenMs
    seenMs += turnMs
    waitedMs += Math.min(turnMs, turnMsMax)
  }
}
