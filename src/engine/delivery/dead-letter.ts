// What the dead letter sink is told about an event that could not be delivered. Source: Knative eventing data-plane
// spec, "Dead letter sink" extension attributes.
import { withAttributes } from '../../model/cloudevents/event.ts'
import type { CloudEvent } from '../../model/cloudevents/event.ts'
import type { Failure } from './retry.ts'

/** Characters of `knativeerrordata`; base64, so 768 bytes of the answer. */
const errorDataCharactersMax = 1024
const errorDataBytesMax = (errorDataCharactersMax / 4) * 3

/**
 * The original event, told where and why it failed. What an earlier dead letter pass wrote is overwritten.
 * `knativeerrordata` is base64 of the answer's beginning, cut before encoding so that it stays decodable.
 */
export function deadLetterOf(event: CloudEvent, { url, errorCode, errorData }: Failure): CloudEvent {
  return withAttributes(event, {
    knativeerrordest: url,
    knativeerrorcode: errorCode,
    knativeerrordata:
      errorData === undefined ? undefined : Buffer.from(errorData.subarray(0, errorDataBytesMax)).toString('base64'),
  })
}
