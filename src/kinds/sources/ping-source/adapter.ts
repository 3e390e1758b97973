// Turns ticks of the clock into events. Source: knative/eventing pkg/adapter/mtping.
import type { CancelTimer } from '../../../base/clock.ts'
import type { KindDeps } from '../../../engine/reconciler.ts'
import { cloudEvent } from '../../../model/cloudevents/event.ts'
import type { CloudEvent } from '../../../model/cloudevents/event.ts'
import type { Addressable } from '../../../model/duck/types.ts'
import { nextRunMs } from './schedule.ts'
import { pingEventType } from './schema.ts'

export interface PingSpec {
  name: string
  namespace: string
  sink: Addressable & { url: string }
  source: string
  schedule: string
  timezone?: string
  contentType?: string
  data?: string
  dataBase64?: string
  extensions: Record<string, string>
}

/** Sends are spread over this long, so that many sources of one minute do not hit at once, in milliseconds. */
const jitterMsMax = 500

/** What is due when the source stops is sent still, if it takes no longer than this, in milliseconds. */
const lastSendMsMax = 1_000

/**
 * The clock on the wall may be set, and goes on while the machine sleeps; timers do neither. So it is looked at this
 * often, in milliseconds, and what sets it back by more than that is not waited for.
 */
const lookMsMax = 60_000

/** Runs the schedule until disposed; a missed tick is never made up, and a slow sink does not hold up the next one. */
export function startPing(
  spec: PingSpec,
  { delivery, clock, random, log }: Pick<KindDeps, 'delivery' | 'clock' | 'random' | 'log'>,
): AsyncDisposable {
  const stopping = new AbortController()
  const sending = new Set<Promise<void>>()
  let cancel: CancelTimer = () => undefined
  /** Its time has come, but for the jitter. */
  let isDue = false
  const send = async (): Promise<void> => {
    const event = pingEvent(spec, random.uuid(), clock.now())
    const outcome = await delivery.send(event, spec.sink, { namespace: spec.namespace, signal: stopping.signal })
    if (outcome.kind === 'failed' && !stopping.signal.aborted) {
      const { name, namespace } = spec
      log.warn('event lost', { kind: 'PingSource', namespace, name, url: spec.sink.url, err: outcome.reason })
    }
  }
  const tick = (): void => {
    const task = send().finally(() => sending.delete(task))
    sending.add(task)
  }
  const arm = (afterMs: number): void => {
    const dueMs = nextRunMs(spec.schedule, spec.timezone, afterMs)
    if (dueMs !== undefined) wait(dueMs)
  }
  const wait = (dueMs: number): void => {
    const lookedMs = clock.now()
    cancel = clock.setTimer(Math.min(dueMs - lookedMs, lookMsMax), () => {
      const nowMs = clock.now()
      if (nowMs >= dueMs) run(dueMs)
      else if (nowMs < lookedMs - lookMsMax) arm(nowMs)
      else wait(dueMs)
    })
  }
  const run = (dueMs: number): void => {
    const jitterMs = Math.floor(random.next() * jitterMsMax)
    // The next tick is counted from this one's due time: a late timer must not run it twice.
    isDue = true
    cancel = clock.setTimer(jitterMs, () => {
      isDue = false
      tick()
      arm(Math.max(dueMs, clock.now() - jitterMs))
    })
  }
  arm(clock.now())
  return {
    async [Symbol.asyncDispose]() {
      cancel()
      if (isDue) {
        // Whoever goes on with the schedule takes this tick for past.
        isDue = false
        tick()
        const giveUp = clock.setTimer(lastSendMsMax, () => stopping.abort())
        await Promise.allSettled(sending)
        giveUp()
      }
      stopping.abort()
      await Promise.allSettled(sending)
    },
  }
}

/** The event of one tick. Overrides touch extensions only. */
export function pingEvent(spec: PingSpec, id: string, timeMs: number): CloudEvent {
  const data = spec.dataBase64 ? Buffer.from(spec.dataBase64, 'base64') : spec.data ? Buffer.from(spec.data) : undefined
  return cloudEvent(
    {
      specversion: '1.0',
      id,
      source: spec.source,
      type: pingEventType,
      datacontenttype: spec.contentType === '' ? undefined : spec.contentType,
      time: new Date(timeMs).toISOString(),
      ...Object.fromEntries(Object.entries(spec.extensions).map(([name, value]) => [name.toLowerCase(), value])),
    },
    data,
  )
}
