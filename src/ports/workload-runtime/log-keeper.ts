// Finds the logs of instances by name or group, also a while after their end.
import type { CancelTimer, Clock } from '../../base/clock.ts'
import type { LogLine, LogOptions, Workload, WorkloadLogs, WorkloadRuntime } from './port.ts'

export interface LogKeeperLimits {
  /** How long the logs of an ended instance stay readable, in milliseconds. @default 600_000 */
  endedMs?: number
  /** Ended instances whose logs are kept, over all; the oldest go first. @default 100 */
  endedMax?: number
}

/** Adds the lookup of logs to a runtime; everything else is passed on. */
export function keepLogs(
  runtime: WorkloadRuntime,
  clock: Clock,
  limits: LogKeeperLimits = {},
): WorkloadRuntime & WorkloadLogs {
  const { endedMs = 600_000, endedMax = 100 } = limits
  const known = new Set<Workload>()
  const ended = new Map<Workload, CancelTimer>()
  const onStart = new Set<(workload: Workload) => void>()

  const forget = (workload: Workload): void => {
    ended.get(workload)?.()
    ended.delete(workload)
    known.delete(workload)
  }
  const keepEnded = (workload: Workload): void => {
    const cancel = clock.setTimer(endedMs, () => forget(workload))
    ended.set(workload, cancel)
    for (const oldest of ended.keys()) {
      if (ended.size <= endedMax) break
      forget(oldest)
    }
  }
  return {
    objection: (spec) => runtime.objection(spec),
    ...(runtime.prewarm && { prewarm: (spec) => runtime.prewarm!(spec) }),
    ...(runtime.resolveDigest && { resolveDigest: (spec) => runtime.resolveDigest!(spec) }),
    async start(spec, options) {
      const workload = await runtime.start(spec, options)
      known.add(workload)
      void workload.exited.then(() => keepEnded(workload))
      for (const listener of onStart) listener(workload)
      return workload
    },
    logs(namespace, name, options = {}) {
      const inNamespace = [...known].filter(({ spec }) => spec.namespace === namespace)
      // A namesake that came later is the one that is meant.
      const instance = inNamespace.findLast(({ spec }) => spec.name === name)
      if (instance !== undefined) return instance.logs(options)
      const isMember = ({ spec }: Workload): boolean =>
        spec.namespace === namespace && (spec.group === name || spec.name === name)
      const members = inNamespace.filter(isMember)
      if (options.follow !== true) return members.length === 0 ? undefined : stored(members, options)
      if (members.length === 0 && options.awaitStart !== true) return undefined
      return followGroup(members, options, (join) => {
        const listener = (workload: Workload): void => (isMember(workload) ? join(workload) : undefined)
        onStart.add(listener)
        return { [Symbol.dispose]: () => void onStart.delete(listener) }
      })
    },
    async [Symbol.asyncDispose]() {
      await runtime[Symbol.asyncDispose]()
      for (const workload of known) forget(workload)
    },
  }
}

/** What is kept of several instances, in order of time. */
async function* stored(workloads: Workload[], { tailLines, signal }: LogOptions): AsyncGenerator<LogLine> {
  const options = { ...(tailLines !== undefined && { tailLines }), ...(signal && { signal }) }
  const lines = (await Promise.all(workloads.map((workload) => collect(workload.logs(options))))).flat()
  lines.sort((a, b) => a.timeMs - b.timeMs)
  yield* tailLines === undefined ? lines : lines.slice(Math.max(0, lines.length - tailLines))
}

async function collect(source: AsyncIterable<LogLine>): Promise<LogLine[]> {
  const lines: LogLine[] = []
  for await (const line of source) lines.push(line)
  return lines
}

/** Goes on with instances that start later, until the signal aborts. */
async function* followGroup(
  members: Workload[],
  options: LogOptions,
  watchStarts: (join: (workload: Workload) => void) => Disposable,
): AsyncGenerator<LogLine> {
  const leaving = new AbortController()
  const signal = options.signal === undefined ? leaving.signal : AbortSignal.any([options.signal, leaving.signal])
  const lines = new Handover<LogLine>(signal)
  const pump = async (workload: Workload, tailLines?: number): Promise<void> => {
    const follow = workload.logs({ follow: true, signal, ...(tailLines !== undefined && { tailLines }) })
    for await (const line of follow) await lines.give(line)
  }
  using _starts = watchStarts((workload) => void pump(workload))
  try {
    // What is stored comes sorted; only then do the instances race.
    for (const workload of members) void pump(workload, 0)
    yield* stored(members, options)
    for (let line = await lines.take(); line !== undefined; line = await lines.take()) yield line
  } finally {
    leaving.abort()
  }
}

/** Passes values from many givers to one taker; a giver waits until its value is taken. */
class Handover<Value> {
  #signal: AbortSignal
  #offers: { value: Value; taken: () => void }[] = []
  #wake: () => void = () => undefined

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', () => {
      for (const { taken } of this.#offers.splice(0)) taken()
      this.#wake()
    })
  }

  give(value: Value): Promise<void> {
    if (this.#signal.aborted) return Promise.resolve()
    return new Promise((taken) => {
      this.#offers.push({ value, taken })
      this.#wake()
    })
  }

  /** The next value, or `undefined` once the signal has aborted. */
  async take(): Promise<Value | undefined> {
    while (!this.#signal.aborted) {
      const offer = this.#offers.shift()
      if (offer !== undefined) {
        offer.taken()
        return offer.value
      }
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return undefined
  }
}
