// Makes an InMemoryChannel real: its Service, its stream, its address, and a dispatch for each subscriber.
import { messageOf } from '../../../base/errors.ts'
import { markDeadLetterSink } from '../../../engine/dead-letter-sink.ts'
import type { DispatchSpec, KindDeps, ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import { markEventPoliciesDisabled } from '../../../engine/security-conditions.ts'
import type { Addressable, DeliverySpec, SubscriberSpec, SubscriberStatus } from '../../../model/duck/types.ts'
import { eventingSystemNamespace } from '../../../model/knative/feature-flags.ts'
import { childName } from '../../../model/kubernetes/child-name.ts'
import { controllerRef } from '../../../model/kubernetes/resource.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { EventStream } from '../../../ports/event-transport/port.ts'
import { channelIngress } from './ingress.ts'
import { inMemoryChannelStream } from './schema.ts'
import type { InMemoryChannel } from './schema.ts'

/** Source: knative/eventing pkg/reconciler/inmemorychannel (controller and dispatcher in one). */
export class InMemoryChannelReconciler implements Reconciler<InMemoryChannel> {
  readonly conditions = {
    dependents: [
      'ServiceReady',
      'EndpointsReady',
      'ChannelServiceReady',
      'Addressable',
      'DeadLetterSinkResolved',
      'EventPoliciesReady',
    ],
    info: ['DispatcherReady'],
  }
  #deps: Pick<KindDeps, 'transport' | 'delivery' | 'addresses'>

  constructor(deps: KindDeps) {
    this.#deps = deps
    deps.endpoints.add(channelIngress(deps))
  }

  async reconcile(channel: InMemoryChannel, context: ReconcileContext): Promise<void> {
    const { conditions } = context
    const status = (channel.status ??= {})
    // One process is dispatcher, service and endpoint alike.
    for (const type of ['DispatcherReady', 'ServiceReady', 'EndpointsReady']) conditions.markTrue(type)
    try {
      await context.apply(channelService(channel))
    } catch (thrown) {
      // A name with dots, for one, is none for a Service.
      const message = `Channel Service failed: ${messageOf(thrown)}`
      conditions.markFalse('ChannelServiceReady', 'ChannelServiceFailed', message)
      throw thrown
    }
    conditions.markTrue('ChannelServiceReady')
    const stream = await this.#deps.transport.ensureStream(inMemoryChannelStream(channel))
    const { name, namespace = '' } = channel.metadata
    status.address = { name: 'http', url: `${this.#deps.addresses.gatewayUrl}/channels/${namespace}/${name}` }
    conditions.markTrue('Addressable')
    const sink = channel.spec.delivery?.deadLetterSink
    const deadLetter = markDeadLetterSink(status, conditions, {
      resolve: () => (sink === undefined ? undefined : context.resolve(sink, namespace)),
      failedReason: "Unable to get the DeadLetterSink's URI",
    })
    if (!deadLetter.resolved) return
    markEventPoliciesDisabled(conditions)
    await this.#dispatch(channel, stream, context)
  }

  async finalize(channel: InMemoryChannel): Promise<void> {
    await this.#deps.transport.deleteStream(inMemoryChannelStream(channel))
  }

  async #dispatch(channel: InMemoryChannel, stream: EventStream, { workers }: ReconcileContext): Promise<void> {
    const subscribers = channel.spec.subscribers ?? []
    const wanted = new Set(subscribers.map(({ uid }) => uid))
    for (const consumer of stream.info().consumers) {
      if (wanted.has(consumer.name)) continue
      await workers.stop(consumer.name)
      await this.#deps.delivery.forget(stream.name, consumer.name)
    }
    const states: SubscriberStatus[] = []
    for (const subscriber of subscribers) {
      const state: SubscriberStatus = { uid: subscriber.uid, ready: 'True' }
      if (subscriber.generation !== undefined) state.observedGeneration = subscriber.generation
      try {
        const spec = dispatchSpec(channel, subscriber, stream.name)
        await workers.ensure(subscriber.uid, spec, (given) => this.#deps.delivery.dispatch(given))
      } catch (thrown) {
        state.ready = 'False'
        state.message = messageOf(thrown)
      }
      states.push(state)
    }
    if (states.length === 0) delete channel.status!.subscribers
    else channel.status!.subscribers = states
  }
}

function dispatchSpec(channel: InMemoryChannel, subscriber: SubscriberSpec, stream: string): DispatchSpec {
  const { namespace = '' } = channel.metadata
  const { subscriberUri, subscriberCACerts, replyUri, replyCACerts } = subscriber
  const { uri: deadLetterUri, CACerts: deadLetterCACerts } = subscriber.delivery?.deadLetterSink ?? {}
  return {
    owner: {
      kind: 'Subscription.messaging.knative.dev',
      namespace,
      name: subscriber.name ?? subscriber.uid,
      uid: subscriber.uid,
    },
    stream,
    consumer: subscriber.uid,
    contract: 'subscription',
    ...(subscriberUri === undefined ? {} : { subscriber: address(subscriberUri, subscriberCACerts) }),
    ...(replyUri === undefined ? {} : { reply: address(replyUri, replyCACerts) }),
    ...(deadLetterUri === undefined ? {} : { deadLetter: address(deadLetterUri, deadLetterCACerts) }),
    ...(subscriber.delivery === undefined ? {} : { delivery: withoutSink(subscriber.delivery) }),
  }
}

const address = (url: string, CACerts: string | undefined): Addressable & { url: string } =>
  CACerts === undefined ? { url } : { url, CACerts }

function withoutSink({ deadLetterSink: _sink, ...rest }: DeliverySpec): DeliverySpec {
  return rest
}

function channelService(channel: InMemoryChannel): Resource {
  const { name, namespace } = channel.metadata
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: childName(name, '-kn-channel'),
      ...(namespace === undefined ? {} : { namespace }),
      labels: { 'messaging.knative.dev/role': 'in-memory-channel' },
      ownerReferences: [controllerRef(channel)],
    },
    spec: {
      type: 'ExternalName',
      externalName: `imc-dispatcher.${eventingSystemNamespace}.svc.cluster.local`,
      ports: [{ name: 'http', port: 80 }],
    },
  }
}
