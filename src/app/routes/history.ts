// `GET /knode/v1/history?namespace=&broker=&sinceMs=`: stored events of a Broker, structured, one a line.
import type { ExtraRoute } from '../../engine/api-server/http/api-front.ts'
import { brokerKind, brokerStream } from '../../kinds/eventing/broker/schema.ts'
import type { Broker } from '../../kinds/eventing/broker/schema.ts'
import { writeStructured } from '../../model/cloudevents/http-binding.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import { jsonLines, openLines } from './line-answer.ts'
import { defineRoute, integerParameter } from './route.ts'
import type { RouteDeps } from './route.ts'

/** How far back, when the client does not say: one hour. */
const sinceMsDefault = 3_600_000

export const historyRoute = ({
  caches,
  transport,
  clock,
}: Pick<RouteDeps, 'caches' | 'transport' | 'clock'>): ExtraRoute =>
  defineRoute('GET', '/knode/v1/history', async (_, response, { url, stopping }) => {
    const namespace = url.searchParams.get('namespace') ?? 'default'
    const name = url.searchParams.get('broker') ?? 'default'
    const sinceMs = integerParameter(url, 'sinceMs', 0) ?? sinceMsDefault
    const broker = caches.get<Broker>(brokerKind, namespace, name)
    const stream = broker === undefined ? undefined : transport.stream(brokerStream(broker))
    if (stream === undefined) {
      const details = { name, group: 'eventing.knative.dev', kind: 'brokers' }
      throw new StatusError(404, 'NotFound', `brokers.eventing.knative.dev "${name}" not found`, details)
    }
    const lines = openLines(response, stopping, jsonLines)
    for await (const { message } of stream.read({ timeMs: clock.now() - sinceMs })) {
      if (lines.ended.aborted) break
      await lines.send(Buffer.from(writeStructured(message.event).body).toString('utf8'))
    }
    lines.close()
  })
