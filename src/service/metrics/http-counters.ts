import { SecondsHistogram } from '../../datastreams/counters.ts'
import { type Family, histogramSamples } from './family.ts'

/** Requests by route template, method and status. The paths of callers are never labels. */
export class HttpCounters {
  readonly #routes = new Map<
    string,
    Map<number, { readonly route: string; readonly method: string; readonly seconds: SecondsHistogram }>
  >()

  add(route: string, method: string, { status, seconds }: { readonly status: number; readonly seconds: number }): void {
    const key = `${method} ${route}`
    let statuses = this.#routes.get(key)
    if (statuses === undefined) {
      statuses = new Map()
      this.#routes.set(key, statuses)
    }
    let counter = statuses.get(status)
    if (counter === undefined) {
      counter = { route, method, seconds: new SecondsHistogram() }
      statuses.set(status, counter)
    }
    counter.seconds.add(seconds)
  }

  families(): readonly Family[] {
    const all = () =>
      [...this.#routes.values()].flatMap((statuses) =>
        [...statuses].map(([status, { route, method, seconds }]) => ({
          labels: { route, method, status: String(status) },
          seconds,
        })),
      )
    return [
      {
        name: 'headrace_http_requests_total',
        help: 'Requests that were answered.',
        type: 'counter',
        samples: () => all().map(({ labels, seconds }) => ({ labels, value: seconds.count })),
      },
      {
        name: 'headrace_http_request_seconds',
        help: 'Time from a request to its answer.',
        type: 'histogram',
        samples: () => all().flatMap(({ labels, seconds }) => histogramSamples(labels, seconds)),
      },
    ]
  }
}
