// What a Trigger must not be. Source: knative/eventing pkg/apis/eventing/v1/trigger_validation.go.
import { messageOf } from '../../../base/errors.ts'
import { validateDeliveryAnnotations } from '../../../engine/delivery/annotations.ts'
import { dataFilterAnnotation } from '../../../engine/delivery/filters/spec.ts'
import { validateDataFilter, validateFilters, validateLegacyFilter } from '../../../engine/delivery/filters/validate.ts'
import type { AdmissionContext } from '../../../engine/kind.ts'
import { deliveryFlags, validateDelivery } from '../../../model/duck/delivery.ts'
import { validateDestination } from '../../../model/duck/destination.ts'
import { eventingSystemNamespace, featuresConfigMap, isEnabled } from '../../../model/knative/feature-flags.ts'
import { at, fieldError, missingField, multipleOneOf } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import type { Trigger } from './schema.ts'

const dependencyAnnotation = 'knative.dev/dependency'
const injectionAnnotation = 'eventing.knative.dev/injection'

export function validateTrigger(trigger: Trigger, { old, config }: AdmissionContext<Trigger>): FieldError[] {
  const features = config.data(eventingSystemNamespace, featuresConfigMap)
  const flags = deliveryFlags(features)
  const { broker, brokerRef, subscriber, delivery, filter, filters } = trigger.spec
  return [
    ...at('spec', [
      ...validateBroker(broker, brokerRef, features),
      ...(filter === undefined ? [] : validateLegacyFilter(filter)),
      ...validateFilters(filters ?? []),
      ...(isEmpty(subscriber)
        ? [missingField('subscriber')]
        : at('subscriber', validateDestination(subscriber, flags))),
      ...(delivery === undefined ? [] : at('delivery', validateDelivery(delivery, flags))),
    ]),
    ...validateAnnotations(trigger),
    ...(old === undefined || old.spec.broker === broker ? [] : [brokerChanged(old.spec.broker, broker)]),
  ]
}

const isEmpty = (value: object | undefined): boolean => value === undefined || Object.keys(value).length === 0

function validateBroker(
  broker: string | undefined,
  brokerRef: Trigger['spec']['brokerRef'],
  features: Readonly<Record<string, string>>,
): FieldError[] {
  const named = broker !== undefined && broker !== ''
  if (!named && brokerRef === undefined) return [missingField('broker')]
  if (named && brokerRef !== undefined) return [multipleOneOf('broker', 'brokerRef')]
  if (brokerRef?.namespace === undefined || isEnabled(features, 'cross-namespace-event-links')) return []
  const details =
    'only name, apiVersion and kind are supported fields when feature.CrossNamespaceEventLinks is disabled'
  return [fieldError('must not set the field(s)', ['namespace'], details)]
}

function brokerChanged(before = '', after = ''): FieldError {
  const details = `{string}:\n\t-: ${JSON.stringify(before)}\n\t+: ${JSON.stringify(after)}\n`
  return fieldError('Immutable fields changed (-old +new)', ['spec', 'broker'], details)
}

function validateAnnotations(trigger: Trigger): FieldError[] {
  const annotations = trigger.metadata.annotations ?? {}
  const dependency = annotations[dependencyAnnotation]
  const injection = annotations[injectionAnnotation]
  const dataFilter = annotations[dataFilterAnnotation]
  return [
    ...at('metadata.annotations', [
      ...(dependency === undefined ? [] : validateDependency(dependency, trigger.metadata.namespace ?? '')),
      ...(injection === undefined ? [] : validateInjection(injection, trigger.spec.broker)),
    ]),
    ...(dataFilter === undefined ? [] : validateDataFilter(dataFilter)),
    ...validateDeliveryAnnotations(annotations),
  ]
}

function validateDependency(text: string, namespace: string): FieldError[] {
  const path = `[${dependencyAnnotation}]`
  let reference: Record<string, unknown>
  try {
    // Go reads `null` as a reference that says nothing.
    reference = (JSON.parse(text) ?? {}) as Record<string, unknown>
  } catch (thrown) {
    const message = `The provided annotation was not a corev1.ObjectReference: ${JSON.stringify(text)}`
    return [fieldError(message, [path], messageOf(thrown))]
  }
  const missing = ['kind', 'name', 'apiVersion'].filter((name) => typeof reference[name] !== 'string')
  const elsewhere = !['', namespace, undefined].includes(reference['namespace'] as string | undefined)
  return [
    ...(elsewhere
      ? [fieldError(`Namespace must be empty or equal to the trigger namespace "${namespace}"`, [`${path}.namespace`])]
      : []),
    ...missing.map((name) => missingField(`${path}.${name}`)),
  ]
}

function validateInjection(value: string, broker: string | undefined): FieldError[] {
  const path = `[${injectionAnnotation}]`
  const message = `The provided injection annotation value can only be "enabled" or "disabled", not "${value}"`
  return [
    ...(value === 'enabled' || value === 'disabled' ? [] : [fieldError(message, [path])]),
    ...(broker === 'default'
      ? []
      : [
          fieldError(
            `The provided injection annotation is only used for default broker, but non-default broker specified here: "${broker}"`,
            [path],
          ),
        ]),
  ]
}
