import { expect, test } from 'vitest'
import { changeSymbols } from '../../core/change.ts'
import { rowAt } from '../../core/row-batch.ts'
import { type DataType, field, schema, types } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { batchOf, columnExpr } from '../../expr/testing/batches.ts'
import { tryCallOf } from '../testing/aggregate-calls.ts'
import { testContext } from '../testing/operator-context.ts'
import { restoreFrom, stateBytes } from '../testing/state-bytes.ts'
import { GroupAggregate } from './group-aggregate.ts'
import type { GroupSpec } from './spec.ts'

/** A grouping of all rows (`keyed`: by their first column) that tells its changes. */
function specOf(name: string, type: DataType, keyed: boolean): GroupSpec {
  const input = schema([field('k', types.string), field('x', type)])
  const call = tryCallOf(name, [type], {}, [1])!
  return {
    input,
    output: schema([...(keyed ? [field('k', types.string)] : []), field('a', call.type)]),
    filters: [],
    keys: keyed ? [columnExpr(input, 0)] : [],
    window: undefined,
    aggregates: [call],
    retracts: false,
    emission: 'changes',
    latenessMicros: 0,
    late: undefined,
  }
}

/** Feeds batches to a grouping, which is replaced by a restored one before each of them. */
function changesOf(spec: GroupSpec, batches: readonly (readonly (readonly Value[])[])[]): (readonly unknown[])[] {
  const errors: string[] = []
  const context = testContext('compiled', errors)
  let operator = new GroupAggregate(spec, context)
  const changes: (readonly unknown[])[] = []
  for (const rows of batches) {
    const bytes = stateBytes((out) => operator.snapshot(out))
    operator[Symbol.dispose]()
    operator = new GroupAggregate(spec, context)
    restoreFrom(bytes, (state) => operator.restore(state))
    for (const output of operator.process(batchOf(spec.input, rows, context.memory))) {
      if (output.kind !== 'batch') continue
      for (let row = 0; row < output.batch.rows; row++) {
        const { values, change } = rowAt(output.batch, row)
        changes.push([changeSymbols[change], ...values])
      }
    }
  }
  return [...changes, errors]
}

test('what was emitted is taken back as it was, with its sign of zero', () => {
  const spec = specOf('LAST', types.double, true)
  expect(
    changesOf(spec, [[['a', -0]], [['a', 0]], [['a', 1]], [['a', -0]], [['a', 0]], [['a', 0]], [['a', 2]]]),
  ).toEqual([
    ['+I', 'a', -0],
    ['-U', 'a', -0],
    ['+U', 'a', 1],
    ['-U', 'a', 1],
    ['+U', 'a', -0],
    ['-U', 'a', -0],
    ['+U', 'a', 2],
    [],
  ])
})

test('a group whose result does not fit has no row to take back, and is reported once per change', () => {
  const most = 9223372036854775807n
  const spec = specOf('DELTA', types.bigint, false)
  const error = 'row_numeric_overflow 9223372036854775808 does not fit BIGINT'
  expect(changesOf(spec, [[['a', -1]], [['a', most]], [['a', most]]])).toEqual([
    ['+I', 0],
    ['-D', 0],
    [error, error],
  ])
})
