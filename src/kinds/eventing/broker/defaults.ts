// What a Broker gets that it did not ask for. Source: knative/eventing pkg/apis/eventing/v1/broker_defaults.go.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { setReferenceNamespace } from '../../../model/duck/reference-namespace.ts'
import type { DeliverySpec } from '../../../model/duck/types.ts'
import { defaultBrokerClass, defaultBrokerConfig } from '../../../model/knative/broker-defaults.ts'
import { eventingSystemNamespace } from '../../../model/knative/feature-flags.ts'
import { brokerClassAnnotation } from './schema.ts'
import type { Broker } from './schema.ts'

export function setBrokerDefaults(draft: Broker, { config }: AdmissionContext<Broker>): void {
  const data = config.data(eventingSystemNamespace, 'config-br-defaults')
  const namespace = draft.metadata.namespace ?? ''
  draft.spec ??= {}
  // An explicit config is looked up by its *kind*, as upstream does: namespace defaults then never match.
  const lookup = draft.spec.config?.kind ?? draft.metadata.annotations?.[brokerClassAnnotation]
  const found = defaultBrokerConfig(data, namespace, lookup)
  if (found.config !== undefined) draft.spec.config ??= { ...found.config }
  if (found.delivery !== undefined) draft.spec.delivery ??= inheritedDelivery(found.delivery)
  if (draft.spec.config !== undefined && !hasText(draft.spec.config.namespace)) draft.spec.config.namespace = namespace
  setReferenceNamespace(draft.spec.delivery?.deadLetterSink, namespace)
  if (!hasText(draft.metadata.annotations?.[brokerClassAnnotation])) {
    const brokerClass = defaultBrokerClass(data, namespace)
    if (brokerClass !== undefined) {
      draft.metadata.annotations = { ...draft.metadata.annotations, [brokerClassAnnotation]: brokerClass }
    }
  }
}

/** Only these fields are handed down. */
function inheritedDelivery({ deadLetterSink, retry, backoffPolicy, backoffDelay }: DeliverySpec): DeliverySpec {
  return {
    ...(deadLetterSink === undefined ? {} : { deadLetterSink: structuredClone(deadLetterSink) }),
    ...(retry === undefined ? {} : { retry }),
    ...(backoffPolicy === undefined ? {} : { backoffPolicy }),
    ...(backoffDelay === undefined ? {} : { backoffDelay }),
  }
}

const hasText = (value: string | undefined): boolean => value !== undefined && value !== ''
