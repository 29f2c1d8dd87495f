import type { Random } from '../core/random.ts'
import { BackOff } from '../core/retry.ts'
import type { Backoff } from './stream-config.ts'

/** The pauses after failures, in milliseconds; a success begins them anew. */
export class BackOffs {
  readonly #form: Backoff | null
  readonly #random: Random
  #current: { next(): number }

  constructor(form: Backoff | null, random: Random) {
    this.#form = form
    this.#random = random
    this.#current = this.fresh()
  }

  next(): number {
    return this.#current.next()
  }

  reset(): void {
    this.#current = this.fresh()
  }

  /** Pauses of their own, from the first. */
  fresh(): { next(): number } {
    if (this.#form === null) return { next: () => 0 }
    return new BackOff({ ...this.#form, strategy: 'exponential', attempts: Number.POSITIVE_INFINITY }, this.#random)
  }
}
