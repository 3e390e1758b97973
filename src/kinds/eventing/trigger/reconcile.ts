// Makes a Trigger real: resolves its subscriber and delivers the Broker's stream to it.
import { messageOf } from '../../../base/errors.ts'
import { markDeadLetterSink } from '../../../engine/dead-letter-sink.ts'
import { mirrorCondition } from '../../../engine/mirror-condition.ts'
import type { DispatchSpec, KindDeps, ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import { markIdentityDisabled } from '../../../engine/security-conditions.ts'
import { conditionOf } from '../../../model/duck/conditions.ts'
import type { Addressable } from '../../../model/duck/types.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { parseApiVersion } from '../../../model/kubernetes/resource.ts'
import { brokerClass, brokerClassAnnotation, brokerKind, brokerStream } from '../broker/schema.ts'
import type { Broker } from '../broker/schema.ts'
import { triggerKind } from './schema.ts'
import type { Trigger } from './schema.ts'

type Address = Addressable & { url: string }

/** Ours: whether the subscriber takes events, or they wait for it. */
const answering = 'SubscriberAnswering'

/** Source: knative/eventing pkg/reconciler/broker/trigger/trigger.go, with a consumer where upstream has a Subscription. */
export class TriggerReconciler implements Reconciler<Trigger> {
  readonly conditions = {
    dependents: [
      'BrokerReady',
      'SubscriptionReady',
      'SubscriberResolved',
      'DeadLetterSinkResolved',
      'DependencyReady',
      'OIDCIdentityCreated',
    ],
    info: [answering],
  }
  #delivery: KindDeps['delivery']

  constructor({ delivery }: KindDeps) {
    this.#delivery = delivery
  }

  async reconcile(trigger: Trigger, context: ReconcileContext): Promise<void> {
    const { conditions, workers } = context
    const status = (trigger.status ??= {})
    const { namespace = '' } = trigger.metadata
    const { name, broker } = brokerOf(trigger, context)
    if (broker === undefined) {
      await workers.stopAll()
      if (conditions.status(answering) !== undefined) {
        conditions.markUnknown(answering, 'NotDelivering', 'There is no Broker to deliver from.')
      }
      return conditions.markFalse('BrokerReady', 'BrokerDoesNotExist', `Broker "${name}" does not exist`)
    }
    if (broker.metadata.annotations?.[brokerClassAnnotation] !== brokerClass) return
    mirrorCondition(conditions, 'BrokerReady', conditionOf(broker, 'Ready'), {
      reason: 'BrokerNotConfigured',
      message: 'Broker has not yet been reconciled.',
    })
    if (conditions.status('BrokerReady') !== 'True') return

    const subscriber = resolveSubscriber(trigger, context)
    const sink = trigger.spec.delivery?.deadLetterSink
    // The one field of `delivery` that falls back to the Broker's alone.
    const deadLetter = markDeadLetterSink(status, conditions, {
      resolve: () => (sink === undefined ? resolvedSinkOf(broker) : context.resolve(sink, namespace)),
      failedReason: "Unable to get the dead letter sink's URI",
    })
    markIdentityDisabled(conditions)
    const deliverable = subscriber !== undefined && deadLetter.resolved
    // Upstream's steps stop at the first failure, so the Subscription keeps what it had.
    if (!deliverable) return
    const spec: DispatchSpec = {
      owner: { kind: triggerKind, namespace, name: trigger.metadata.name, uid: trigger.metadata.uid ?? '' },
      stream: brokerStream(broker),
      consumer: trigger.metadata.uid ?? '',
      contract: 'trigger',
      ...(trigger.spec.filter === undefined ? {} : { filter: trigger.spec.filter }),
      ...(trigger.spec.filters === undefined ? {} : { filters: trigger.spec.filters }),
      annotations: ownAnnotations(trigger),
      subscriber,
      ...(broker.status?.address?.url === undefined ? {} : { reply: { url: broker.status.address.url } }),
      ...(deadLetter.address === undefined ? {} : { deadLetter: deadLetter.address }),
      ...withDelivery(trigger.spec.delivery ?? broker.spec.delivery),
    }
    try {
      await workers.ensure('dispatch', spec, (wanted) => this.#dispatch(wanted, context))
      conditions.markTrue('SubscriptionReady')
      this.#markAnswering(spec, context)
    } catch (thrown) {
      conditions.markFalse('SubscriptionReady', 'NotSubscribed', messageOf(thrown))
      throw thrown
    }
    status.subscriberUri = subscriber.url
    markDependency(trigger, context)
  }

  /** Delivers, and looks at the Trigger again when its subscriber begins or ceases to take events. */
  async #dispatch(spec: DispatchSpec, context: ReconcileContext): Promise<AsyncDisposable> {
    await using starting = new AsyncDisposableStack()
    starting.use(this.#delivery.onTrouble(spec.consumer, () => context.requeue()))
    starting.use(await this.#delivery.dispatch(spec))
    return starting.move()
  }

  #markAnswering({ consumer }: DispatchSpec, { conditions }: ReconcileContext): void {
    const trouble = this.#delivery.trouble(consumer)
    if (trouble === undefined) conditions.markTrue(answering)
    else conditions.markFalse(answering, trouble.reason, trouble.message)
  }

  async finalize(trigger: Trigger, context: ReconcileContext): Promise<void> {
    const { broker } = brokerOf(trigger, context)
    if (broker !== undefined) await this.#delivery.forget(brokerStream(broker), trigger.metadata.uid ?? '')
  }
}

/** The Broker that the Trigger names, if it is there. */
function brokerOf(
  { spec, metadata }: Trigger,
  context: Pick<ReconcileContext, 'get'>,
): { name: string; broker: Broker | undefined } {
  const name = spec.brokerRef?.name ?? spec.broker ?? ''
  const namespace = spec.brokerRef?.namespace ?? metadata.namespace ?? ''
  return { name, broker: context.get<Broker>(brokerKind, namespace, name) }
}

function resolveSubscriber(trigger: Trigger, context: ReconcileContext): Address | undefined {
  const status = trigger.status!
  delete status.subscriberUri
  delete status.subscriberCACerts
  delete status.subscriberAudience
  try {
    const address = context.resolve(trigger.spec.subscriber ?? {}, trigger.metadata.namespace ?? '')
    status.subscriberUri = address.url
    if (address.CACerts !== undefined) status.subscriberCACerts = address.CACerts
    if (address.audience !== undefined) status.subscriberAudience = address.audience
    context.conditions.markTrue('SubscriberResolved')
    return address
  } catch (thrown) {
    context.conditions.markFalse('SubscriberResolved', "Unable to get the Subscriber's URI", messageOf(thrown))
    return undefined
  }
}

function resolvedSinkOf({ metadata, spec, status }: Broker): Address | undefined {
  if (spec.delivery?.deadLetterSink === undefined) return undefined
  const url = status?.deadLetterSinkUri
  if (url === undefined) throw new Error(`Broker ${metadata.name} didn't set status.deadLetterSinkURI`)
  const { deadLetterSinkCACerts: CACerts, deadLetterSinkAudience: audience } = status!
  return { url, ...(CACerts === undefined ? {} : { CACerts }), ...(audience === undefined ? {} : { audience }) }
}

function markDependency(trigger: Trigger, context: ReconcileContext): void {
  const { conditions } = context
  const annotation = trigger.metadata.annotations?.['knative.dev/dependency']
  if (annotation === undefined) return conditions.markTrue('DependencyReady')
  let reference: { apiVersion?: string; kind?: string; name?: string }
  try {
    reference = (JSON.parse(annotation) ?? {}) as typeof reference
  } catch (thrown) {
    const message = `Unable to unmarshal objectReference from dependency annotation of trigger: ${messageOf(thrown)}`
    return conditions.markFalse('DependencyReady', 'ReferenceError', message)
  }
  const { group } = parseApiVersion(reference.apiVersion ?? '')
  const id = group === '' ? (reference.kind ?? '') : `${reference.kind}.${group}`
  const source = context.get<Resource & { status?: { observedGeneration?: number } }>(
    id,
    trigger.metadata.namespace ?? '',
    reference.name ?? '',
  )
  if (source === undefined) {
    return conditions.markFalse(
      'DependencyReady',
      'DependencyDoesNotExist',
      `Dependency does not exist: ${reference.kind} "${reference.name}" not found`,
    )
  }
  if (source.metadata.generation !== source.status?.observedGeneration) {
    const message = `The dependency's metadata.generation, ${source.metadata.generation}, is not equal to its status.observedGeneration, ${source.status?.observedGeneration}.`
    return conditions.markUnknown('DependencyReady', 'GenerationNotEqual', message)
  }
  mirrorCondition(conditions, 'DependencyReady', conditionOf(source, 'Ready'), {
    reason: 'DependencyNotConfigured',
    message: 'Dependency has not yet been reconciled.',
  })
}

const withDelivery = (delivery: Trigger['spec']['delivery']): Pick<DispatchSpec, 'delivery'> =>
  delivery === undefined ? {} : { delivery }

/** Only our own annotations matter to delivery; others may change without a restart of the worker. */
function ownAnnotations({ metadata }: Trigger): Record<string, string> {
  const entries = Object.entries(metadata.annotations ?? {})
  return Object.fromEntries(entries.filter(([name]) => name.startsWith('knode.dev/')))
}
