import type { Deadlines } from './deadlines.ts'
import { refusal } from './problem.ts'

/** What the promise gives; `unavailable` when it takes too long. What was begun may still be done. */
export function within<T>(promise: Promise<T>, ms: number, deadlines: Deadlines): Promise<T> {
  return new Promise((resolve, reject) => {
    const drop = deadlines.add(ms, () => reject(refusal('unavailable', 'storing takes too long; it may still be done')))
    promise.then(
      (value) => {
        drop()
        resolve(value)
      },
      (error: unknown) => {
        drop()
        reject(error)
      },
    )
  })
}
