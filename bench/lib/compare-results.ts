import { readFileSync } from 'node:fs'
import type { PipelineBench } from '../pipelines/definition.ts'

/** Throws unless two JSON-lines results agree: keys and exact columns as text, doubles within 1e-12 · Σ|x|. */
export function compareResults(bench: PipelineBench, ours: string, peer: string): number {
  const left = rowsOf(bench, ours)
  const right = rowsOf(bench, peer)
  if (left.length !== right.length) throw new Error(`${bench.name}: ${left.length} rows, the peer has ${right.length}`)
  for (const [i, row] of left.entries()) {
    const other = right[i]!
    if (row.text !== other.text) throw new Error(`${bench.name}: ${row.text}, the peer has ${other.text}`)
    for (const [k, value] of row.doubles.entries()) {
      const expected = other.doubles[k]!
      const scale = Math.max(1, row.n) * Math.max(Math.abs(value), Math.abs(expected))
      if (Math.abs(value - expected) > 1e-12 * scale) {
        throw new Error(`${bench.name}: ${row.text}: ${value}, the peer has ${expected}`)
      }
    }
  }
  return left.length
}

interface ComparedRow {
  readonly text: string
  readonly doubles: readonly number[]
  readonly n: number
}

function rowsOf(bench: PipelineBench, path: string): ComparedRow[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const record = JSON.parse(line) as Record<string, unknown>
      const text = [...bench.key, ...bench.exact].map((name) => plain(record[name])).join('|')
      const doubles = bench.doubles.map((name) => (record[name] === null ? 0 : Number(record[name])))
      return { text, doubles, n: Number(record['n'] ?? 1) }
    })
    .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
}

/** Times are written in several forms. */
function plain(value: unknown): string {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d[T ]/.test(value)) {
    return new Date(`${value.replace(' ', 'T').replace(/Z$/, '')}Z`).toISOString()
  }
  return String(value)
}
