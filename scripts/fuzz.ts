// npm run fuzz -- --n 1000000 [--seed N]: generated and mutated inputs against independent oracles.
import { freshSeed } from '../src/core/random.ts'
import { fuzzCsv } from './fuzz/csv.ts'
import { fuzzCsvDuckDb } from './fuzz/csv-duckdb.ts'
import { fuzzCsvTyped } from './fuzz/csv-typed.ts'
import { fuzzDoubles } from './fuzz/doubles.ts'
import { fuzzJson } from './fuzz/json.ts'

const LIMITS = 'JSON nesting 64, line 16 MiB, field 1 MiB'

function argument(name: string, fallback: number): number {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? fallback : Number(process.argv[at + 1])
}

let failed = 0

function check(
  what: string,
  ok: boolean,
  shown: Readonly<Record<string, unknown>>,
  failures: readonly unknown[],
): void {
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${what} ${JSON.stringify(shown)}`)
  for (const failure of failures.slice(0, 5)) console.log(`     ${String(failure)}`)
  if (!ok) failed++
}

const percent = (part: number, whole: number): string => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`

function json(n: number, seed: number, strict: boolean): void {
  const report = fuzzJson(n, seed, strict)
  const values = report.kernelValues + report.fallbackValues
  const ok =
    report.failures.length === 0 &&
    report.wrongRejects === 0 &&
    report.accepted * 2 >= report.inputs &&
    report.kernelValues >= values * 0.8
  const shown = {
    inputs: report.inputs,
    accepted: percent(report.accepted, report.inputs),
    rejects: report.rejects,
    rejectsOfAccepted: report.wrongRejects,
    fromKernel: percent(report.kernelValues, values),
    disagreements: report.failures.length,
  }
  check(`json strict=${strict}, against JSON.parse and with the kernel off`, ok, shown, report.failures)
}

const n = argument('n', 20_000)
const seed = argument('seed', freshSeed())
console.log(`seed ${seed}, limits: ${LIMITS}`)
// Warm: what is allocated once is there before memory is looked at.
fuzzJson(Math.ceil(n / 10), seed, false)
const before = process.memoryUsage().rss
json(n, seed, false)
json(n, seed, true)
const csv = fuzzCsv(n, seed)
const csvShown = {
  inputs: csv.inputs,
  rejects: csv.rejects,
  rejectsOfAccepted: csv.wrongRejects,
  fromKernel: percent(csv.kernelValues, csv.kernelValues + csv.fallbackValues),
  disagreements: csv.failures.length,
}
check('csv, against the rules and with the kernel off', csv.failures.length === 0, csvShown, csv.failures)
const typed = fuzzCsvTyped(n, seed)
check(
  'csv of typed columns, kernel against twin',
  typed.length === 0,
  { inputs: n, disagreements: typed.length },
  typed,
)
const wrong = fuzzDoubles(n, seed)
check('doubles, against JSON.stringify', wrong.length === 0, { inputs: n, disagreements: wrong.length }, wrong)
console.log(`memory: ${Math.round((process.memoryUsage().rss - before) / 1e6)} MB more at the end`)
const duck = await fuzzCsvDuckDb(n, seed)
check(
  'csv, against DuckDB',
  duck.failures.length === 0,
  { inputs: duck.inputs, disagreements: duck.failures.length },
  duck.failures,
)
process.exitCode = failed === 0 ? 0 : 1
