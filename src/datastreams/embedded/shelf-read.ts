import type { Frame } from '../frame.ts'
import type { FrameQuery } from '../store.ts'

/** A frame that a walk comes by; it is decoded when it is wanted. */
export interface Step {
  readonly position: bigint
  readonly sequence: bigint
  frame(): Frame
}

/** The ways through the frames of a stream. */
export interface Walks {
  readonly last: bigint
  readonly cutPosition: bigint
  /** The frame with the highest sequence, where it lies before the cut. */
  readonly survivor: Frame | undefined
  /** Positions `from` … `to`, rising. */
  walk(from: bigint, to: bigint): Iterable<Step>
  /** Positions `from` … `to`, falling. */
  walkBack(from: bigint, to: bigint): Iterable<Step>
  /** Frames that came out of order, sorted by sequence, beyond a bound (before it, falling). */
  lateSteps(order: 'asc' | 'desc', bound: bigint): Iterable<Step>
  /** The others. */
  orderedSteps(order: 'asc' | 'desc', bound: bigint): Iterable<Step>
}

/** Steps of a walk between two turns of the event loop. */
const STEPS_MAX = 4096

/** The frames of a query; other work goes on in between when many do not pass its filters. */
export async function listOf(shelf: Walks, query: FrameQuery, pause: () => Promise<void>): Promise<readonly Frame[]> {
  const { by, order, limit, createdFrom, createdTo, statuses } = query
  const found: Frame[] = []
  let { after, before } = query
  while (found.length < limit) {
    let steps = 0
    let last: bigint | undefined
    const walk =
      by === 'position' ? byPosition(shelf, { order, after, before }) : bySequence(shelf, { order, after, before })
    for (const step of walk) {
      const frame = step.frame()
      last = by === 'position' ? step.position : step.sequence
      const fits =
        (createdFrom === undefined || frame.createdAt >= createdFrom) &&
        (createdTo === undefined || frame.createdAt < createdTo) &&
        (statuses === undefined || statuses.includes(frame.status))
      if (fits) found.push(frame)
      if (found.length === limit || ++steps === STEPS_MAX) break
    }
    if (steps < STEPS_MAX) break
    // The walk begins anew behind the last step: blocks may have moved meanwhile.
    await pause()
    if (order === 'asc') after = last
    else before = last
  }
  return found
}

interface Bounds {
  readonly order: 'asc' | 'desc'
  readonly after: bigint | undefined
  readonly before: bigint | undefined
}

const isWithin = (key: bigint, { after, before }: Bounds): boolean =>
  (after === undefined || key > after) && (before === undefined || key < before)

function* byPosition(shelf: Walks, bounds: Bounds): Iterable<Step> {
  const { order, after, before } = bounds
  const { survivor } = shelf
  const kept = survivor !== undefined && isWithin(survivor.position, bounds) ? survivor : undefined
  if (kept !== undefined && order === 'asc') yield stepOf(kept)
  const from = after === undefined || after < shelf.cutPosition ? shelf.cutPosition : after
  const to = before === undefined || before > shelf.last ? shelf.last + 1n : before
  if (order === 'asc') yield* shelf.walk(from + 1n, to - 1n)
  else {
    yield* shelf.walkBack(to - 1n, from + 1n)
    if (kept !== undefined) yield stepOf(kept)
  }
}

/** Frames in order and those out of order, each sorted by sequence, are merged. */
function* bySequence(shelf: Walks, bounds: Bounds): Iterable<Step> {
  const { order } = bounds
  const late = shelf
    .lateSteps(order, order === 'asc' ? (bounds.after ?? 0n) : (bounds.before ?? ABOVE_ALL))
    [Symbol.iterator]()
  const inOrder = shelf
    .orderedSteps(order, order === 'asc' ? (bounds.after ?? 0n) : (bounds.before ?? ABOVE_ALL))
    [Symbol.iterator]()
  let a = late.next()
  let b = inOrder.next()
  while (!a.done || !b.done) {
    const first = b.done || (!a.done && isBefore(a.value, b.value, order)) ? a : b
    const step = first.value as Step
    if (!isWithin(step.sequence, bounds)) return
    yield step
    if (first === a) a = late.next()
    else b = inOrder.next()
  }
}

const ABOVE_ALL = 2n ** 63n

const isBefore = (a: Step, b: Step, order: 'asc' | 'desc'): boolean =>
  order === 'asc' ? a.sequence < b.sequence : a.sequence > b.sequence

export const stepOf = (frame: Frame): Step => ({
  position: frame.position,
  sequence: frame.sequence,
  frame: () => frame,
})
