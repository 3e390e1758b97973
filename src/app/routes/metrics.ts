// `GET /metrics`: what the process counts, in Prometheus' text format.
import type { ExtraRoute } from '../../engine/api-server/http/api-front.ts'
import { defineRoute } from './route.ts'
import type { RouteDeps } from './route.ts'

export const metricsRoute = ({ metrics }: Pick<RouteDeps, 'metrics'>): ExtraRoute =>
  defineRoute('GET', '/metrics', (_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(metrics.prometheus())
  })
