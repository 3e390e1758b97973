// Makes a Channel real: the channel behind it, whose address and subscribers it shows as its own.
import { messageOf } from '../../../base/errors.ts'
import { mirrorCondition } from '../../../engine/mirror-condition.ts'
import type { ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import { markEventPoliciesDisabled } from '../../../engine/security-conditions.ts'
import { conditionOf } from '../../../model/duck/conditions.ts'
import { controllerRef, parseApiVersion } from '../../../model/kubernetes/resource.ts'
import type { Channel, Channelable, ChannelStatus } from './schema.ts'

/** Source: knative/eventing pkg/reconciler/channel/channel.go. */
export class ChannelReconciler implements Reconciler<Channel> {
  readonly conditions = {
    dependents: ['BackingChannelReady', 'Addressable', 'DeadLetterSinkResolved', 'EventPoliciesReady'],
  }

  async reconcile(channel: Channel, context: ReconcileContext): Promise<void> {
    const { conditions } = context
    const status = (channel.status ??= {})
    const template = channel.spec.channelTemplate
    if (template === undefined) return
    const { group } = parseApiVersion(template.apiVersion)
    const { name, namespace = '' } = channel.metadata
    const kind = group === '' ? template.kind : `${template.kind}.${group}`
    // The backing channel is created once and never updated.
    const backing = context.get<Channelable>(kind, namespace, name) ?? (await makeBacking(channel, context))
    const owner = backing.metadata.ownerReferences?.find(({ controller }) => controller === true)
    if (owner !== undefined && owner.uid !== channel.metadata.uid) {
      const message = `${template.kind} "${name}" exists and is not owned by this Channel`
      return conditions.markFalse('BackingChannelReady', 'ChannelFailure', message)
    }
    status.channel = { kind: template.kind, name, namespace, apiVersion: template.apiVersion }
    mirrorCondition(conditions, 'BackingChannelReady', conditionOf(backing, 'Ready'), {
      reason: 'BackingChannelNotConfigured',
      message: 'BackingChannel has not yet been reconciled.',
    })
    copyAddress(status, backing, context)
    copySubscribers(status, backing)
    copyDeadLetterSink(status, channel, backing, context)
    markEventPoliciesDisabled(conditions)
  }
}

/** @throws what the API says, e.g. of a kind of channel that there is not */
async function makeBacking(channel: Channel, context: ReconcileContext): Promise<Channelable> {
  try {
    return await context.apply(backingOf(channel))
  } catch (thrown) {
    context.conditions.markFalse('BackingChannelReady', 'ChannelFailure', messageOf(thrown))
    throw thrown
  }
}

function backingOf(channel: Channel): Channelable {
  const template = channel.spec.channelTemplate!
  const { name, namespace } = channel.metadata
  const delivery = channel.spec.delivery
  return {
    apiVersion: template.apiVersion,
    kind: template.kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), ownerReferences: [controllerRef(channel)] },
    spec: { ...template.spec, ...(delivery === undefined ? {} : { delivery }) },
  }
}

function copyAddress(status: ChannelStatus, backing: Channelable, { conditions }: ReconcileContext): void {
  const address = backing.status?.address
  if (address?.url === undefined) {
    delete status.address
    return conditions.markFalse('Addressable', 'EmptyHostname', 'hostname is the empty string')
  }
  status.address = address
  conditions.markTrue('Addressable')
}

function copySubscribers(status: ChannelStatus, backing: Channelable): void {
  if (backing.status?.subscribers === undefined) delete status.subscribers
  else status.subscribers = backing.status.subscribers
}

function copyDeadLetterSink(
  status: ChannelStatus,
  channel: Channel,
  backing: Channelable,
  { conditions }: ReconcileContext,
): void {
  delete status.deadLetterSinkUri
  if (channel.spec.delivery?.deadLetterSink === undefined) {
    return conditions.markTrue(
      'DeadLetterSinkResolved',
      'DeadLetterSinkNotConfigured',
      'No dead letter sink is configured.',
    )
  }
  const uri = backing.status?.deadLetterSinkUri
  if (uri === undefined) {
    const message = `Backing Channel ${backing.metadata.name} didn't set status.deadLetterSinkURI`
    return conditions.markFalse(
      'DeadLetterSinkResolved',
      "Unable to get the Backing Channel's DeadLetterSinkURI",
      message,
    )
  }
  status.deadLetterSinkUri = uri
  conditions.markTrue('DeadLetterSinkResolved')
}
