import { expect, test } from 'vitest'
import { WorkerMemory } from '../../core/memory.ts'
import { freshSeed, Random } from '../../core/random.ts'
import { type DataType, decimal, field, schema, struct, types } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import type { BoundAggregate, SortKey } from '../../expr/bound.ts'
import { aggregateFunctions } from '../../expr/catalogue.ts'
import { aggregateList } from '../../expr/functions/aggregates.ts'
import { RowFailure } from '../../expr/functions.ts'
import { columnExpr } from '../../expr/testing/batches.ts'
import { tryCallOf } from '../testing/aggregate-calls.ts'
import { anyValue } from '../testing/random-rows.ts'
import { isRefused, restoreFrom, sameState, stateBytes } from '../testing/state-bytes.ts'
import type { Accumulator } from './accumulator.ts'
import { GroupCells } from './group-cells.ts'
import { accumulatorKind } from './kinds.ts'

const memory = new WorkerMemory()
const SLOTS = 70
const STEPS = 120
const { bigint, boolean, double, int, interval, json, string: text, timestamp } = types
const pair = struct([field('x', bigint), field('y', text)])

const COLUMNS: readonly (readonly DataType[])[] = [
  [],
  [int],
  [bigint],
  [double],
  [decimal(30, 4)],
  [text],
  [boolean],
  [timestamp],
  [interval],
  [json],
  [pair],
  [double, double],
  [text, bigint],
  [text, json],
  [pair, double],
]
const TIME: SortKey = { expr: columnExpr(schema([field('t', timestamp)]), 0), descending: true, nullsFirst: false }

/** A call and whether its input takes rows back. */
interface Case {
  readonly call: BoundAggregate
  readonly retracts: boolean
}

/** Constants behind the columns. */
const PARAMETERS: Readonly<Record<string, readonly (readonly Value[])[]>> = {
  PERCENTILE_CONT: [[0.5], [0.1, 0.9]],
  PERCENTILE_DISC: [[0.5], [0.1, 0.9]],
  APPROX_PERCENTILE: [[0.5], [0.1, 0.9]],
  STRING_AGG: [[], ['|']],
}

function casesOf(name: string): Case[] {
  const options = (PARAMETERS[name] ?? [[]]).flatMap((parameters) => [
    { parameters },
    { parameters, distinct: true },
    { parameters, orderBy: [TIME] },
  ])
  return COLUMNS.flatMap((columns) =>
    options.flatMap((option) => {
      if (columns.length === 0 && option.parameters.length > 0) return []
      const call = tryCallOf(name, columns, option)
      const takesBack = aggregateFunctions.get(name)!.retract !== 'no'
      return call === undefined ? [] : [false, takesBack].map((retracts) => ({ call, retracts }))
    }),
  )
}

/** An accumulator in cells of its own, as a pane keeps both. */
class Groups implements Disposable {
  readonly cells: GroupCells
  readonly accumulator: Accumulator
  slots = 0

  constructor({ call, retracts }: Case) {
    const kind = accumulatorKind(call, retracts)
    this.cells = new GroupCells(memory, kind.cells)
    this.accumulator = kind.create({ cells: this.cells, offset: 1 })
  }

  count(slot: number, sign: 1 | -1): void {
    this.slots = Math.max(this.slots, slot + 1)
    this.cells.reserve(this.slots)
    this.accumulator.reserve?.(this.slots)
    this.cells.data[slot * this.cells.stride]! += sign
  }

  bytes(): Buffer {
    return stateBytes((out) => {
      this.cells.snapshot(out, this.slots)
      this.accumulator.snapshot(out, this.slots)
    })
  }

  get restore(): Parameters<typeof restoreFrom>[1] {
    return (state) => {
      this.cells.restore(state, this.slots)
      this.accumulator.reserve?.(this.slots)
      this.accumulator.restore(state, this.slots)
    }
  }

  results(): unknown[] {
    return Array.from({ length: this.slots }, (_, slot) => {
      try {
        return this.accumulator.result(slot)
      } catch (failure) {
        if (failure instanceof RowFailure) return failure.code
        throw failure
      }
    })
  }

  [Symbol.dispose](): void {
    this.cells[Symbol.dispose]()
  }
}

interface Live {
  readonly slot: number
  readonly args: readonly Value[]
  readonly order: readonly Value[]
}

/** One row that comes, is taken back, or is left out; the same for all of `groups`. */
function step(groups: readonly Groups[], live: Live[], { call, retracts }: Case, random: Random): void {
  const slot = random.below(1 + random.below(SLOTS))
  const [first] = groups
  const takes = retracts && first!.accumulator.retract !== undefined && live.length > 0 && random.chance(0.4)
  const gone = takes ? live.splice(random.below(live.length), 1)[0]! : undefined
  const row = gone ?? {
    slot,
    args: call.args.map(({ type }) => anyValue(type, random)),
    order: call.orderBy.map(() => random.below(5)),
  }
  const skips = gone === undefined && first!.accumulator.skip !== undefined && random.chance(0.1)
  if (gone === undefined && !skips) live.push(row)
  for (const one of groups) {
    one.count(row.slot, gone === undefined ? 1 : -1)
    const { accumulator } = one
    if (gone !== undefined) accumulator.retract!(row.slot, row.args, row.order)
    else if (skips) accumulator.skip!(row.slot, 1)
    else accumulator.add(row.slot, row.args, row.order)
  }
}

function check(one: Case, random: Random, message: string): void {
  using original = new Groups(one)
  using restored = new Groups(one)
  const live: Live[] = []
  const at = random.below(STEPS)
  for (let i = 0; i < at; i++) step([original], live, one, random)
  const bytes = original.bytes()
  restored.slots = original.slots
  restoreFrom(bytes, restored.restore)
  expect(sameState(restored.bytes(), bytes), `${message}: bytes at ${at}`).toBe(true)
  expect(restored.results(), `${message}: results at ${at}`).toEqual(original.results())
  for (let i = at; i < STEPS; i++) step([original, restored], live, one, random)
  expect(restored.results(), `${message}: restored at ${at}`).toEqual(original.results())
  expect(sameState(restored.bytes(), original.bytes()), `${message}: bytes in the end, restored at ${at}`).toBe(true)
  refusesTruncated(one, original, random, message)
}

function refusesTruncated(one: Case, original: Groups, random: Random, message: string): void {
  const bytes = original.bytes()
  for (const length of [0, bytes.length - 1, random.below(bytes.length), random.below(bytes.length)]) {
    using groups = new Groups(one)
    groups.slots = original.slots
    expect(isRefused(bytes.subarray(0, length), groups.restore), `${message}: ${length} of ${bytes.length}`).toBe(true)
  }
}

test.each(aggregateList.map(({ name }) => name))('%s goes on from its state', (name) => {
  const seed = freshSeed()
  const random = new Random(seed)
  const cases = casesOf(name)
  expect(cases.length, name).toBeGreaterThan(0)
  for (const one of cases) {
    const { call, retracts } = one
    const form = `${call.distinct ? 'DISTINCT ' : ''}${call.args.map(({ type }) => type.kind)} ${call.parameters}`
    check(one, random, `seed ${seed}, ${name}(${form})${retracts ? ', rows taken back' : ''}`)
  }
})

test('sketches of many values go on from their state', () => {
  const seed = freshSeed()
  const random = new Random(seed)
  for (const [name, parameters] of [
    ['APPROX_COUNT_DISTINCT', []],
    ['APPROX_PERCENTILE', [0.01, 0.5, 0.99]],
  ] as const) {
    const call = tryCallOf(name, [double], { parameters })!
    using original = new Groups({ call, retracts: false })
    using restored = new Groups({ call, retracts: false })
    const add = (groups: readonly Groups[]): void => {
      const value = random.float() * 1e6
      for (const one of groups) {
        one.count(0, 1)
        one.accumulator.add(0, [value], [])
      }
    }
    for (let i = 0; i < 5000; i++) add([original])
    restored.slots = 1
    restoreFrom(original.bytes(), restored.restore)
    for (let i = 0; i < 5000; i++) add([original, restored])
    expect(restored.results(), `seed ${seed}, ${name}`).toEqual(original.results())
    expect(sameState(restored.bytes(), original.bytes()), `seed ${seed}, ${name}`).toBe(true)
  }
})
