import type { Family } from './family.ts'

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** The text that Prometheus reads. The library that writes it is loaded for the first scrape. */
export async function scrape(families: readonly Family[]): Promise<string> {
  const { Registry } = await import('prom-client')
  const registry = new Registry()
  for (const family of families) {
    const { name, help, type } = family
    const values = family.samples().map(({ labels, value, suffix }) => ({
      labels,
      value,
      ...(suffix === undefined ? {} : { metricName: `${name}${suffix}` }),
    }))
    const metric = { name, help, type, get: async () => ({ name, help, type, values, aggregator: 'sum' }) }
    // What the registry asks of a metric; its own classes count by themselves.
    registry.registerMetric(metric as unknown as Parameters<typeof registry.registerMetric>[0])
  }
  return await registry.metrics()
}
