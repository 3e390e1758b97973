// Makes a Broker real: a stream to keep its events, an address to send them to.
import { messageOf } from '../../../base/errors.ts'
import { markDeadLetterSink } from '../../../engine/dead-letter-sink.ts'
import type { KindDeps, ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import { markEventPoliciesDisabled } from '../../../engine/security-conditions.ts'
import { brokerChannelTemplate } from '../../../model/knative/channel-template.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { brokerIngress, doorOf } from './ingress.ts'
import { brokerClass, brokerClassAnnotation, brokerStream } from './schema.ts'
import type { Broker } from './schema.ts'

interface ConfigMap extends Resource {
  data?: Record<string, string>
}

/** Source: knative/eventing pkg/reconciler/broker/broker.go, with a stream of ours where upstream has a channel. */
export class BrokerReconciler implements Reconciler<Broker> {
  readonly conditions = {
    dependents: ['TriggerChannelReady', 'FilterReady', 'IngressReady', 'Addressable', 'EventPoliciesReady'],
    info: ['DeadLetterSinkResolved'],
  }
  #deps: Pick<KindDeps, 'transport' | 'delivery' | 'addresses'>

  constructor(deps: KindDeps) {
    this.#deps = deps
    deps.endpoints.add(brokerIngress(deps))
  }

  async reconcile(broker: Broker, context: ReconcileContext): Promise<void> {
    const { conditions } = context
    const status = (broker.status ??= {})
    const problem = templateProblem(broker, context)
    if (problem !== undefined) {
      return conditions.markFalse(
        'TriggerChannelReady',
        'ChannelTemplateFailed',
        `Error on setting up the ChannelTemplate: ${problem}`,
      )
    }
    const door = doorOf(broker, await this.#deps.transport.ensureStream(brokerStream(broker)))
    // Reading which events were taken begins now, not with the first that comes.
    if (door.dedupMs !== undefined) this.#deps.delivery.brokerEndpoint(door)
    conditions.markTrue('TriggerChannelReady')
    conditions.markTrue('FilterReady')
    conditions.markTrue('IngressReady')
    const { namespace = '', name } = broker.metadata
    const sink = broker.spec.delivery?.deadLetterSink
    const deadLetter = markDeadLetterSink(status, conditions, {
      resolve: () => (sink === undefined ? undefined : context.resolve(sink, namespace)),
      failedReason: "Unable to get the dead letter sink's URI",
    })
    // The steps behind it wait, so that a Ready Broker stays as it is.
    if (!deadLetter.resolved) return
    status.address = { name: 'http', url: `${this.#deps.addresses.gatewayUrl}/${namespace}/${name}` }
    conditions.markTrue('Addressable')
    markEventPoliciesDisabled(conditions)
  }

  /** Brokers of other classes belong to other controllers. */
  isOurs(broker: Broker): boolean {
    return broker.metadata.annotations?.[brokerClassAnnotation] === brokerClass
  }

  async finalize(broker: Broker): Promise<void> {
    await this.#deps.transport.deleteStream(brokerStream(broker))
  }
}

function templateProblem(broker: Broker, context: ReconcileContext): string | undefined {
  const { kind, apiVersion, namespace = '', name = '' } = broker.spec.config ?? {}
  if (kind !== 'ConfigMap' || apiVersion !== 'v1') {
    return 'Broker.Spec.Config configuration not supported, only [kind: ConfigMap, apiVersion: v1]'
  }
  if (namespace === '' || name === '') return 'Broker.Spec.Config name and namespace are required'
  const configMap = context.get<ConfigMap>('ConfigMap', namespace, name)
  if (configMap === undefined) return `configmap "${name}" not found`
  if (Object.keys(configMap.data ?? {}).length === 0) return 'empty or missing value for config'
  try {
    return brokerChannelTemplate(configMap.data ?? {}) === undefined ? 'failed to find channelTemplate' : undefined
  } catch (thrown) {
    return `ConfigMap ${namespace}/${name}: ${messageOf(thrown)}`
  }
}
