// What an InMemoryChannel must not be. Source: knative/eventing pkg/apis/messaging/v1/in_memory_channel_validation.go.
import { isDeepStrictEqual } from 'node:util'
import type { AdmissionContext } from '../../../engine/kind.ts'
import { eventingSystemNamespace } from '../../../model/knative/feature-flags.ts'
import { at, fieldError, missingField } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import { immutableField } from '../../../model/kubernetes/immutable.ts'
import { subscribableAnnotation } from '../channel/schema.ts'
import type { InMemoryChannel } from './schema.ts'

/** Only this user may edit `spec.subscribers`. */
const controllerUser = `system:serviceaccount:${eventingSystemNamespace}:eventing-controller`

export function validateInMemoryChannel(
  channel: InMemoryChannel,
  { old, user }: AdmissionContext<InMemoryChannel>,
): FieldError[] {
  const { annotations = {} } = channel.metadata
  const scope = annotations['eventing.knative.dev/scope']
  const subscribers = channel.spec.subscribers ?? []
  return [
    ...at('metadata.annotations', [
      ...(annotations[subscribableAnnotation] === 'v1'
        ? []
        : [notOneOf(annotations[subscribableAnnotation], subscribableAnnotation)]),
      ...(scope === 'cluster' || scope === 'namespace' ? [] : [notOneOf(scope, 'eventing.knative.dev/scope')]),
    ]),
    ...at(
      'spec.subscribable',
      subscribers.flatMap(({ replyUri, subscriberUri }, index) =>
        replyUri === undefined && subscriberUri === undefined
          ? [missingField(`subscriber[${index}].replyURI`, `subscriber[${index}].subscriberURI`)]
          : [],
      ),
    ),
    ...(old === undefined || user.username === controllerUser ? [] : subscribersUnchanged(channel, old, user.username)),
  ]
}

const notOneOf = (value: string | undefined, key: string): FieldError =>
  fieldError(`invalid value: ${value ?? ''}`, [`[${key}]`])

function subscribersUnchanged(channel: InMemoryChannel, old: InMemoryChannel, username: string): FieldError[] {
  const before = old.spec.subscribers ?? []
  const after = channel.spec.subscribers ?? []
  if (isDeepStrictEqual(before, after)) return []
  const [{ details } = { details: '' }] = immutableField('[]v1.SubscriberSpec', before, after, '')
  const message = `Channel.Spec.Subscribers changed by user ${username} which was not the ${controllerUser} service account`
  return [fieldError(message, ['spec.subscribers'], details ?? '')]
}
