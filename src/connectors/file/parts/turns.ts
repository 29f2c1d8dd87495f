const TURN_BYTES = 8 * 1024 * 1024

/** Reading is synchronous, for speed; a turn of the event loop every few MiB lets signals and timers in. */
export class Turns {
  #bytes = 0

  isDue(bytes: number): boolean {
    this.#bytes += bytes
    if (this.#bytes < TURN_BYTES) return false
    this.#bytes = 0
    return true
  }
}

export const turnOfEventLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
