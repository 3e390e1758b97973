// Knode's own part of the API, behind the same guard as the rest: `/knode/v1/…` and `/metrics`.
import type { ExtraRoute } from '../engine/api-server/http/api-front.ts'
import { historyRoute } from './routes/history.ts'
import { logsRoute } from './routes/logs.ts'
import { metricsRoute } from './routes/metrics.ts'
import { replayRoute } from './routes/replay.ts'
import type { RouteDeps } from './routes/route.ts'
import { streamsRoute } from './routes/streams.ts'
import { tailRoute } from './routes/tail.ts'

export const knodeRoutes = (deps: RouteDeps): ExtraRoute[] =>
  [metricsRoute, tailRoute, logsRoute, streamsRoute, historyRoute, replayRoute].map((route) => route(deps))
