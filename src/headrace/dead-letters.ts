import { limits } from '../core/limits.ts'
import type { Reject } from '../formats/decoder.ts'

/** One row that went no further. */
export interface DeadLetter {
  readonly code: string
  readonly detail: string
  /** Source and position, as people read it. */
  readonly place: string
  /** The original bytes as text, when they are still at hand. */
  readonly bytes: string
}

/** Counts the dead letters of a pipeline without a queue and hands the first ones on (rulings 68). */
export class DeadLetters {
  readonly #onFirst: (letter: DeadLetter) => void
  readonly byCode = new Map<string, number>()
  count = 0

  constructor(onFirst: (letter: DeadLetter) => void) {
    this.#onFirst = onFirst
  }

  add(letter: DeadLetter): void {
    this.count++
    this.byCode.set(letter.code, (this.byCode.get(letter.code) ?? 0) + 1)
    if (this.count <= limits.rejectsPrinted) this.#onFirst(letter)
  }

  reject(reject: Reject, source: string): void {
    this.add({
      code: reject.code,
      detail: reject.detail,
      place: `${source}:${reject.ordinal + 1} (byte ${reject.byte})`,
      bytes: Buffer.from(reject.bytes).toString('utf8').trimEnd(),
    })
  }
}
