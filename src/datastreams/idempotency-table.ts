import type { Begun, IdempotencyEntry } from './idempotency.ts'

/** Keys that are kept at once; beyond it requests with new keys are refused, none that is kept is forgotten. */
const ENTRIES_MAX = 200_000
/** Characters of the answers that are kept at once. */
const CHARACTERS_MAX = 128 * 1024 * 1024

/** Keys of requests: those that run, and those that have an answer. */
export class IdempotencyTable {
  readonly lifeMs: number
  /** In the order in which they expire. */
  readonly #entries = new Map<string, IdempotencyEntry>()
  readonly #running = new Map<string, string>()
  #characters = 0

  constructor(lifeMs: number) {
    this.lifeMs = lifeMs
  }

  get entries(): Iterable<IdempotencyEntry> {
    return this.#entries.values()
  }

  begin(key: string, hash: string, now: number): Begun {
    this.expire(now)
    const entry = this.#entries.get(key)
    if (entry !== undefined) {
      return entry.hash === hash ? { kind: 'answer', answer: entry.answer } : { kind: 'mismatch' }
    }
    const running = this.#running.get(key)
    if (running !== undefined) return running === hash ? { kind: 'running' } : { kind: 'mismatch' }
    if (this.#entries.size + this.#running.size >= ENTRIES_MAX || this.#characters > CHARACTERS_MAX) {
      return { kind: 'full' }
    }
    this.#running.set(key, hash)
    return { kind: 'new' }
  }

  /** The hash of a key that runs. */
  running(key: string): string | undefined {
    return this.#running.get(key)
  }

  abandon(key: string): void {
    this.#running.delete(key)
  }

  put(entry: IdempotencyEntry): void {
    this.#running.delete(entry.key)
    this.#remove(entry.key)
    this.#entries.set(entry.key, entry)
    this.#characters += sizeOf(entry)
  }

  expire(now: number): void {
    for (const [key, { expiresAt }] of this.#entries) {
      if (expiresAt > now) return
      this.#remove(key)
    }
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#characters -= sizeOf(entry)
  }
}

const sizeOf = ({ key, answer }: IdempotencyEntry): number => key.length + answer.body.length
