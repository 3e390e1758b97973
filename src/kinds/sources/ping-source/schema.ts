// PingSource sources.knative.dev/v1 and v1beta2. Source: knative/eventing pkg/apis/sources/v1/ping_types.go.
import type { CloudEventOverrides, Destination, SourceStatus } from '../../../model/duck/types.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import {
  anyObject,
  destination,
  list,
  map,
  object,
  openObject,
  statusOf,
  string,
} from '../../../model/kubernetes/schema.ts'

export interface PingSource extends Resource {
  spec: PingSourceSpec
  status?: SourceStatus
}

export interface PingSourceSpec {
  schedule?: string
  timezone?: string
  contentType?: string
  data?: string
  dataBase64?: string
  sink?: Destination
  ceOverrides?: CloudEventOverrides
}

export const pingSourceSchema = {
  spec: openObject('What to send, when and where.', {
    schedule: string('Cron: five fields, six with leading seconds, or @hourly and the like. Defaults to every minute.'),
    timezone: string('IANA time zone of the schedule. Defaults to the machine’s.'),
    contentType: string('Media type of the data.'),
    data: string('The data, as text.'),
    dataBase64: string('The data, as base64; instead of data.'),
    sink: destination('Who gets the events.'),
    ceOverrides: object('Changes to each event.', {
      extensions: map('Extensions to set.', string('Value.')),
    }),
  }),
  status: statusOf({
    sinkUri: string('The resolved sink.'),
    sinkCACerts: string('Its certificates.'),
    sinkAudience: string('Its audience.'),
    ceAttributes: list(
      'Events that are sent.',
      object('One kind.', { type: string('Type.'), source: string('Source.') }),
    ),
    auth: anyObject('Identity that events are sent with.'),
  }),
}

export const pingEventType = 'dev.knative.sources.ping'

/** The `source` attribute of the events. */
export function pingEventSource({ metadata }: PingSource): string {
  return `/apis/v1/namespaces/${metadata.namespace}/pingsources/${metadata.name}`
}
