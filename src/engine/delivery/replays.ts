// The replays that are going on: at most one per consumer.
import { KnodeError } from '../../base/errors.ts'
import { withAttributes } from '../../model/cloudevents/event.ts'
import { namespacedName } from '../../model/kubernetes/resource.ts'
import type { DispatchSpec } from '../reconciler.ts'
import { deliveryControls } from './annotations.ts'
import { Dispatcher } from './dispatcher.ts'
import type { DispatcherDeps } from './dispatcher.ts'
import { Replay, replayAttribute } from './replay.ts'
import type { ReplayOptions } from './replay.ts'
import { ReplaySource } from './replay-source.ts'
import type { StreamHub } from './stream-hub.ts'
import { DispatchTelemetry } from './telemetry.ts'
import type { TelemetryDeps, TroubleChange } from './telemetry.ts'

type ReplaysDeps = TelemetryDeps & Omit<DispatcherDeps, 'stream' | 'telemetry'>

export class Replays {
  #deps: ReplaysDeps
  #going = new Map<string, Replay>()

  constructor(deps: ReplaysDeps) {
    this.#deps = deps
  }

  /** @throws {KnodeError} CONFLICT when the consumer is paused or has a replay */
  start(spec: DispatchSpec, hub: StreamHub, options: ReplayOptions): Replay {
    const name = `${spec.owner.kind.split('.')[0]} "${namespacedName(spec.owner)}"`
    const other = this.#going.get(spec.consumer)
    if (other !== undefined) {
      const hint = 'wait until it is over, or end it where it was started'
      throw new KnodeError('CONFLICT', `${name} has a replay already: ${other.id}`, { hint, retryable: true })
    }
    if (deliveryControls(spec.annotations).paused) {
      const hint = 'replay again without the annotation knode.dev/paused'
      throw new KnodeError('CONFLICT', `${name} is paused`, { hint })
    }
    const replay = this.#make(spec, hub, options)
    this.#going.set(spec.consumer, replay)
    void replay.run().then(() => this.#going.delete(spec.consumer))
    return replay
  }

  /** Stops the consumer's replay, if there is one, and resolves when it has ended. */
  async stop(consumer: string, reason: string): Promise<void> {
    const replay = this.#going.get(consumer)
    replay?.stop(reason)
    await replay?.run()
  }

  #make(spec: DispatchSpec, hub: StreamHub, options: ReplayOptions): Replay {
    const { id, from, untilMs = Infinity, limit = Infinity } = options
    const { clock, limits } = this.#deps
    const source = new ReplaySource({
      stream: hub.stream,
      from,
      untilMs,
      limit,
      wants: ({ message }) => hub.wants(message, spec.consumer),
      marked({ message: { event, headers }, ...stored }) {
        return { ...stored, message: { event: withAttributes(event, { [replayAttribute]: id }), headers } }
      },
      retryingMax: limits.waitingMax,
      unsettledMax: limits.unsettledMax,
      clock,
    })
    // Live delivery tells of one that is dead or fails. One that wants no events ends the replay: it would wait for ever.
    const onTrouble = ({ trouble }: TroubleChange): void => {
      if (trouble?.reason === 'SubscriberDoesNotConsent' || trouble?.reason === 'SubscriberGone')
        replay.stop(trouble.message)
    }
    const telemetry = new DispatchTelemetry(spec, { ...this.#deps, onTrouble, countsAs: 'replay' })
    const dispatcher = new Dispatcher(replayed(spec, options), { ...this.#deps, stream: source, telemetry })
    const replay = new Replay(id, { source, dispatcher, telemetry })
    return replay
  }
}

/** Replayed events are old by nature, so they do not expire; the slower of two rates is kept. */
function replayed(spec: DispatchSpec, { ratePerSecond }: ReplayOptions): DispatchSpec {
  const { 'knode.dev/expire-after': _, ...annotations } = spec.annotations ?? {}
  const { ratePerSecond: own = Infinity } = deliveryControls(annotations)
  if (ratePerSecond !== undefined && ratePerSecond < own) annotations['knode.dev/rate'] = `${ratePerSecond}/s`
  return { ...spec, annotations }
}
