import { deepStrictEqual as same } from 'node:assert/strict'
import { expect, test } from 'vitest'
import type { Random } from '../../../core/random.ts'
import { checkProperty, type Property, propertyForm, settle, smallestCount } from '../../../testkit/properties.ts'
import { type KeptOptions, type KeptReader, KeptRing } from './kept-ring.ts'

const KINDS = { push: 30, take: 30, reader: 6, leave: 4, hold: 8, reread: 6, close: 0.5 } as const
type Kind = keyof typeof KINDS

interface Command {
  readonly do: Kind
  readonly n: number
  readonly m: number
}

const CAPACITY = 6

/** An array that never forgets, and what may still be read of it. */
class Model {
  readonly log: number[] = []
  readonly readers: { next: number; open: boolean }[] = []
  readonly holds = new Map<string, number>()
  readonly waiting: { readonly items: readonly number[]; readonly id: number }[] = []
  readonly states: string[] = []
  first = 0
  /** No reader or holder is behind it. */
  tail = 0
  dropped = 0
  closed = false
  readonly overflow: string
  readonly retain: number

  constructor(overflow: string, retain: number) {
    this.overflow = overflow
    this.retain = retain
  }

  settle(): void {
    const positions = [...this.readers.filter(({ open }) => open).map(({ next }) => next), ...this.holds.values()]
    if (positions.length > 0) this.tail = Math.min(...positions)
    this.first = Math.max(this.first, Math.min(this.tail, this.log.length - this.retain))
  }

  fits(count: number): boolean {
    this.settle()
    const pending = this.log.length - this.tail
    return pending === 0 || pending + count <= CAPACITY
  }

  admit(): void {
    while (this.waiting.length > 0 && this.fits(this.waiting[0]!.items.length)) {
      const { items, id } = this.waiting.shift()!
      this.log.push(...items)
      this.states[id] = 'done'
    }
  }

  push(items: readonly number[], id: number): string {
    if (this.closed) return 'closed'
    if (items.length === 0) return 'done'
    if (this.waiting.length > 0 || !this.fits(items.length)) {
      if (this.overflow === 'reject') return 'full'
      if (this.overflow === 'block') {
        this.waiting.push({ items, id })
        return 'pending'
      }
      if (this.overflow === 'drop_newest') {
        this.dropped += items.length
        return 'done'
      }
      while (!this.fits(items.length)) this.#dropOldest()
    }
    this.log.push(...items)
    return 'done'
  }

  #dropOldest(): void {
    const at = this.tail
    for (const reader of this.readers) if (reader.open && reader.next === at) reader.next++
    for (const [name, next] of this.holds) if (next === at) this.holds.set(name, next + 1)
    this.tail++
    this.first = Math.max(this.first, this.tail)
    this.dropped++
  }
}

const property: Property<Command> = {
  name: 'kept ring',
  policies: ['block 0', 'block 3', 'block all', 'drop_oldest 0', 'drop_oldest 3', 'drop_newest 0', 'reject 3'],
  draw(random: Random): Command {
    const kinds = Object.entries(KINDS) as [Kind, number][]
    let at = random.float() * kinds.reduce((sum, [, weight]) => sum + weight, 0)
    return {
      do: kinds.find(([, weight]) => (at -= weight) < 0)?.[0] ?? 'push',
      n: random.below(9),
      m: random.below(40),
    }
  },
  nameOf: (command) => command.do,
  async run(commands, policy, count) {
    const [overflow, kept] = policy.split(' ')
    const retain = kept === 'all' ? Number.POSITIVE_INFINITY : Number(kept)
    const ring = new KeptRing<number>({ capacity: CAPACITY, overflow: overflow as KeptOptions['overflow'], retain })
    const model = new Model(overflow!, retain)
    const readers: KeptReader<number>[] = []
    const states: string[] = []
    let value = 0
    for (const command of commands) {
      const index = command.m % Math.max(1, readers.length)
      const [reader, expected] = [readers[index], model.readers[index]]
      if ((command.do === 'take' || command.do === 'leave') && expected?.open !== true) continue
      count(command.do)
      switch (command.do) {
        case 'push': {
          const items = Array.from({ length: command.n }, () => ++value)
          const id = states.length
          model.states[id] = model.push(items, id)
          states[id] = 'pending'
          ring.push(items).then(
            () => {
              states[id] = 'done'
            },
            (error: Error) => {
              states[id] = error.message.replace('the channel is ', '')
            },
          )
          break
        }
        case 'take': {
          const held = model.log.slice(expected!.next, expected!.next + command.n + 1)
          if (held.length === 0) break
          // One may be left for the next call.
          const wanted = command.m % 3 === 0 && held.length > 1 ? held.length - 1 : held.length
          expected!.next += wanted
          same(await reader!.take(command.n + 1, undefined, () => wanted), held.slice(0, wanted))
          break
        }
        case 'reader':
          model.settle()
          model.readers.push({ next: model.first, open: true })
          readers.push(ring.reader())
          break
        case 'reread': {
          model.settle()
          const from = command.m
          if (from < model.first) expect(() => ring.reader(from + 1)).toThrow('no longer held')
          else if (from <= model.log.length) {
            model.readers.push({ next: from, open: true })
            readers.push(ring.reader(from + 1))
          }
          break
        }
        case 'leave':
          model.settle()
          expected!.open = false
          if (!model.readers.some(({ open }) => open) && model.holds.size === 0) {
            model.tail = Math.max(model.tail, expected!.next)
          }
          reader![Symbol.dispose]()
          break
        case 'hold': {
          model.settle()
          const to = Math.min(Math.max(command.m, model.first), model.log.length)
          model.holds.set(`h${command.n % 2}`, to)
          ring.hold(`h${command.n % 2}`, to + 1)
          break
        }
        case 'close':
          if (command.m < 20) break
          for (const { id } of model.waiting.splice(0)) model.states[id] = 'closed'
          model.closed = true
          ring.close()
          break
      }
      model.admit()
      model.settle()
      await settle()
      same(states, model.states)
      same(
        [ring.firstSequence, ring.nextSequence, ring.length, ring.dropped, ring.closed],
        [model.first + 1, model.log.length + 1, model.log.length - model.tail, model.dropped, model.closed],
      )
      same(ring.slice(model.first + 1, 1000), model.log.slice(model.first))
      same(
        readers.flatMap((each, i) => (model.readers[i]!.open ? [each.next] : [])),
        model.readers.flatMap(({ next, open }) => (open ? [next + 1] : [])),
      )
    }
  },
}

test('a channel gives every reader what an array gives, from wherever it begins', async () => {
  const form = propertyForm(21)
  const table = await checkProperty(property, form)
  console.info(table)
  if (form.seeds >= 1000) expect(smallestCount(table)).toBeGreaterThanOrEqual(100)
}, 900_000)

test('a push larger than the ring is admitted when it is empty, and the ring is small again behind it', async () => {
  const ring = new KeptRing<number>({ capacity: 4, overflow: 'block', retain: 0 })
  await ring.push(Array.from({ length: 100_000 }, (_, i) => i))
  const reader = ring.reader()
  let entered = false
  const waiting = ring.push([1, 2]).then(() => {
    entered = true
  })
  expect((await reader.take(99_999))?.length).toBe(99_999)
  await settle()
  expect(entered).toBe(true)
  await waiting
  expect(await reader.take(10)).toEqual([99_999, 1, 2])
  const stop = new AbortController()
  const late = reader.take(1, stop.signal)
  stop.abort()
  expect(await late).toBeUndefined()
  ring.close()
  expect(await reader.take(1)).toBeUndefined()
})
