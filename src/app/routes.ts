// Knode's own part of the API, behind the same guard as the rest: `/knode/v1/…`, `/metrics`, and the logs of Pods.
import type { ExtraRoute } from '../engine/api-server/http/api-front.ts'
import { explainRoute } from './routes/explain.ts'
import { historyRoute } from './routes/history.ts'
import { logsRoute } from './routes/logs.ts'
import { metricsRoute } from './routes/metrics.ts'
import { podLogsRoute } from './routes/pod-logs.ts'
import { replayRoute } from './routes/replay.ts'
import type { RouteDeps } from './routes/route.ts'
import { streamsRoute } from './routes/streams.ts'
import { tailRoute } from './routes/tail.ts'

export const knodeRoutes = (deps: RouteDeps): ExtraRoute[] =>
  [metricsRoute, tailRoute, logsRoute, podLogsRoute, streamsRoute, historyRoute, replayRoute, explainRoute].map(
    (route) => route(deps),
  )
