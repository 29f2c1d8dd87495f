import type { Offset, Source, SourceItem, SplitReader } from '../../connectors/contract.ts'
import { type Batch, ordinalOf } from '../../core/batch.ts'
import type { Clock } from '../../core/clock.ts'
import { limits } from '../../core/limits.ts'
import { BatchBuilder } from '../../core/row-batch.ts'
import type { Reject } from '../../formats/decoder.ts'
import { keepRows } from '../../operators/keep-rows.ts'
import type { OperatorContext } from '../../operators/operator.ts'
import type { SourceNode, ValuesNode } from '../../sql/plan.ts'
import type { Graph } from '../graph/build.ts'
import type { Origin } from '../graph/origin.ts'
import { Lock } from './lock.ts'

/** A source that is open, in its place of the graph. */
export interface OpenSource {
  readonly origin: Origin
  readonly node: SourceNode
  readonly source: Source
  /** Ends the source after so many rows. */
  readonly maxRecords: number | undefined
  /** A split that was proved empty for that long does not hold the watermark; undefined: it does. */
  readonly idleMs?: number | undefined
  /** Splits that ended in an earlier run are read again from there: they may have got more. */
  readonly again?: boolean | undefined
  /** Where each split goes on; those of an earlier run at first. */
  readonly positions: Map<string, SplitPosition>
}

/** What of a split has been pushed through the graph. */
export interface SplitPosition {
  /** Read from here next; undefined before the first item. */
  offset: Offset | undefined
  /** Rows that came. */
  rows: number
  /** It has ended: it is not opened again. */
  ended: boolean
}

export interface DriveInput {
  readonly graph: Graph
  readonly sources: readonly OpenSource[]
  readonly context: OperatorContext
  readonly clock: Clock
  /** Called for every record that could not be decoded. */
  readonly onReject: (reject: Reject, source: SourceNode, split: string) => void
  /** Before every step, inside it: the source whose rows are pushed; undefined for VALUES and the clock. */
  readonly beforeStep?: ((source: SourceNode | undefined) => void) | undefined
  /** After every step, inside it: what came out beside the graph is written. */
  readonly afterStep?: (() => Promise<void>) | undefined
  /** Behind an item of a split, outside its step: the next item of the split waits for it. For tests. */
  readonly afterItem?: (() => Promise<void>) | undefined
  /** An endless source has found a split. */
  readonly onFound?: (() => void) | undefined
  /** After every step: for progress. */
  readonly onProgress?: (() => void) | undefined
}

/**
 * Reads all sources to their end, or until `signal` aborts, and pushes what they give through the graph: one element
 * at a time.
 */
export class Drive {
  readonly #input: DriveInput
  readonly #outer: AbortSignal
  readonly #signal: AbortSignal
  readonly #onAbort = (): void => this.#stop.abort()
  /** Aborts the readers that are left when one fails or nobody needs more rows. */
  readonly #stop = new AbortController()
  readonly #lock = new Lock()
  #changed = Promise.withResolvers<void>()
  #running = true
  /** Something beside the rows wants its turns of the event loop: reading is synchronous and would starve it. */
  yielding = false
  /** When the last step ended, and when the one at hand began; milliseconds of the clock. */
  lastStepMs: number
  busySinceMs: number | undefined
  /** What went wrong first. */
  #failure: { readonly error: unknown } | undefined

  constructor(input: DriveInput, signal: AbortSignal) {
    this.#input = input
    this.lastStepMs = input.clock.elapsedMs()
    this.#outer = signal
    this.#signal = this.#stop.signal
    // Forwarded: asking a signal that `AbortSignal.any` made walks through its sources every time.
    if (signal.aborted) this.#stop.abort()
    else signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /**
   * Runs a task between two steps: no row is in the graph, and every position is behind what was pushed. Behind a step
   * that failed there is no such moment: its error is thrown.
   */
  hold<T>(task: () => Promise<T>): Promise<T> {
    return this.#lock.run(async () => {
      if (this.#failure !== undefined) throw this.#failure.error
      return await task()
    })
  }

  /**
   * Pushes rows once more that were read before, between two items: no position moves, and they are not counted as read.
   * `begin` is called inside the step.
   */
  async again(
    open: OpenSource,
    rows: { readonly split: string; readonly batch: Batch | undefined; readonly rejects: readonly Reject[] },
    begin: () => void,
  ): Promise<void> {
    const { split, batch, rejects } = rows
    const push = async (): Promise<void> => {
      if (open.origin.ended) return
      begin()
      for (const reject of rejects) this.#input.onReject(reject, open.node, split)
      if (batch === undefined) return
      await open.origin.batch(batch)
      open.origin.rows -= batch.rows
    }
    await this.#failFast(this.#step(split, push, open.node))
  }

  /** True when everything has ended, false when it was stopped. */
  async run(): Promise<boolean> {
    const { graph, sources } = this.#input
    const values = graph.origins.filter((origin) => origin.node.kind === 'values')
    const tasks = [
      ...values.map((origin) => this.#values(origin, origin.node as ValuesNode)),
      ...sources.map((source) => this.#source(source)),
    ]
    const ticker = this.#failFast(this.#tick()).catch(() => undefined)
    try {
      // All of them: nobody may still push rows when the graph and the sinks are closed.
      const ended = await Promise.allSettled(tasks.map((task) => this.#failFast(task)))
      if (this.#failure !== undefined) throw this.#failure.error
      return ended.every((task) => task.status === 'fulfilled' && task.value)
    } finally {
      this.#running = false
      this.#outer.removeEventListener('abort', this.#onAbort)
      this.#stop.abort()
      this.#changed.resolve()
      await ticker
    }
  }

  async #failFast<T>(task: Promise<T>): Promise<T> {
    try {
      return await task
    } catch (error) {
      this.#failure ??= { error }
      this.#stop.abort()
      throw error
    }
  }

  /** Runs one step in the graph: clock read once, scratch empty. */
  #step(split: string, task: () => Promise<void>, source?: SourceNode): Promise<void> {
    return this.#lock.run(async () => {
      this.#input.beforeStep?.(source)
      const { context, clock } = this.#input
      this.busySinceMs = clock.elapsedMs()
      context.current.nowMicros = clock.nowMicros()
      context.current.split = split
      context.scratch.reset()
      try {
        await task()
        await this.#input.afterStep?.()
      } catch (error) {
        // Noted before anybody else gets the lock: positions are ahead of what arrived.
        this.#failure ??= { error }
        throw error
      }
      this.#input.onProgress?.()
      this.lastStepMs = clock.elapsedMs()
      this.busySinceMs = undefined
      this.#changed.resolve()
      this.#changed = Promise.withResolvers<void>()
    })
  }

  /** VALUES start behind the rows that were pushed before the last checkpoint. */
  async #values(origin: Origin, node: ValuesNode): Promise<boolean> {
    if (origin.ended) return true
    const { context } = this.#input
    using builder = new BatchBuilder(node.schema, context.batchRows, context.memory)
    for (let from = origin.rows; from < node.rows.length; from += context.batchRows) {
      builder.reset()
      for (const row of node.rows.slice(from, from + context.batchRows)) builder.append(row)
      await this.#step('values', () => origin.batch(builder.finish()))
    }
    await this.#step('values', () => origin.end())
    return true
  }

  async #source(open: OpenSource): Promise<boolean> {
    if (open.origin.ended) return true
    const budget = { left: (open.maxRecords ?? Number.POSITIVE_INFINITY) - open.origin.rows }
    if (open.node.info.bounded) await this.#bounded(open, budget)
    else await this.#endless(open, budget)
    if (this.#signal.aborted) return false
    await this.#step('', () => open.origin.end(), open.node)
    return true
  }

  /** All splits are known before the first is read: each holds the watermark until its first row. */
  async #bounded(open: OpenSource, budget: Budget): Promise<void> {
    const splits: string[] = []
    for await (const event of open.source.splits(this.#signal)) {
      if (event.kind === 'complete') break
      if (event.kind === 'added') splits.push(event.split.id)
    }
    for (const split of splits) {
      const position = open.positions.get(split)
      if (open.again === true && position !== undefined) position.ended = false
      if (position?.ended !== true) this.#addSplit(open, split)
    }
    const unread = splits.filter((split) => open.positions.get(split)?.ended !== true)
    await this.#lowestFirst(open, unread, budget)
  }

  /** Splits come and go while others are read. */
  async #endless(open: OpenSource, budget: Budget): Promise<void> {
    const reading: Promise<void>[] = []
    const enough = new AbortController()
    const onStop = (): void => enough.abort()
    this.#signal.addEventListener('abort', onStop, { once: true })
    const whole = async (id: string): Promise<void> => {
      await this.#wholeSplit(open, id, budget)
      if (this.#isOver(open, budget)) enough.abort()
    }
    try {
      for await (const event of open.source.splits(enough.signal)) {
        if (event.kind === 'complete' || enough.signal.aborted) break
        if (event.kind !== 'added') continue
        this.#addSplit(open, event.split.id)
        const position = open.positions.get(event.split.id)!
        // A split that had ended and is named again has got more.
        if (position.ended) open.origin.reopenSplit(event.split.id)
        position.ended = false
        reading.push(this.#failFast(whole(event.split.id)))
        this.#input.onFound?.()
      }
    } finally {
      this.#signal.removeEventListener('abort', onStop)
      await Promise.allSettled(reading)
    }
  }

  #addSplit(open: OpenSource, id: string): void {
    if (!open.positions.has(id)) open.positions.set(id, { offset: undefined, rows: 0, ended: false })
    open.origin.addSplit(id)
  }

  /** Bounded splits: always the one whose watermark is lowest; without event time one after the other (rulings 25). */
  async #lowestFirst(open: OpenSource, splits: readonly string[], budget: Budget): Promise<void> {
    const timed = open.origin.watermarks.length > 0
    const openMax = timed ? limits.filesOpenMax : 1
    const waiting = [...splits]
    const active: ActiveSplit[] = []
    try {
      for (;;) {
        while (active.length < openMax && waiting.length > 0) active.push(this.#open(open, waiting.shift()!))
        if (active.length === 0 || this.#isOver(open, budget)) return
        const next = lowest(open.origin, active)
        if (!(await this.#advance(open, next, budget))) active.splice(active.indexOf(next), 1)
      }
    } finally {
      for (const split of active) await close(split)
    }
  }

  async #wholeSplit(open: OpenSource, id: string, budget: Budget): Promise<void> {
    const split = this.#open(open, id)
    try {
      while (!this.#isOver(open, budget) && (await this.#advance(open, split, budget)));
    } finally {
      await close(split)
    }
  }

  #open(open: OpenSource, id: string): ActiveSplit {
    const reader = open.source.open(id)
    const position = open.positions.get(id)!
    return {
      id,
      reader,
      position,
      idle: false,
      closed: false,
      items: reader.read(position.offset, this.#signal)[Symbol.asyncIterator](),
    }
  }

  #isOver(open: OpenSource, budget: Budget): boolean {
    return this.#signal.aborted || budget.left <= 0 || open.origin.finished
  }

  /** Takes one item of a split; false when the split has ended (and its reader is closed). */
  async #advance(open: OpenSource, split: ActiveSplit, budget: Budget): Promise<boolean> {
    const { value: item, done } = await this.#next(open, split)
    const { id, position } = split
    split.idle = item?.kind === 'idle'
    if (done === true) {
      await close(split)
      if (this.#signal.aborted) return false
      const end = async (): Promise<void> => {
        position.ended = true
        await open.origin.finishSplit(id)
      }
      await this.#step(id, end, open.node)
      return false
    }
    if (item.kind === 'idle') {
      // Between two steps: whatever was pushed before is behind it.
      position.offset = item.next
      return true
    }
    const { batch, rejects } = cut(item, budget)
    // Rows, rejects and position belong together: no barrier comes between them.
    const take = async (): Promise<void> => {
      for (const reject of rejects) this.#input.onReject(reject, open.node, id)
      position.offset = item.next
      if (batch === undefined) return
      position.rows += batch.rows
      await open.origin.batch(batch)
    }
    await this.#step(id, take, open.node)
    await this.#input.afterItem?.()
    if (this.yielding) await new Promise(setImmediate)
    return true
  }

  /** The next item. A split that was proved empty and stays so for its idle timeout no longer holds the watermark. */
  async #next(open: OpenSource, split: ActiveSplit): Promise<IteratorResult<SourceItem>> {
    const next = split.items.next()
    const { idleMs } = open
    if (!split.idle || idleMs === undefined || open.origin.watermarks.length === 0) return await next
    const came = new AbortController()
    const rest = async (): Promise<void> => {
      await this.#input.clock.sleep(idleMs, came.signal)
      if (came.signal.aborted || this.#signal.aborted) return
      await this.#step(split.id, () => open.origin.idleSplit(split.id), open.node)
    }
    const timeout = this.#failFast(rest())
    // Its failure ends the reader; it is thrown below.
    timeout.catch(() => undefined)
    try {
      return await next
    } finally {
      came.abort()
      await timeout
    }
  }

  /** Wakes operators that wait for the clock. */
  async #tick(): Promise<void> {
    const { graph, clock } = this.#input
    const timed = graph.stages.filter((stage) => stage.operator.nextClockMicros !== undefined)
    if (timed.length === 0) return
    while (this.#running && !this.#signal.aborted) {
      const changed = this.#changed.promise
      const due = Math.min(...timed.map((stage) => stage.operator.nextClockMicros!() ?? Number.POSITIVE_INFINITY))
      const now = clock.nowMicros()
      if (due <= now) {
        for (const stage of timed) await this.#step('', () => stage.emit(stage.operator.onClock!(clock.nowMicros())))
        continue
      }
      if (due === Number.POSITIVE_INFINITY) await changed
      else {
        const woken = new AbortController()
        const sleep = clock.sleep(Math.ceil((due - now) / 1000), AbortSignal.any([woken.signal, this.#signal]))
        await Promise.race([sleep, changed])
        woken.abort()
      }
    }
  }
}

interface Budget {
  left: number
}

interface ActiveSplit {
  readonly id: string
  readonly position: SplitPosition
  readonly reader: SplitReader
  readonly items: AsyncIterator<SourceItem>
  /** Its last item said that nothing is there. */
  idle: boolean
  closed: boolean
}

/** Once: a reader gives its memory back only once. */
async function close(split: ActiveSplit): Promise<void> {
  if (split.closed) return
  split.closed = true
  await split.reader[Symbol.asyncDispose]()
}

function lowest(origin: Origin, active: readonly ActiveSplit[]): ActiveSplit {
  let best = active[0]!
  for (const split of active) if (origin.watermarkOf(split.id) < origin.watermarkOf(best.id)) best = split
  return best
}

/** As much of an item as the source may still give: the rows, and the rejects that came before the last of them. */
function cut(
  { batch, rejects = [] }: SourceItem & { readonly kind: 'batch' },
  budget: Budget,
): { readonly batch: Batch | undefined; readonly rejects: readonly Reject[] } {
  if (budget.left <= 0) return { batch: undefined, rejects: [] }
  if (batch === undefined || batch.rows < budget.left) {
    budget.left -= batch?.rows ?? 0
    return { batch, rejects }
  }
  const rows = budget.left
  budget.left = 0
  const whole = rows === batch.rows
  const { provenance } = batch
  const last = provenance === undefined ? Number.POSITIVE_INFINITY : ordinalOf(provenance, rows - 1)
  return {
    batch: whole ? batch : keepRows(batch, [...Array(rows).keys()]),
    rejects: rejects.filter(({ ordinal }) => ordinal < last),
  }
}
