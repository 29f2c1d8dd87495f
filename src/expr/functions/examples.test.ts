import { expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { WorkerMemory } from '../../core/memory.ts'
import { type DataType, field, type Schema, schema, types } from '../../core/types.ts'
import type { ExactInteger, Value } from '../../core/values.ts'
import { compile } from '../../sql/compile.ts'
import { testCatalogue } from '../../sql/fixtures/test-catalogue.ts'
import type { BoundExpr } from '../bound.ts'
import { scalarList } from '../catalogue.ts'
import { numberLiteral } from '../coerce.ts'
import { RowProgram } from '../project.ts'
import { batchOf, rowsOf } from '../testing/batches.ts'
import { parseDate, parseTimestamp } from '../time/time-text.ts'
import { jsonOfValue } from '../value-json.ts'
import { textOfValue } from '../value-text.ts'

const memory = new WorkerMemory()
const deps = { memory, current: { nowMicros: new ManualClock().nowMicros() } }

/** The bound form of one SQL expression over one column `c`. */
async function bind(sql: string, type: DataType): Promise<BoundExpr> {
  const catalogue: typeof testCatalogue = {
    ...testCatalogue,
    source: async (request) => ({
      ...(await testCatalogue.source({ ...request, columns: inputOf(type) })),
      systemColumns: [],
    }),
  }
  const text = `SELECT ${sql} AS r, c FROM 'memory://any';`
  const { plan } = await compile({ text, file: 'example.sql', catalogue })
  const { root } = plan.outputs[0]!
  if (root.kind !== 'project') throw new Error(`no projection: ${root.kind}`)
  return root.outputs[0]!
}

const inputOf = (type: DataType): Schema => schema([field('c', type)])

/** A result as the reference prints it. */
function printed(value: Value, type: DataType): string {
  if (value === null) return 'NULL'
  switch (type.kind) {
    case 'string':
      return `'${value as string}'`
    case 'boolean':
      return value === true ? 'TRUE' : 'FALSE'
    case 'array':
      return type.element.kind === 'string'
        ? `[${(value as readonly Value[]).map((item) => printed(item, type.element)).join(',')}]`
        : jsonOfValue(value, type)
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return textOfValue(value, type)
    default:
      return jsonOfValue(value, type)
  }
}

/** Evaluates over rows of `c`; a row that fails prints its code. */
function evaluate(expr: BoundExpr, type: DataType, rows: readonly Value[], mode: 'compiled' | 'interpreted'): string[] {
  using program = new RowProgram({
    filters: [],
    outputs: [expr],
    input: inputOf(type),
    output: schema([field('r', expr.type)]),
    mode,
    deps,
  })
  const batch = batchOf(
    inputOf(type),
    rows.map((value) => [value]),
    memory,
  )
  const result = program.run(batch)
  const good = rowsOf(result.batch).map(([value]) => printed(value!, expr.type))
  return [...good, ...result.failures.map(({ code }) => code)]
}

const LITERAL = /(?:DATE|TIMESTAMP) '[^']*'|'(?:[^']|'')*'|(?<![\w.])\d+(?:\.\d+)?(?:e\d+)?(?![\w.])/g

/** The value of a literal as written. */
function literalOf(text: string): { type: DataType; value: Value } | undefined {
  const quoted = text.slice(text.indexOf("'") + 1, -1).replaceAll("''", "'")
  if (text.startsWith('DATE')) return { type: types.date, value: parseDate(quoted)! }
  if (text.startsWith('TIMESTAMP')) return { type: types.timestamp, value: parseTimestamp(quoted)! }
  if (text.startsWith("'")) return { type: types.string, value: quoted }
  const number = numberLiteral(text)
  return number && { type: number.type, value: number.value as ExactInteger }
}

/** The example with one of its literals replaced by the column, where that still binds. */
async function overColumns(sql: string): Promise<{ expr: BoundExpr; type: DataType; value: Value }[]> {
  const found: { expr: BoundExpr; type: DataType; value: Value }[] = []
  for (const match of sql.matchAll(LITERAL)) {
    const literal = literalOf(match[0])
    if (literal === undefined) continue
    const text = `${sql.slice(0, match.index)}c${sql.slice(match.index + match[0].length)}`
    const expr = await bind(text, literal.type).catch(() => undefined)
    if (expr !== undefined) found.push({ expr, ...literal })
  }
  return found
}

const all = scalarList.flatMap(({ name, examples }) => examples.map(({ sql, result }) => ({ name, sql, result })))

test.each(all)('$sql is $result', async ({ sql, result }) => {
  const constant = await bind(sql, types.string)
  expect(evaluate(constant, types.string, ['x', null], 'compiled')).toEqual([result, result])
  expect(evaluate(constant, types.string, ['x'], 'interpreted')).toEqual([result])
  const columns = await overColumns(sql)
  const hasLiteral = [...sql.matchAll(LITERAL)].length > 0
  expect(columns.length > 0 || !hasLiteral, 'some literal can be a column').toBe(true)
  for (const { expr, type, value } of columns) {
    expect(evaluate(expr, type, [value], 'compiled'), 'over a column').toEqual([result])
    const rows = [value, null, value]
    expect(evaluate(expr, type, rows, 'compiled')).toEqual(evaluate(expr, type, rows, 'interpreted'))
  }
})

/** One domain error of each function that has some, and what NULL gives where that is not NULL. */
const failures: readonly (readonly [sql: string, result: string])[] = [
  ['1 / 0', 'row_division_by_zero'],
  ['1.5 / 0', 'row_division_by_zero'],
  ['1e0 / 0e0', 'row_division_by_zero'],
  ['1 % 0', 'row_division_by_zero'],
  ['MOD(1, 0)', 'row_division_by_zero'],
  ['DIV(1, 0)', 'row_division_by_zero'],
  ['DIV(1.5, 0)', 'row_division_by_zero'],
  ['9223372036854775807 + 1', 'row_numeric_overflow'],
  ['9223372036854775807 * 2', 'row_numeric_overflow'],
  ['1e308 * 10', 'row_numeric_overflow'],
  ['CAST(2147483647 AS INT) + CAST(1 AS INT)', 'row_numeric_overflow'],
  ['99999999999999999999999999999999999999 + 1', 'row_numeric_overflow'],
  ["DATE '9999-12-31' + 1", 'row_numeric_overflow'],
  ["TIMESTAMP '9999-12-31 23:59:59' + INTERVAL '1' SECOND", 'row_numeric_overflow'],
  ["'a' LIKE 'a\\'", 'row_invalid_argument'],
  ['SQRT(-1)', 'row_invalid_argument'],
  ['LN(0)', 'row_invalid_argument'],
  ['LOG(0)', 'row_invalid_argument'],
  ['LOG(1, 2)', 'row_invalid_argument'],
  ['LOG2(0)', 'row_invalid_argument'],
  ['LOG10(0)', 'row_invalid_argument'],
  ['POWER(0, -1)', 'row_invalid_argument'],
  ['POWER(-8, 0.5)', 'row_invalid_argument'],
  ['EXP(1000)', 'row_numeric_overflow'],
  ["SUBSTRING('abc', 1, -1)", 'row_invalid_argument'],
  ["POSITION('a', 'abc', 0)", 'row_invalid_argument'],
  ["REPEAT('abc', 100000000)", 'row_invalid_argument'],
  ["LPAD('a', 100000000)", 'row_invalid_argument'],
  ["SPLIT_PART('a', ',', 0)", 'row_invalid_argument'],
  ['CHR(0)', 'row_invalid_argument'],
  ["REGEXP_EXTRACT('ab', '(a)', 2)", 'row_invalid_argument'],
  ["TO_TIMESTAMP('x', 'YYYY-MM-DD')", 'row_invalid_argument'],
  ["TO_DATE('2026-02-30')", 'row_invalid_cast'],
  ["TIMESTAMP('x')", 'row_invalid_cast'],
  ["STRPTIME('x', '%Y')", 'row_invalid_argument'],
  ['FROM_UNIXTIME(1e18)', 'row_numeric_overflow'],
  ["DATE_BIN(INTERVAL '1' MONTH, TIMESTAMP '2026-01-01')", 'row_invalid_argument'],
  ["DATE_TRUNC('day', TIMESTAMPTZ '2026-01-01', 'Nowhere/City')", 'row_invalid_argument'],
  ["PARSE_JSON('{')", 'row_invalid_argument'],
  ["'{' -> 'a'", 'row_invalid_argument'],
  ["JSON_VALUE('{', '$.a')", 'row_invalid_argument'],
  ["FROM_JSON('[1]', 'STRUCT<a INT>')", 'row_invalid_cast'],
  ["CAST('x' AS BIGINT)", 'row_invalid_cast'],
  ['CAST(300000 AS SMALLINT)', 'row_numeric_overflow'],
  ['CAST(1e300 AS BIGINT)', 'row_numeric_overflow'],
  ["TRY_CAST('x' AS INT)", 'NULL'],
  ['MAP_FROM_ARRAYS([1,2], [1])', 'row_invalid_argument'],
  ['JSON_OBJECT(NULL VALUE 1)', 'row_invalid_argument'],
]

test.each(failures)('%s gives %s', async (sql, result) => {
  const expr = await bind(sql, types.string)
  for (const mode of ['compiled', 'interpreted'] as const) {
    expect(evaluate(expr, types.string, ['x'], mode)).toEqual([result])
  }
})

test('every function has an example or is a clock', () => {
  const without = scalarList.filter(({ examples }) => examples.length === 0).map(({ name }) => name)
  expect(without).toEqual(['NOW', 'LOCALTIMESTAMP', 'PROCTIME', 'CURRENT_DATE', 'EVENT_TIME'])
})

test('names and aliases are unique', () => {
  const names = scalarList.flatMap(({ name, aliases }) => [name, ...aliases])
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
})
