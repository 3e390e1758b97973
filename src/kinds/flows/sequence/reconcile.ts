// Makes a Sequence real: a channel and a Subscription for each step, chained by replies.
import { messageOf } from '../../../base/errors.ts'
import {
  applyOrReplace,
  createOnce,
  kindIdOf,
  readinessOf,
  referenceTo,
  removeSurplus,
  sameNamespace,
} from '../../../engine/children.ts'
import type { ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import { markEventPoliciesDisabled } from '../../../engine/security-conditions.ts'
import type { Destination } from '../../../model/duck/types.ts'
import { controllerRef } from '../../../model/kubernetes/resource.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { Channelable } from '../../messaging/channel/schema.ts'
import { subscriptionKind } from '../../messaging/subscription/schema.ts'
import type { Subscription } from '../../messaging/subscription/schema.ts'
import type { Sequence } from './schema.ts'

/** Source: knative/eventing pkg/reconciler/sequence/sequence.go. Names of children are not shortened, as upstream. */
export class SequenceReconciler implements Reconciler<Sequence> {
  readonly conditions = {
    dependents: ['ChannelsReady', 'SubscriptionsReady', 'Addressable', 'EventPoliciesReady'],
  }

  async reconcile(sequence: Sequence, context: ReconcileContext): Promise<void> {
    const steps = sequence.spec.steps ?? []
    const channels: Channelable[] = []
    for (const index of steps.keys()) channels.push(await this.#channel(sequence, index, context))
    const subscriptions: Subscription[] = []
    for (const index of steps.keys()) {
      subscriptions.push(await applyOrReplace(context, subscriptionOf(sequence, index, channels), 'channel'))
    }
    await removeSurplus(context, sequence, {
      kinds: [subscriptionKind, kindIdOf(sequence.spec.channelTemplate!)],
      pattern: new RegExp(`^${RegExp.escape(sequence.metadata.name)}-kn-sequence-(\\d+)$`),
      count: steps.length,
    })
    markChannels(sequence, channels, context)
    markSubscriptions(sequence, subscriptions, context)
    markEventPoliciesDisabled(context.conditions)
  }

  async #channel(sequence: Sequence, index: number, context: ReconcileContext): Promise<Channelable> {
    try {
      return await createOnce(context, channelOf(sequence, index))
    } catch (thrown) {
      const message = `failed to reconcile channel ${childNameAt(sequence, index)} at step ${index}: ${messageOf(thrown)}`
      context.conditions.markUnknown('ChannelsReady', 'ChannelsNotReady', message)
      throw thrown
    }
  }
}

const childNameAt = (sequence: Sequence, index: number): string => `${sequence.metadata.name}-kn-sequence-${index}`

function channelOf(sequence: Sequence, index: number): Channelable {
  const { apiVersion, kind, spec } = sequence.spec.channelTemplate!
  return { apiVersion, kind, metadata: childMetadata(sequence, index), spec: { ...spec } }
}

const childMetadata = (sequence: Sequence, index: number): Resource['metadata'] => ({
  name: childNameAt(sequence, index),
  ...sameNamespace(sequence),
  ownerReferences: [controllerRef(sequence)],
})

function subscriptionOf(sequence: Sequence, index: number, channels: Channelable[]): Subscription {
  const { delivery, ...subscriber } = sequence.spec.steps![index]!
  const next = channels[index + 1]
  const reply: Destination | undefined = next === undefined ? sequence.spec.reply : { ref: referenceTo(next) }
  const channel = channels[index]!
  return {
    apiVersion: 'messaging.knative.dev/v1',
    kind: 'Subscription',
    metadata: childMetadata(sequence, index),
    spec: {
      channel: { apiVersion: channel.apiVersion, kind: channel.kind, name: channel.metadata.name },
      subscriber,
      ...(reply === undefined ? {} : { reply }),
      ...(delivery === undefined ? {} : { delivery }),
    },
  }
}

function markChannels(sequence: Sequence, channels: Channelable[], { conditions }: ReconcileContext): void {
  const status = (sequence.status ??= {})
  status.channelStatuses = channels.map((channel) => ({ channel: referenceTo(channel), ready: readinessOf(channel) }))
  if (channels.length > 0 && status.channelStatuses.every(({ ready }) => ready.status === 'True')) {
    conditions.markTrue('ChannelsReady')
  } else {
    conditions.markUnknown('ChannelsReady', 'ChannelsNotReady', 'Channels are not ready yet, or there are none')
  }
  const url = channels[0]?.status?.address?.url
  if (url === undefined) {
    delete status.address
    return conditions.markUnknown('Addressable', 'emptyAddress', 'addressable is nil')
  }
  status.address = { url }
  conditions.markTrue('Addressable')
}

function markSubscriptions(sequence: Sequence, subscriptions: Subscription[], { conditions }: ReconcileContext): void {
  const status = (sequence.status ??= {})
  status.subscriptionStatuses = subscriptions.map((subscription) => ({
    subscription: referenceTo(subscription),
    ready: readinessOf(subscription),
  }))
  if (subscriptions.length > 0 && status.subscriptionStatuses.every(({ ready }) => ready.status === 'True')) {
    return conditions.markTrue('SubscriptionsReady')
  }
  conditions.markUnknown(
    'SubscriptionsReady',
    'SubscriptionsNotReady',
    'Subscriptions are not ready yet, or there are none',
  )
}
