import type { Clock } from '../core/clock.ts'

const TICK_MS = 10
/** More than a second: nothing waits longer than that. */
const SLOTS = 128

/** One timer for many things that are looked at every so often, at most a second apart. */
export class TimerWheel {
  readonly #clock: Clock
  readonly #slots: readonly Set<string>[] = Array.from({ length: SLOTS }, () => new Set())
  readonly #slotOf = new Map<string, number>()
  #added = Promise.withResolvers<void>()
  /** Ends a sleep for which something sooner came. */
  #sooner = new AbortController()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#slotOf.size
  }

  /** Looks at `id` in about `ms` milliseconds, 10 at least and 1,000 at most; again: then, and no longer before. */
  set(id: string, ms: number): void {
    this.delete(id)
    const ticks = Math.max(1, Math.ceil(Math.min(ms, 1000) / TICK_MS))
    const slot = (this.#tick() + ticks) % SLOTS
    this.#slots[slot]!.add(id)
    this.#slotOf.set(id, slot)
    this.#added.resolve()
    this.#sooner.abort()
  }

  delete(id: string): void {
    const slot = this.#slotOf.get(id)
    if (slot === undefined) return
    this.#slots[slot]!.delete(id)
    this.#slotOf.delete(id)
  }

  /** Until the signal aborts; `look` gives when to look at it again. */
  async run(signal: AbortSignal, look: (id: string) => number | undefined): Promise<void> {
    let done = this.#tick()
    const aborted = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => aborted.resolve(), { once: true })
    while (!signal.aborted) {
      if (this.size === 0) {
        this.#added = Promise.withResolvers<void>()
        await Promise.race([this.#added.promise, aborted.promise])
        done = this.#tick()
        continue
      }
      this.#sooner = new AbortController()
      await this.#clock.sleep(this.#nextMs(done), AbortSignal.any([signal, this.#sooner.signal]))
      const now = this.#tick()
      // After a long stop every slot is due once.
      for (let tick = Math.max(done + 1, now - SLOTS + 1); tick <= now; tick++) this.#fire(tick % SLOTS, look)
      done = now
    }
  }

  #fire(slot: number, look: (id: string) => number | undefined): void {
    for (const id of [...this.#slots[slot]!]) {
      this.delete(id)
      const again = look(id)
      if (again !== undefined) this.set(id, again)
    }
  }

  #nextMs(done: number): number {
    for (let ticks = 1; ticks <= SLOTS; ticks++) {
      if (this.#slots[(done + ticks) % SLOTS]!.size > 0) {
        return Math.max(0, (done + ticks) * TICK_MS - this.#clock.elapsedMs())
      }
    }
    return TICK_MS
  }

  #tick(): number {
    return Math.floor(this.#clock.elapsedMs() / TICK_MS)
  }
}
