import type { Route } from './route.ts'
import { accountRoutes } from './routes/account-routes.ts'
import { appendRoutes } from './routes/append-routes.ts'
import { docsRoutes } from './routes/docs-routes.ts'
import { frameRoutes } from './routes/frame-routes.ts'
import { keyRoutes } from './routes/key-routes.ts'
import { liveRoutes } from './routes/live-routes.ts'
import { metricsRoutes } from './routes/metrics-routes.ts'
import { outboxRoutes } from './routes/outbox-routes.ts'
import { probeRoutes } from './routes/probe-routes.ts'
import { stateRoutes } from './routes/state-routes.ts'
import { streamRoutes } from './routes/stream-routes.ts'
import { systemRoutes } from './routes/system-routes.ts'

/** Everything that answers. */
export const routes: readonly Route[] = [
  ...streamRoutes,
  ...frameRoutes,
  ...appendRoutes,
  ...liveRoutes,
  ...accountRoutes,
  ...keyRoutes,
  ...stateRoutes,
  ...outboxRoutes,
  ...systemRoutes,
  ...probeRoutes,
  ...metricsRoutes,
  ...docsRoutes,
]
