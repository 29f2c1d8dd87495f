import type { Route } from './route.ts'
import { appendRoutes } from './routes/append-routes.ts'
import { frameRoutes } from './routes/frame-routes.ts'
import { streamRoutes } from './routes/stream-routes.ts'

/** Everything that answers. */
export const routes: readonly Route[] = [...streamRoutes, ...frameRoutes, ...appendRoutes]
