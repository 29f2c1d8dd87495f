/** Where counters are kept; a registry of the embedding program. */
export interface MetricsRegistry {
  /** The counter of that name and these labels; the same object for equal ones. */
  counter(name: string, labels: Readonly<Record<string, string>>): { add(amount: number): void }
}
