import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { packageVersion } from '../../core/version.ts'
import { SecondsHistogram } from '../../datastreams/counters.ts'
import { type Family, histogramSamples } from './family.ts'

const NANOSECONDS = 1e9

/** What the process itself takes. It watches from `start` until `stop`. */
export class ProcessMetrics {
  readonly #delay = monitorEventLoopDelay({ resolution: 20 })
  readonly #gc = new SecondsHistogram()
  readonly #observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) this.#gc.add(duration / 1000)
  })

  start(): void {
    this.#delay.enable()
    this.#observer.observe({ entryTypes: ['gc'] })
  }

  stop(): void {
    this.#delay.disable()
    this.#observer.disconnect()
  }

  families(): readonly Family[] {
    return [
      counter('process_cpu_seconds_total', 'User and system time.', () => {
        const { user, system } = process.cpuUsage()
        return (user + system) / 1e6
      }),
      gauge('process_resident_memory_bytes', 'Memory in use.', () => process.memoryUsage.rss()),
      gauge('process_uptime_seconds', 'Time since the start.', () => process.uptime()),
      {
        name: 'nodejs_eventloop_delay_seconds',
        help: 'How late the event loop is.',
        type: 'gauge',
        samples: () =>
          ([50, 90, 99] as const).map((percentile) => ({
            labels: { stat: `p${percentile}` },
            value: this.#delay.percentile(percentile) / NANOSECONDS,
          })),
      },
      {
        name: 'nodejs_gc_seconds',
        help: 'Pauses for the collection of garbage.',
        type: 'histogram',
        samples: () => histogramSamples({}, this.#gc),
      },
      gauge('nodejs_heap_bytes', 'Heap in use.', () => process.memoryUsage().heapUsed),
      {
        name: 'headrace_build_info',
        help: 'The version that runs; always 1.',
        type: 'gauge',
        samples: () => [{ labels: { version: packageVersion(), node: process.versions.node }, value: 1 }],
      },
      counter('headrace_config_reloads_total', 'Times that the configuration was read again.', () => 0),
    ]
  }
}

const single =
  (type: Family['type']) =>
  (name: string, help: string, value: () => number): Family => ({
    name,
    help,
    type,
    samples: () => [{ labels: {}, value: value() }],
  })
const gauge = single('gauge')
const counter = single('counter')
