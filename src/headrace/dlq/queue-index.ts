import type { QueueState } from './queue-state.ts'

interface Held {
  bytes: number
  readonly firstMs: number
  resolved: boolean
}

/** What a running queue knows of its entries: enough for limits and retention, about 100 bytes each. */
export class QueueIndex {
  readonly #held = new Map<string, Held>()
  /** Of entries that wait: resolved ones do not count. */
  entries = 0
  bytes = 0
  /** Ids of those that wait and may run again by themselves. */
  readonly transient = new Set<string>()

  /** Takes over what the logs say. */
  load(state: QueueState): void {
    this.#held.clear()
    this.transient.clear()
    this.entries = 0
    this.bytes = 0
    for (const { id, bytes, firstMs, state: is, category } of state.entries.values()) {
      this.add(id, { bytes, firstMs, category })
      if (is === 'resolved') this.resolve(id)
    }
  }

  has(id: string): boolean {
    return this.#held.has(id)
  }

  add(id: string, entry: { readonly bytes: number; readonly firstMs: number; readonly category: string }): void {
    const { bytes, firstMs, category } = entry
    this.#held.set(id, { bytes, firstMs, resolved: false })
    if (category === 'transient') this.transient.add(id)
    this.entries++
    this.bytes += bytes
  }

  remove(id: string): void {
    const held = this.#held.get(id)
    if (held === undefined) return
    this.#held.delete(id)
    this.transient.delete(id)
    if (!held.resolved) this.#less(held)
  }

  resolve(id: string): void {
    const held = this.#held.get(id)
    if (held === undefined || held.resolved) return
    held.resolved = true
    this.transient.delete(id)
    this.#less(held)
  }

  /** It failed again: it waits, if it did not. */
  reopen(id: string, category: string | undefined): void {
    const held = this.#held.get(id)
    if (held !== undefined && category === 'transient') this.transient.add(id)
    if (held?.resolved !== true) return
    held.resolved = false
    this.entries++
    this.bytes += held.bytes
  }

  #less({ bytes }: Held): void {
    this.entries--
    this.bytes -= bytes
  }

  /** The one that came first of those that wait. */
  oldest(): string | undefined {
    for (const [id, { resolved }] of this.#held) if (!resolved) return id
    return undefined
  }

  /** Entries that came before an instant; resolved ones before another. */
  *olderThan(form: { readonly waitingMs: number; readonly resolvedMs: number }): Iterable<string> {
    for (const [id, { firstMs, resolved }] of this.#held) {
      if (firstMs < (resolved ? form.resolvedMs : form.waitingMs)) yield id
    }
  }
}
