import type { CsvField } from '../../kernels/csv-scan-twin.ts'

/** Column names of a header record: a repeated name gets `_2`, `_3` …, an empty one its position. */
export function headerNames(fields: readonly CsvField[]): string[] {
  const names: string[] = []
  const taken = new Set<string>()
  fields.forEach((field, position) => {
    const text = Buffer.from(field.bytes).toString()
    const base = text === '' ? `col_${position}` : text
    let name = base
    for (let n = 2; taken.has(name); n++) name = `${base}_${n}`
    taken.add(name)
    names.push(name)
  })
  return names
}

/** Names of fields without a header: `col_0`, `col_1`, …. */
export const positionNames = (width: number): string[] => Array.from({ length: width }, (_, i) => `col_${i}`)

/** Position of a column: the exact name, else the only one that differs in case; −1 when there is none. */
export function positionOf(name: string, names: readonly string[]): number {
  const at = names.indexOf(name)
  if (at >= 0) return at
  const lower = name.toLowerCase()
  const found = names.flatMap((other, i) => (other.toLowerCase() === lower ? [i] : []))
  return found.length === 1 ? found[0]! : -1
}
