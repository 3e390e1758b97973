// What a Broker must not be. Source: knative/eventing pkg/apis/eventing/v1/broker_validation.go.
import { validateDoorAnnotations } from '../../../engine/delivery/annotations.ts'
import type { AdmissionContext } from '../../../engine/kind.ts'
import { deliveryFlags, validateDelivery } from '../../../model/duck/delivery.ts'
import { validateKReference } from '../../../model/duck/destination.ts'
import { staysInNamespace } from '../../../model/knative/broker-defaults.ts'
import { featuresConfigMap, eventingSystemNamespace } from '../../../model/knative/feature-flags.ts'
import { at, fieldError, missingField } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import { immutableField } from '../../../model/kubernetes/immutable.ts'
import { brokerClassAnnotation } from './schema.ts'
import type { Broker } from './schema.ts'

export function validateBroker(broker: Broker, { old, config }: AdmissionContext<Broker>): FieldError[] {
  const features = config.data(eventingSystemNamespace, featuresConfigMap)
  const { namespace = '' } = broker.metadata
  const isOwnOnly = staysInNamespace(config.data(eventingSystemNamespace, 'config-br-defaults'), namespace)
  const flags = { ...deliveryFlags(features), ...(isOwnOnly ? { parentNamespace: namespace } : {}) }
  const { config: reference, delivery } = broker.spec ?? {}
  return [
    ...(classOf(broker) === '' ? [missingField(brokerClassAnnotation)] : []),
    ...at('spec', [
      ...(reference === undefined ? [] : at('config', validateKReference(reference, flags))),
      ...(delivery === undefined ? [] : at('delivery', validateDelivery(delivery, flags))),
    ]),
    ...validateDoorAnnotations(broker.metadata.annotations),
    ...(old === undefined ? [] : unchanged(broker, old)),
  ]
}

function unchanged(broker: Broker, old: Broker): FieldError[] {
  const before = classOf(old)
  const after = classOf(broker)
  const details = `{string}:\n\t-: ${JSON.stringify(before)}\n\t+: ${JSON.stringify(after)}\n`
  return [
    ...(before === after ? [] : [fieldError('Immutable annotations changed (-old +new)', ['annotations'], details)]),
    ...immutableField('v1.BrokerSpec', { config: old.spec?.config }, { config: broker.spec?.config }, 'spec'),
  ]
}

const classOf = (broker: Broker): string => broker.metadata.annotations?.[brokerClassAnnotation] ?? ''
