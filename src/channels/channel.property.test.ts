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
import { type ChannelStats, channel, type Sender } from './channel.ts'
import { StreamingError } from './errors.ts'

type Command =
  | { readonly do: 'push' | 'tryPush' | 'clone' | 'closeSender'; readonly sender: number }
  | { readonly do: 'abort' | 'poll' | 'recv' | 'pollBatch'; readonly n: number }
  | { readonly do: 'closeReceiver' }

const CAPACITY = 4

/** An array and two queues. */
class Model {
  readonly items: number[] = []
  readonly pushes: { readonly value: number; readonly id: number }[] = []
  readonly receives: number[] = []
  /** State of each push and receive, by its number. */
  readonly states: string[] = []
  senders = 1
  receiverClosed = false
  stats = { itemsPushed: 0, itemsPopped: 0, pushBlocked: 0, itemsDropped: 0, popEmpty: 0 }
  readonly policy: string

  constructor(policy: string) {
    this.policy = policy
  }

  get closed(): boolean {
    return this.senders === 0 || this.receiverClosed
  }

  enter(value: number): void {
    this.items.push(value)
    this.stats.itemsPushed++
    this.serve()
  }

  pop(): number | undefined {
    const item = this.items.shift()
    if (item === undefined) {
      this.stats.popEmpty++
      return undefined
    }
    this.stats.itemsPopped++
    const waiting = this.pushes.shift()
    if (waiting !== undefined) {
      this.states[waiting.id] = 'done'
      this.enter(waiting.value)
    }
    return item
  }

  serve(): void {
    while (this.receives.length > 0 && this.items.length > 0) {
      this.states[this.receives.shift()!] = `done ${this.pop()}`
    }
  }

  push(value: number, id: number): void {
    this.states[id] = this.#pushed(value, id)
  }

  #pushed(value: number, id: number): string {
    if (this.items.length >= CAPACITY) {
      if (this.policy === 'reject') return 'ChannelFull'
      if (this.policy === 'block') {
        this.pushes.push({ value, id })
        this.stats.pushBlocked++
        return 'pending'
      }
      this.items.shift()
      this.stats.itemsDropped++
    }
    this.enter(value)
    return 'done'
  }

  close(): void {
    for (const { id } of this.pushes.splice(0)) this.states[id] = 'ChannelClosed'
    if (this.items.length === 0) for (const id of this.receives.splice(0)) this.states[id] = 'Disconnected'
  }

  all(): ChannelStats {
    const { itemsPushed, itemsPopped, itemsDropped } = this.stats
    return {
      ...this.stats,
      inFlight: Math.max(0, itemsPushed - itemsPopped - itemsDropped),
      dropRate: itemsPushed === 0 ? 0 : itemsDropped / itemsPushed,
    }
  }
}

const KINDS = [
  'push',
  'tryPush',
  'poll',
  'recv',
  'pollBatch',
  'abort',
  'clone',
  'closeSender',
  'closeReceiver',
] as const
const WEIGHTS = [30, 15, 22, 10, 8, 8, 4, 2.4, 0.3] as const

function draw(random: Random): Command {
  let at = random.float() * WEIGHTS.reduce((sum, weight) => sum + weight, 0)
  const kind = KINDS[WEIGHTS.findIndex((weight) => (at -= weight) < 0)] ?? 'push'
  const n = random.below(6)
  if (kind === 'closeReceiver') return { do: kind }
  if (kind === 'push' || kind === 'tryPush' || kind === 'clone' || kind === 'closeSender')
    return { do: kind, sender: n }
  return { do: kind, n }
}

const property: Property<Command> = {
  name: 'channel',
  policies: ['block', 'drop_oldest', 'reject'],
  draw,
  nameOf: (command) => command.do,
  async run(commands, policy, count) {
    const { sender, receiver } = channel<number>({ capacity: CAPACITY, overflow: policy as Overflow, trackStats: true })
    const model = new Model(policy)
    const senders: { readonly sender: Sender<number>; open: boolean }[] = [{ sender, open: true }]
    const watched = new WatchedList()
    const aborts = new Map<number, AbortController>()
    const watch = (promise: Promise<unknown>): void => watched.add(promise)
    let value = 0
    for (const command of commands) {
      const chosen = 'sender' in command ? senders[command.sender % senders.length]! : undefined
      count(command.do)
      switch (command.do) {
        case 'push': {
          const controller = new AbortController()
          value++
          aborts.set(watched.length, controller)
          const isOpen = chosen!.open && !model.closed
          if (isOpen) model.push(value, watched.length)
          else model.states[watched.length] = 'ChannelClosed'
          watch(chosen!.sender.push(value, { signal: controller.signal }))
          break
        }
        case 'tryPush': {
          value++
          if (!chosen!.open || model.closed) {
            throws(() => chosen!.sender.tryPush(value), StreamingError)
            break
          }
          const isFull = model.items.length >= CAPACITY && policy !== 'drop_oldest'
          if (!isFull) model.push(value, model.states.length)
          if (!isFull) watch(Promise.resolve())
          same(chosen!.sender.tryPush(value), isFull ? value : undefined)
          break
        }
        case 'abort': {
          const waiting = model.pushes[command.n % Math.max(1, model.pushes.length)]
          if (waiting === undefined) break
          model.pushes.splice(model.pushes.indexOf(waiting), 1)
          model.states[waiting.id] = 'taken back'
          aborts.get(waiting.id)!.abort(new Error('taken back'))
          break
        }
        case 'poll':
          same(receiver.poll(), model.pop())
          break
        case 'recv': {
          const id = watched.length
          if (model.items.length > 0) model.states[id] = `done ${model.pop()}`
          else if (model.closed) model.states[id] = 'Disconnected'
          else {
            model.states[id] = 'pending'
            model.receives.push(id)
          }
          watch(receiver.recv())
          break
        }
        case 'pollBatch': {
          const expected: number[] = []
          while (expected.length < command.n && model.items.length > 0) expected.push(model.pop()!)
          same(receiver.pollBatch(command.n), expected)
          break
        }
        case 'clone':
          if (!chosen!.open) throws(() => chosen!.sender.clone(), StreamingError)
          else {
            senders.push({ sender: chosen!.sender.clone(), open: true })
            model.senders++
          }
          break
        case 'closeSender':
          // The last one stays open for long, or nothing would happen any more.
          if (!chosen!.open || (model.senders === 1 && command.sender < 5)) break
          chosen!.open = false
          if (--model.senders === 0) model.close()
          void chosen!.sender.close()
          break
        case 'closeReceiver':
          model.receiverClosed = true
          model.close()
          void receiver.close()
          break
      }
      await settle()
      watched.compare(model.states)
      same(receiver.stats(), model.all())
      same([receiver.pending, receiver.isDisconnected], [model.items.length, model.closed && model.items.length === 0])
      same(sender.pending, model.items.length)
    }
  },
}

test('a channel does what an array and two queues do', async () => {
  const form = propertyForm(40)
  const table = await checkProperty(property, form)
  console.info(table)
  if (form.seeds >= 1000) expect(smallestCount(table)).toBeGreaterThanOrEqual(100)
}, 900_000)
