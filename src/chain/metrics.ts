import type { SharedState } from '../connectors/contract.ts'

/** Counters of chain sources: plain numbers by labels, read by whoever exports them. */
export class ChainMetrics {
  readonly batchesFetched = new Map<string, number>()
  readonly checkpointsSaved = new Map<string, number>()
  /** By source, then by kind of error. */
  readonly errors = new Map<string, Map<string, number>>()
  /** 1 healthy, 0 not. */
  readonly sourceHealth = new Map<string, 0 | 1>()

  batchFetched(source: string): void {
    add(this.batchesFetched, source)
  }

  checkpointSaved(source: string): void {
    add(this.checkpointsSaved, source)
  }

  error(source: string, kind: string): void {
    let kinds = this.errors.get(source)
    if (kinds === undefined) this.errors.set(source, (kinds = new Map()))
    add(kinds, kind)
  }

  health(source: string, isHealthy: boolean): void {
    this.sourceHealth.set(source, isHealthy ? 1 : 0)
  }

  /** Prometheus text format; the first two are exposed without a type (rulings 57). */
  text(): string {
    return [
      metric('cdk_datastream_batches_fetched', 'untyped', 'Batches that a source gave.', bySource(this.batchesFetched)),
      metric('cdk_datastream_checkpoints_saved', 'untyped', 'Checkpoints stored.', bySource(this.checkpointsSaved)),
      metric(
        'cdk_datastream_errors_total',
        'counter',
        'Errors of a source by kind.',
        [...this.errors].flatMap(([source, kinds]) =>
          [...kinds].map(([kind, count]) => ({ labels: { source, kind }, value: count })),
        ),
      ),
      metric('cdk_datastream_source_health', 'gauge', '1 healthy, 0 not.', bySource(this.sourceHealth)),
    ].join('')
  }
}

/** Those of the SQL sources of an instance. */
export const chainMetrics = (shared: SharedState): ChainMetrics => shared.get('chain metrics', () => new ChainMetrics())

interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const add = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1)

const bySource = (values: ReadonlyMap<string, number>): Sample[] =>
  [...values].map(([source, value]) => ({ labels: { source }, value }))

function metric(name: string, type: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(({ labels, value }) => {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`)
    return `${name}{${pairs.join(',')}} ${value}\n`
  })
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
