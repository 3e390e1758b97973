// What goes wrong with deliveries, told as Kubernetes Events on the Trigger or Subscription: `kubectl describe` shows it.
import type { EventRecorder } from '../engine/control-loop/events.ts'
import type { GiveUp, TroubleChange } from '../engine/delivery/telemetry.ts'
import type { Caches, DispatchSpec } from '../engine/reconciler.ts'
import type { Resource } from '../model/kubernetes/resource.ts'

const component = 'knode-delivery'

export interface DeliveryEvents {
  onGiveUp(notice: GiveUp): void
  onTrouble(change: TroubleChange): void
}

/** Equal Events are counted, and floods are cut, by the recorder. */
export function deliveryEvents(caches: Caches, recorder: EventRecorder): DeliveryEvents {
  const ownerOf = ({ kind, namespace, name }: DispatchSpec['owner']): Resource | undefined =>
    caches.get(kind, namespace, name)
  return {
    onGiveUp({ owner, deadLettered, reason, url }) {
      const object = ownerOf(owner)
      if (object === undefined) return
      const where = url === undefined ? '' : ` to ${url}`
      const message = `${deadLettered ? 'Event went to the dead letter sink' : 'Event was dropped'}: delivery${where} failed: ${reason}`
      recorder.record(object, {
        type: 'Warning',
        reason: deadLettered ? 'EventDeadLettered' : 'EventDropped',
        message,
        component,
      })
    },
    onTrouble({ owner, url, trouble }) {
      const object = ownerOf(owner)
      if (object === undefined) return
      const [type, reason, message] =
        trouble === undefined
          ? (['Normal', 'SubscriberAnswers', `${url} takes events again`] as const)
          : (['Warning', trouble.reason, `${trouble.message}; events wait`] as const)
      recorder.record(object, { type, reason, message, component })
    },
  }
}
