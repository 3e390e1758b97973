// Makes a Subscription real: an entry in its channel's `spec.subscribers`, once everything is resolved.
import { isDeepStrictEqual } from 'node:util'
import { messageOf } from '../../../base/errors.ts'
import type { KindDeps, ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import { markIdentityDisabled } from '../../../engine/security-conditions.ts'
import { conditionOf } from '../../../model/duck/conditions.ts'
import type { Addressable, DeliverySpec, Destination, KReference, SubscriberSpec } from '../../../model/duck/types.ts'
import { parseApiVersion } from '../../../model/kubernetes/resource.ts'
import type { Channel, Channelable } from '../channel/schema.ts'
import { channelKind } from '../channel/schema.ts'
import type { PhysicalSubscription, Subscription } from './schema.ts'

/** Source: knative/eventing pkg/reconciler/subscription/subscription.go. */
export class SubscriptionReconciler implements Reconciler<Subscription> {
  readonly conditions = {
    dependents: ['ReferencesResolved', 'AddedToChannel', 'ChannelReady', 'OIDCIdentityCreated'],
  }
  #client: KindDeps['client']

  constructor({ client }: KindDeps) {
    this.#client = client
  }

  async reconcile(subscription: Subscription, context: ReconcileContext): Promise<void> {
    const { conditions } = context
    const status = (subscription.status ??= {})
    markIdentityDisabled(conditions)
    const physical = (status.physicalSubscription ??= {})
    const channel = findChannel(subscription, context)
    if (typeof channel === 'string') {
      return conditions.markUnknown('ReferencesResolved', 'ChannelReferenceFailed', channel)
    }
    const { spec } = subscription
    const namespace = subscription.metadata.namespace ?? ''
    const steps = [
      { name: 'subscriber', reason: 'SubscriberResolveFailed', wanted: spec.subscriber },
      { name: 'reply', reason: 'ReplyResolveFailed', wanted: spec.reply },
    ] as const
    for (const { name, reason, wanted } of steps) {
      setAddress(physical, name, undefined)
      if (isEmpty(wanted)) continue
      try {
        setAddress(physical, name, context.resolve(wanted!, namespace))
      } catch (thrown) {
        context.event('Warning', reason, `Failed to resolve spec.${name}: ${messageOf(thrown)}`)
        return conditions.markFalse(
          'ReferencesResolved',
          reason,
          `Failed to resolve spec.${name}: ${messageOf(thrown)}`,
        )
      }
    }
    try {
      setAddress(physical, 'deadLetterSink', deadLetterAddress(subscription, channel, context))
    } catch (thrown) {
      const message = `Failed to resolve spec.delivery.deadLetterSink: ${messageOf(thrown)}`
      return conditions.markFalse('ReferencesResolved', 'DeadLetterSinkResolveFailed', message)
    }
    conditions.markTrue('ReferencesResolved')
    await this.#sync(subscription, channel, context)
    markChannelReady(subscription, channel, context)
  }

  async finalize(subscription: Subscription, context: ReconcileContext): Promise<void> {
    const channel = findChannel(subscription, context, { ready: false })
    if (typeof channel === 'string') return
    const { uid } = subscription.metadata
    const before = channel.spec.subscribers ?? []
    const after = before.filter((entry) => entry.uid !== uid)
    if (after.length === before.length) return
    await this.#write(channel, after)
    context.event('Normal', 'SubscriberRemoved', `Subscription was removed from channel "${channel.metadata.name}"`)
  }

  /** Brings our entry in the channel's list in line; the others stay as they are. */
  async #sync(subscription: Subscription, channel: Channelable, context: ReconcileContext): Promise<void> {
    const entry = subscriberOf(subscription, channel)
    const before = channel.spec.subscribers ?? []
    const at = before.findIndex(({ uid }) => uid === entry.uid)
    if (at >= 0 && isDeepStrictEqual(before[at], entry)) return context.conditions.markTrue('AddedToChannel')
    try {
      await this.#write(channel, at < 0 ? [...before, entry] : before.with(at, entry))
    } catch (thrown) {
      context.conditions.markFalse(
        'AddedToChannel',
        'PhysicalChannelSyncFailed',
        `Failed to sync physical Channel: ${messageOf(thrown)}`,
      )
      throw thrown
    }
    context.conditions.markTrue('AddedToChannel')
    context.event('Normal', 'SubscriberSync', `Subscription was synchronized to channel "${channel.metadata.name}"`)
  }

  /** Expects the revision that was read: two Subscriptions at once must not overwrite each other's entry. */
  async #write(channel: Channelable, subscribers: SubscriberSpec[]): Promise<void> {
    await this.#client.update({ ...channel, spec: { ...channel.spec, subscribers } })
  }
}

/** The channel to subscribe to: for kind Channel the one behind it. A string says why there is none yet. */
function findChannel(
  { spec, metadata }: Subscription,
  context: ReconcileContext,
  { ready = true } = {},
): Channelable | string {
  const reference = spec.channel!
  const namespace = reference.namespace ?? metadata.namespace ?? ''
  const failed = 'Failed to get Spec.Channel or backing channel: '
  const named = read(reference, namespace, context)
  if (named === undefined) return `${failed}${reference.kind.toLowerCase()}s "${reference.name}" not found`
  if (idOf(reference) !== channelKind) return named
  const { status }: Channel = named
  if (ready && conditionOf(named, 'Ready')?.status !== 'True') return `${failed}channel is not ready.`
  if (status?.channel === undefined) return `${failed}channel is not ready.`
  return read(status.channel, namespace, context) ?? `${failed}backing channel "${status.channel.name}" not found`
}

const read = (reference: KReference, namespace: string, context: ReconcileContext): Channelable | undefined =>
  context.get<Channelable>(idOf(reference), namespace, reference.name)

function idOf({ apiVersion = '', kind, group }: KReference): string {
  const at = group ?? parseApiVersion(apiVersion).group
  return at === '' ? kind : `${kind}.${at}`
}

type Address = Pick<Addressable, 'CACerts'> & { url: string }

function setAddress(
  physical: PhysicalSubscription,
  name: 'subscriber' | 'reply' | 'deadLetterSink',
  address: Address | undefined,
): void {
  delete physical[`${name}Uri`]
  delete physical[`${name}CACerts`]
  if (address === undefined) return
  physical[`${name}Uri`] = address.url
  if (address.CACerts !== undefined) physical[`${name}CACerts`] = address.CACerts
}

/** Own sink, else the one the channel resolved. */
function deadLetterAddress(
  subscription: Subscription,
  channel: Channelable,
  context: ReconcileContext,
): Address | undefined {
  const own = subscription.spec.delivery?.deadLetterSink
  if (!isEmpty(own)) return context.resolve(own!, subscription.metadata.namespace ?? '')
  const { deadLetterSinkUri: url, deadLetterSinkCACerts: CACerts } = channel.status ?? {}
  return url === undefined ? undefined : { url, ...(CACerts !== undefined && { CACerts }) }
}

/** What the channel is told: all of it but the dead letter sink comes from the channel when we say nothing. */
function subscriberOf({ metadata, spec, status }: Subscription, channel: Channelable): SubscriberSpec {
  const physical = status?.physicalSubscription ?? {}
  const { subscriberUri, subscriberCACerts, replyUri, replyCACerts } = physical
  const { deadLetterSinkUri: uri, deadLetterSinkCACerts: CACerts } = physical
  const source = isEmpty(spec.delivery) ? (channel.spec.delivery ?? {}) : spec.delivery!
  const { deadLetterSink: _, format: __, ...rest } = source
  const delivery: DeliverySpec = {
    ...rest,
    ...(uri === undefined ? {} : { deadLetterSink: { uri, ...(CACerts !== undefined && { CACerts }) } }),
  }
  return {
    uid: metadata.uid ?? '',
    name: metadata.name,
    ...(metadata.generation === undefined ? {} : { generation: metadata.generation }),
    ...(subscriberUri === undefined ? {} : { subscriberUri }),
    ...(subscriberCACerts === undefined ? {} : { subscriberCACerts }),
    ...(replyUri === undefined ? {} : { replyUri }),
    ...(replyCACerts === undefined ? {} : { replyCACerts }),
    ...(Object.keys(delivery).length === 0 ? {} : { delivery }),
  }
}

function markChannelReady({ metadata }: Subscription, channel: Channelable, { conditions }: ReconcileContext): void {
  const reason = 'SubscriptionNotMarkedReadyByChannel'
  const state = channel.status?.subscribers?.find(({ uid }) => uid === metadata.uid)
  if (state === undefined || state.observedGeneration !== metadata.generation) {
    const message = `Failed to get subscription status: subscription "${metadata.name}" not present in channel "${channel.metadata.name}" subscriber's list`
    return conditions.markUnknown('ChannelReady', reason, message)
  }
  if (state.ready === 'True') return conditions.markTrue('ChannelReady')
  if (state.ready === 'False')
    return conditions.markFalse('ChannelReady', reason, 'Subscription marked by Channel as False')
  conditions.markUnknown('ChannelReady', reason, 'Subscription marked by Channel as Unknown')
}

const isEmpty = (value: Destination | DeliverySpec | undefined): boolean =>
  value === undefined || value === null || Object.keys(value).length === 0
