// Makes a Parallel real: one channel in front, and for each branch a filter's Subscription, a channel, a Subscription.
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
import { conditionOf } from '../../../model/duck/conditions.ts'
import type { Condition, Destination } from '../../../model/duck/types.ts'
import { controllerRef } from '../../../model/kubernetes/resource.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { Channelable } from '../../messaging/channel/schema.ts'
import { subscriptionKind } from '../../messaging/subscription/schema.ts'
import type { Subscription } from '../../messaging/subscription/schema.ts'
import type { ChannelState } from '../sequence/schema.ts'
import type { Parallel } from './schema.ts'

/** Source: knative/eventing pkg/reconciler/parallel/parallel.go. Names of children are not shortened, as upstream. */
export class ParallelReconciler implements Reconciler<Parallel> {
  readonly conditions = {
    dependents: ['ChannelsReady', 'SubscriptionsReady', 'Addressable', 'EventPoliciesReady'],
  }

  async reconcile(parallel: Parallel, context: ReconcileContext): Promise<void> {
    const branches = parallel.spec.branches ?? []
    const ingress = await this.#channel(parallel, '', context)
    const channels: Channelable[] = []
    for (const index of branches.keys()) channels.push(await this.#channel(parallel, `-${index}`, context))
    const states: { filter: Subscription; subscriber: Subscription }[] = []
    for (const [index, channel] of channels.entries()) {
      states.push({
        filter: await applyOrReplace(context, filterSubscription(parallel, index, ingress, channel), 'channel'),
        subscriber: await applyOrReplace(context, subscriberSubscription(parallel, index, channel), 'channel'),
      })
    }
    await removeSurplus(context, parallel, {
      kinds: [subscriptionKind, kindIdOf(parallel.spec.channelTemplate!)],
      pattern: new RegExp(`^${RegExp.escape(parallel.metadata.name)}-kn-parallel(?:-filter)?-(\\d+)$`),
      count: branches.length,
    })
    mark(parallel, ingress, channels, states, context)
    markEventPoliciesDisabled(context.conditions)
  }

  /** Upstream tells a failure in an Event only; here the condition says it, too, as that of a Sequence does. */
  async #channel(parallel: Parallel, suffix: string, context: ReconcileContext): Promise<Channelable> {
    const child = channelOf(parallel, suffix)
    try {
      return await createOnce(context, child)
    } catch (thrown) {
      const message = `failed to reconcile channel ${child.metadata.name}: ${messageOf(thrown)}`
      context.conditions.markFalse('ChannelsReady', 'ChannelsNotReady', message)
      throw thrown
    }
  }
}

const childMetadata = (parallel: Parallel, suffix: string): Resource['metadata'] => ({
  name: `${parallel.metadata.name}-kn-parallel${suffix}`,
  ...sameNamespace(parallel),
  ownerReferences: [controllerRef(parallel)],
})

function channelOf(parallel: Parallel, suffix: string): Channelable {
  const { apiVersion, kind, spec } = parallel.spec.channelTemplate!
  return { apiVersion, kind, metadata: childMetadata(parallel, suffix), spec: { ...spec } }
}

/** Front channel → filter → branch channel; a branch without a filter is fed directly. */
function filterSubscription(
  parallel: Parallel,
  index: number,
  ingress: Channelable,
  branch: Channelable,
): Subscription {
  const { filter } = parallel.spec.branches![index]!
  const toBranch: Destination = { ref: referenceTo(branch) }
  const hasFilter = filter !== undefined && Object.keys(filter).length > 0
  return subscription(parallel, `-filter-${index}`, ingress, {
    subscriber: hasFilter ? filter : toBranch,
    ...(hasFilter ? { reply: toBranch } : {}),
  })
}

/** Branch channel → subscriber → the branch's reply, else the Parallel's. */
function subscriberSubscription(parallel: Parallel, index: number, branch: Channelable): Subscription {
  const { subscriber, reply, delivery } = parallel.spec.branches![index]!
  const answer = reply !== undefined && Object.keys(reply).length > 0 ? reply : parallel.spec.reply
  return subscription(parallel, `-${index}`, branch, {
    ...(subscriber === undefined ? {} : { subscriber }),
    ...(answer === undefined ? {} : { reply: answer }),
    ...(delivery === undefined ? {} : { delivery }),
  })
}

function subscription(
  parallel: Parallel,
  suffix: string,
  channel: Channelable,
  spec: Omit<Subscription['spec'], 'channel'>,
): Subscription {
  return {
    apiVersion: 'messaging.knative.dev/v1',
    kind: 'Subscription',
    metadata: childMetadata(parallel, suffix),
    spec: { channel: { apiVersion: channel.apiVersion, kind: channel.kind, name: channel.metadata.name }, ...spec },
  }
}

function mark(
  parallel: Parallel,
  ingress: Channelable,
  channels: Channelable[],
  subscriptions: { filter: Subscription; subscriber: Subscription }[],
  { conditions }: ReconcileContext,
): void {
  const status = (parallel.status ??= {})
  status.ingressChannelStatus = channelState(ingress)
  status.branchStatuses = subscriptions.map(({ filter, subscriber }, index) => ({
    filterSubscriptionStatus: { subscription: referenceTo(filter), ready: readinessOf(filter) },
    filterChannelStatus: channelState(channels[index]!),
    subscriberSubscriptionStatus: { subscription: referenceTo(subscriber), ready: readinessOf(subscriber) },
  }))
  const channelsReady = [ingress, ...channels].every((channel) => channelState(channel).ready.status === 'True')
  if (channelsReady) conditions.markTrue('ChannelsReady')
  else conditions.markFalse('ChannelsReady', 'ChannelsNotReady', 'Channels are not ready yet, or there are none')
  const subscribed = subscriptions.flatMap(({ filter, subscriber }) => [readinessOf(filter), readinessOf(subscriber)])
  if (subscribed.length > 0 && subscribed.every((ready) => ready.status === 'True')) {
    conditions.markTrue('SubscriptionsReady')
  } else {
    conditions.markFalse(
      'SubscriptionsReady',
      'SubscriptionsNotReady',
      'Subscriptions are not ready yet, or there are none',
    )
  }
  const url = ingress.status?.address?.url
  if (url === undefined) {
    delete status.address
    return conditions.markFalse('Addressable', 'emptyAddress', 'addressable is nil')
  }
  status.address = { url }
  conditions.markTrue('Addressable')
}

/** A channel counts as ready once it has an address. */
function channelState(channel: Channelable): ChannelState {
  const ready: Condition =
    channel.status?.address?.url === undefined
      ? { type: 'Ready', status: 'False', reason: 'NotAddressable', message: 'Channel is not addressable' }
      : (conditionOf(channel, 'Ready') ?? { type: 'Ready', status: 'True' })
  return { channel: referenceTo(channel), ready }
}
