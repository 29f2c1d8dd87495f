import { deepStrictEqual as same, throws } from 'node:assert/strict'
import { expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import { checkProperty, type Property, propertyForm, smallestCount, WatchedList } from '../testkit/properties.ts'
import { Broadcast, type BroadcastItem, type BroadcastSubscriber, type SlowPolicy } from './broadcast.ts'
import { BroadcastError } from './errors.ts'

const CAPACITY = 4
const TIMEOUT_MS = 10
const PLACES = 3
const KINDS = { broadcast: 30, tryBroadcast: 12, tryRead: 40, subscribe: 6, leave: 3, advance: 8, close: 0.3 } as const
type Kind = keyof typeof KINDS

interface Command {
  readonly do: Kind
  readonly n: number
}

interface Reader {
  readonly queue: number[]
  skipped: number
  /** Why it gets nothing any more. */
  ended: string | undefined
}

class Model {
  readonly readers: Reader[] = []
  readonly states: string[] = []
  /** Publishers that wait; the first since its start. */
  readonly waiting: { readonly value: number; readonly id: number; deadline: number }[] = []
  closed = false
  nowMs = 0
  readonly policy: string

  constructor(policy: string) {
    this.policy = policy
  }

  get here(): Reader[] {
    return this.readers.filter(({ ended }) => ended === undefined)
  }

  get isFull(): boolean {
    return this.here.some(({ queue }) => queue.length >= CAPACITY)
  }

  refusal(): string | undefined {
    return this.closed ? 'Closed' : this.here.length === 0 ? 'NoSubscribers' : undefined
  }

  enter(value: number): void {
    for (const { queue } of this.here) queue.push(value)
  }

  /** True when it is published at once. */
  now(value: number): boolean {
    if (this.waiting.length > 0) return false
    if (this.isFull) {
      if (this.policy !== 'skip_for_slow') return false
      for (const reader of this.here) {
        if (reader.queue.length < CAPACITY) continue
        reader.queue.shift()
        reader.skipped++
      }
    }
    this.enter(value)
    return true
  }

  broadcast(value: number, id: number): string {
    const refusal = this.refusal()
    if (refusal !== undefined) return refusal
    if (this.now(value)) return 'done'
    this.waiting.push({ value, id, deadline: this.nowMs + TIMEOUT_MS })
    return 'pending'
  }

  /** Publishers go on, as far as they can. */
  progress(): void {
    while (this.waiting.length > 0) {
      const first = this.waiting[0]!
      let state: string | undefined
      if (this.refusal() !== undefined) state = this.refusal()
      else if (!this.isFull) {
        this.enter(first.value)
        state = 'done'
      } else if (this.nowMs >= first.deadline) state = this.#tooSlow(first.value)
      if (state === undefined) return
      this.states[first.id] = state
      this.waiting.shift()
      const next = this.waiting[0]
      if (next !== undefined) next.deadline = this.nowMs + TIMEOUT_MS
    }
  }

  #tooSlow(value: number): string {
    if (this.policy === 'block') return 'SlowSubscriberTimeout'
    for (const reader of this.here) if (reader.queue.length >= CAPACITY) reader.ended = 'SlowSubscriberTimeout'
    if (this.here.length === 0) return 'NoSubscribers'
    this.enter(value)
    return 'done'
  }
}

function draw(random: Random): Command {
  const kinds = Object.entries(KINDS) as [Kind, number][]
  let at = random.float() * kinds.reduce((sum, [, weight]) => sum + weight, 0)
  return { do: kinds.find(([, weight]) => (at -= weight) < 0)?.[0] ?? 'tryRead', n: random.below(12) }
}

const kindOf = (error: unknown): string => (error instanceof BroadcastError ? error.kind : String(error))

const property: Property<Command> = {
  name: 'broadcast',
  policies: ['block', 'drop_slow', 'skip_for_slow'],
  draw,
  nameOf: (command) => command.do,
  async run(commands, policy, count) {
    const clock = new ManualClock()
    const broadcast = new Broadcast<number>({
      capacity: CAPACITY,
      maxSubscribers: PLACES,
      policy: policy as SlowPolicy,
      slowTimeoutMs: TIMEOUT_MS,
      lagWarning: 2,
      clock,
    })
    const model = new Model(policy)
    const subscribers: BroadcastSubscriber<number>[] = []
    const watched = new WatchedList()
    let value = 0
    for (const command of commands) {
      const index = command.n % Math.max(1, subscribers.length)
      const [reader, subscriber] = [model.readers[index], subscribers[index]]
      if (reader === undefined && (command.do === 'tryRead' || command.do === 'leave')) continue
      count(command.do)
      switch (command.do) {
        case 'broadcast':
          value++
          model.states[watched.length] = model.broadcast(value, watched.length)
          watched.add(broadcast.broadcast(value))
          break
        case 'tryBroadcast': {
          value++
          const expected = model.refusal() ?? (model.now(value) ? undefined : 'BufferFull')
          const act = (): void => broadcast.tryBroadcast(value)
          if (expected === undefined) act()
          else throws(act, (error) => kindOf(error) === expected)
          break
        }
        case 'tryRead': {
          if (reader!.ended !== undefined) {
            throws(
              () => subscriber!.tryRead(),
              (error) => kindOf(error) === reader!.ended,
            )
            break
          }
          const next = reader!.queue.shift()
          const item: BroadcastItem<number> | undefined =
            next === undefined ? next : { value: next, skipped: reader!.skipped }
          if (next !== undefined) reader!.skipped = 0
          same(broadcast.tryRead(subscriber!), item)
          break
        }
        case 'subscribe': {
          const expected = model.closed ? 'Closed' : model.here.length >= PLACES ? 'MaxSubscribersReached' : undefined
          if (expected !== undefined)
            throws(
              () => broadcast.subscribe(),
              (error) => kindOf(error) === expected,
            )
          else {
            model.readers.push({ queue: [], skipped: 0, ended: undefined })
            subscribers.push(broadcast.subscribe())
          }
          break
        }
        case 'leave':
          reader!.ended ??= 'SubscriberNotFound'
          await subscriber!.close()
          break
        case 'advance':
          model.nowMs += command.n
          clock.advance(command.n)
          break
        case 'close':
          model.closed = true
          await broadcast.close()
          break
      }
      model.progress()
      // Publishers that wait go on one after another.
      await new Promise(setImmediate)
      watched.compare(model.states)
      const here = model.readers.flatMap(({ ended, queue }, i) =>
        ended === undefined ? [{ id: i + 1, lag: queue.length, isLagging: queue.length >= 2 }] : [],
      )
      same(
        broadcast.subscribers().map(({ id, lag, isLagging }) => ({ id, lag, isLagging })),
        here,
      )
    }
  },
}

test('a broadcast gives every subscriber what an array of its own gives', async () => {
  const form = propertyForm(24)
  const table = await checkProperty(property, form)
  console.info(table)
  if (form.seeds >= 1000) expect(smallestCount(table)).toBeGreaterThanOrEqual(100)
}, 900_000)
