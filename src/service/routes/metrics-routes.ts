import { Type } from 'typebox'
import { credentialOf } from '../access/authenticate.ts'
import { demandScope } from '../access/credential.ts'
import { METRICS_TYPE, scrape } from '../metrics/scrape.ts'
import { type Route, route } from '../route.ts'

const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1'])

export const metricsRoutes: readonly Route[] = [
  route({
    name: 'metrics',
    method: 'GET',
    place: 'root',
    path: '/metrics',
    summary: 'Metrics in the text format of Prometheus; from other machines with the scope metrics:read',
    scope: 'open',
    account: 'none',
    answers: { 200: { description: 'metrics', content: { 'text/plain': Type.String() } } },
    handle: async (call) => {
      const { services, request } = call
      const { authorization } = request.headers
      if (authorization !== undefined || !LOOPBACK.has(request.ip)) {
        demandScope(
          await credentialOf(services, metricsRoutes[0]!, { authorization, token: undefined }),
          'metrics:read',
        )
      }
      services.streams.observe()
      return { status: 200, text: await scrape(services.families()), headers: { 'content-type': METRICS_TYPE } }
    },
  }),
]
