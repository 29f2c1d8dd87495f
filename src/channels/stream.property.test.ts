import { deepStrictEqual as same, throws } from 'node:assert/strict'
import { expect, test } from 'vitest'
import type { Random } from '../core/random.ts'
import type { Overflow } from '../core/ring.ts'
import {
  checkProperty,
  type Property,
  propertyForm,
  settle,
  smallestCount,
  WatchedList,
} from '../testkit/properties.ts'
import { StreamingError } from './errors.ts'
import { createStream } from './stream.ts'
import type { StreamItem } from './stream-items.ts'
import type { StreamSource } from './stream-source.ts'
import type { Subscription } from './subscription.ts'

const KINDS = {
  push: 26,
  tryPush: 8,
  pushBatch: 5,
  pushRows: 6,
  watermark: 6,
  poll: 22,
  pollMessage: 10,
  pollBatch: 5,
  pollBatchInto: 3,
  pollEach: 4,
  recv: 8,
  subscribe: 5,
  leave: 3,
  clone: 2,
  close: 0.8,
} as const
type Kind = keyof typeof KINDS

interface Command {
  readonly do: Kind
  /** Which source or subscriber, or how many. */
  readonly n: number
  readonly m: number
}

const CAPACITY = 4
const PLACES = 3
type Item = { readonly record: number } | { readonly rows: readonly number[] } | { readonly micros: bigint }

/** One subscriber: an array of its own. */
class Reader {
  readonly queue: Item[] = []
  readonly rows: number[] = []
  carried: bigint | undefined
  missed = 0
  left = false
  readonly receives: number[] = []
  isServed = false
}

class Model {
  readonly readers: Reader[] = []
  /** What nobody has read while there is no reader. */
  orphans: Item[] = []
  readonly pushes: { item: Item; readonly id: number | undefined }[] = []
  readonly states: string[] = []
  writers = 1
  sequence = 0n
  watermark: bigint | undefined
  readonly policy: string

  constructor(policy: string) {
    this.policy = policy
  }

  get here(): Reader[] {
    return this.readers.filter(({ left }) => !left)
  }

  get pending(): number {
    return this.here.length === 0 ? this.orphans.length : Math.max(...this.here.map(({ queue }) => queue.length))
  }

  get isFull(): boolean {
    return this.pending >= CAPACITY
  }

  enter(item: Item): void {
    if ('record' in item) this.sequence++
    if ('rows' in item) this.sequence += BigInt(item.rows.length)
    if (this.here.length === 0) this.orphans.push(item)
    for (const reader of this.here) reader.queue.push(item)
    for (const reader of this.here) this.serve(reader)
  }

  dropOldest(): void {
    const { pending } = this
    if (this.here.length === 0) this.orphans.shift()
    for (const reader of this.here) {
      if (reader.queue.length < pending) continue
      const item = reader.queue.shift()!
      reader.missed++
      if ('micros' in item) reader.carried = item.micros
    }
  }

  /** What a push that may wait comes to. */
  push(item: Item, id: number): string {
    if (this.isFull) {
      if (this.policy === 'reject') return 'ChannelFull'
      if (this.policy === 'block') {
        this.pushes.push({ item, id })
        return 'pending'
      }
      this.dropOldest()
    }
    this.enter(item)
    return 'done'
  }

  advance(micros: bigint): boolean {
    if (this.watermark !== undefined && micros <= this.watermark) return false
    this.watermark = micros
    if (this.isFull && this.policy !== 'drop_oldest') {
      const last = this.pushes.at(-1)
      if (last !== undefined && 'micros' in last.item) last.item = { micros }
      else this.pushes.push({ item: { micros }, id: undefined })
    } else {
      if (this.isFull) this.dropOldest()
      this.enter({ micros })
    }
    return true
  }

  take(reader: Reader): Item | undefined {
    const item = reader.queue.shift()
    if (item !== undefined) this.admit()
    return item
  }

  admit(): void {
    while (this.pushes.length > 0 && !this.isFull) {
      const { item, id } = this.pushes.shift()!
      if (id !== undefined) this.states[id] = 'done'
      this.enter(item)
    }
  }

  next(reader: Reader): number | undefined {
    for (;;) {
      const row = reader.rows.shift()
      if (row !== undefined) return row
      const item = this.take(reader)
      if (item === undefined) return undefined
      if ('record' in item) return item.record
      if ('rows' in item) reader.rows.push(...item.rows)
    }
  }

  nextMessage(reader: Reader): StreamItem<number> | undefined {
    const row = reader.rows.shift()
    if (row !== undefined) return { kind: 'record', value: row }
    if (reader.carried !== undefined) {
      const micros = reader.carried
      reader.carried = undefined
      return { kind: 'watermark', micros }
    }
    const item = this.take(reader)
    if (item === undefined) return undefined
    if ('record' in item) return { kind: 'record', value: item.record }
    return 'rows' in item ? { kind: 'batch', batch: { rows: item.rows } } : { kind: 'watermark', micros: item.micros }
  }

  /** Those who wait get records one by one, in their order. */
  serve(reader: Reader): void {
    if (reader.isServed) return
    reader.isServed = true
    while (reader.receives.length > 0) {
      const record = this.next(reader)
      if (record === undefined) break
      this.states[reader.receives.shift()!] = `done ${record}`
    }
    reader.isServed = false
  }

  get ended(): boolean {
    return this.writers === 0 && this.pushes.length === 0
  }

  close(): void {
    for (const push of [...this.pushes]) {
      if (push.id === undefined) continue
      this.states[push.id] = 'ChannelClosed'
      this.pushes.splice(this.pushes.indexOf(push), 1)
    }
  }

  disconnect(): void {
    if (!this.ended) return
    for (const reader of this.here) {
      if (reader.queue.length > 0) continue
      for (const id of reader.receives.splice(0)) this.states[id] = 'Disconnected'
    }
  }
}

function draw(random: Random): Command {
  const kinds = Object.entries(KINDS) as [Kind, number][]
  let at = random.float() * kinds.reduce((sum, [, weight]) => sum + weight, 0)
  const kind = kinds.find(([, weight]) => (at -= weight) < 0)?.[0] ?? 'push'
  return { do: kind, n: random.below(6), m: random.below(40) }
}

const property: Property<Command> = {
  name: 'stream',
  policies: ['block', 'drop_oldest', 'reject'],
  draw,
  nameOf: (command) => command.do,
  async run(commands, policy, count) {
    const { source, sink } = createStream<number>({
      capacity: CAPACITY,
      overflow: policy as Overflow,
      maxSubscribers: PLACES,
    })
    const model = new Model(policy)
    const sources: { readonly source: StreamSource<number>; open: boolean }[] = [{ source, open: true }]
    const subscriptions: Subscription<number>[] = []
    const watched = new WatchedList()
    const watch = (state: string, promise: Promise<unknown>): void => {
      model.states[watched.length] = state
      watched.add(promise)
    }
    let value = 0
    for (const command of commands) {
      const at = sources[command.n % sources.length]!
      const isOpen = at.open && model.writers > 0
      const index = command.n % Math.max(1, subscriptions.length)
      const reader = model.readers[index]
      const subscription = subscriptions[index]
      const reads = command.do.startsWith('poll') || command.do === 'recv' || command.do === 'leave'
      // One that waits for a record is not polled beside: which of the two gets the next is not promised.
      if (reads && (reader === undefined || (command.do.startsWith('poll') && reader.receives.length > 0))) continue
      count(command.do)
      switch (command.do) {
        case 'push':
          value++
          watch(isOpen ? model.push({ record: value }, watched.length) : 'ChannelClosed', at.source.push(value))
          break
        case 'pushRows': {
          const rows = Array.from({ length: command.m % 4 }, () => ++value)
          watch(isOpen ? model.push({ rows }, watched.length) : 'ChannelClosed', at.source.pushRows({ rows }))
          break
        }
        case 'tryPush':
        case 'pushBatch': {
          const values = Array.from({ length: command.do === 'tryPush' ? 1 : command.m % 5 }, () => ++value)
          if (!isOpen) {
            if (values.length > 0) throws(() => at.source.pushBatch(values), StreamingError)
            break
          }
          let pushed = 0
          for (const each of values) {
            if (model.isFull && policy !== 'drop_oldest') break
            if (model.isFull) model.dropOldest()
            model.enter({ record: each })
            pushed++
          }
          if (command.do === 'pushBatch') same(at.source.pushBatch(values), pushed)
          else same(at.source.tryPush(values[0]!), pushed === 1 ? undefined : values[0])
          break
        }
        case 'watermark': {
          const micros = BigInt(command.m + Math.floor(value / 4))
          if (isOpen) same(at.source.watermark(micros), model.advance(micros))
          else throws(() => at.source.watermark(micros), StreamingError)
          break
        }
        case 'poll':
          same(subscription!.poll(), reader!.left ? undefined : model.next(reader!))
          break
        case 'pollMessage':
          same(subscription!.pollMessage(), reader!.left ? undefined : model.nextMessage(reader!))
          break
        case 'pollBatch':
        case 'pollBatchInto':
        case 'pollEach': {
          const expected: number[] = []
          const most = command.do === 'pollEach' ? Math.min(command.m % 7, 3) : command.m % 7
          while (!reader!.left && expected.length < most) {
            const record = model.next(reader!)
            if (record === undefined) break
            expected.push(record)
          }
          const got: number[] = []
          if (command.do === 'pollBatch') got.push(...subscription!.pollBatch(most))
          else if (command.do === 'pollBatchInto') same(subscription!.pollBatchInto(got, most), expected.length)
          else
            same(
              subscription!.pollEach(command.m % 7, (record) => got.push(record) < 3),
              expected.length,
            )
          same(got, expected)
          break
        }
        case 'recv': {
          const id = watched.length
          watch('Disconnected', subscription!.recv())
          if (reader!.left) break
          reader!.receives.push(id)
          model.states[id] = 'pending'
          model.serve(reader!)
          break
        }
        case 'subscribe':
          if (model.here.length >= PLACES) {
            throws(() => sink.subscribe(), StreamingError)
            break
          }
          {
            const fresh = new Reader()
            if (model.here.length === 0) fresh.queue.push(...model.orphans.splice(0))
            model.readers.push(fresh)
            subscriptions.push(sink.subscribe())
          }
          break
        case 'leave':
          await subscription!.close()
          if (reader!.left) break
          for (const id of reader!.receives.splice(0)) model.states[id] = 'Disconnected'
          if (model.here.length === 1) model.orphans = reader!.queue.splice(0)
          reader!.left = true
          reader!.rows.length = 0
          reader!.queue.length = 0
          model.admit()
          break
        case 'clone':
          if (!isOpen) throws(() => at.source.clone(), StreamingError)
          else {
            sources.push({ source: at.source.clone(), open: true })
            model.writers++
          }
          break
        case 'close':
          if (!at.open || (model.writers === 1 && command.m < 30)) break
          at.open = false
          if (--model.writers === 0) model.close()
          await at.source.close()
          break
      }
      model.disconnect()
      await settle()
      watched.compare(model.states)
      same(
        [source.sequence, source.pending, source.watermarkCell.value > -(2n ** 63n)],
        [model.sequence, model.pending, model.watermark !== undefined],
      )
      same(sink.subscriberCount, model.here.length)
      for (const [i, each] of subscriptions.entries()) {
        const { queue, rows, missed, left } = model.readers[i]!
        if (!left) same([each.pending, each.missed], [queue.length + rows.length, missed])
        same(each.isDisconnected, left || (model.ended && queue.length === 0 && rows.length === 0))
      }
    }
  },
}

test('a stream gives every subscriber what an array of its own gives', async () => {
  const form = propertyForm(40)
  const table = await checkProperty(property, form)
  console.info(table)
  if (form.seeds >= 1000) expect(smallestCount(table)).toBeGreaterThanOrEqual(100)
}, 900_000)
