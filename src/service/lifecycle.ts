/** Where the process stands: what probes look at. */
export class Lifecycle {
  /** Steps of the start that are not done. */
  readonly #missing: Set<string>
  draining = false

  constructor(steps: readonly string[]) {
    this.#missing = new Set(steps)
  }

  done(step: string): void {
    this.#missing.delete(step)
  }

  get missing(): readonly string[] {
    return [...this.#missing]
  }

  get started(): boolean {
    return this.#missing.size === 0
  }
}
