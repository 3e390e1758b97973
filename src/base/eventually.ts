// How tests wait for what real I/O brings about: by looking again or for an event, and with a patience that a slow
// machine does not use up.

/** Turns without what is waited for, in milliseconds of real time, before a test gives up. */
const patienceMs = 60_000
/** The most that one turn counts: a machine that stood still for a minute has not waited for a minute. */
const turnMsMax = 100
/** Looks that follow each other at once; later ones leave the processor to whoever is waited for, for a moment each. */
const hastyLooks = 1_000
const momentMs = 5

export interface Patience {
  /** Between two looks. @default one turn of the event loop */
  turn?: () => Promise<unknown>
  /** Milliseconds of real time. @default 60000 */
  patienceMs?: number
  /** Milliseconds of real time. @default performance.now */
  nowMs?: () => number
}

/** For what other programs do, which must start first: it only costs time in a test that fails. */
export const programPatience = { patienceMs: 300_000 }

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const aMoment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, momentMs))

/**
 * Resolves with what `look` finds, once that is something: not undefined, not false.
 *
 * @param what named when it never comes; a function is asked then, to tell what there was instead.
 * @throws when it does not come in time.
 */
export async function eventually<Found>(
  look: () => Found | Promise<Found>,
  what: string | (() => string),
  { turn, patienceMs: waitMs = patienceMs, nowMs = () => performance.now() }: Patience = {},
): Promise<Exclude<Found, undefined | false>> {
  let [waitedMs, seenMs] = [0, nowMs()]
  for (let looks = 1; ; looks++) {
    const found = await look()
    if (found !== undefined && found !== false) return found as Exclude<Found, undefined | false>
    if (waitedMs > waitMs) throw inVain(what)
    await (turn ?? (looks < hastyLooks ? nextTurn : aMoment))()
    const turnMs = nowMs() - seenMs
    seenMs += turnMs
    waitedMs += Math.min(turnMs, turnMsMax)
  }
}

/**
 * Resolves with what `work` brings, e.g. an event or the end of a program.
 *
 * @param what as for {@link eventually}.
 * @throws when it does not come in time, and what `work` throws.
 */
export async function inTime<Brought>(
  work: Promise<Brought>,
  what: string | (() => string),
  { patienceMs: waitMs = patienceMs }: Pick<Patience, 'patienceMs'> = {},
): Promise<Brought> {
  const late = Promise.withResolvers<never>()
  let leftMs = waitMs
  // However long the machine stood still, it ticks once.
  const ticking = setInterval(() => {
    leftMs -= turnMsMax
    if (leftMs < 0) late.reject(inVain(what))
  }, turnMsMax)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearInterval(ticking)
  }
}

const inVain = (what: string | (() => string)): Error =>
  new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`)
