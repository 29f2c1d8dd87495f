import { createHash } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Random } from '../../src/core/random.ts'

/** A field of a drawn record. */
export interface ShapeField {
  /** Keys from the record's root: one, or two when it lies in a nested object. */
  readonly path: readonly string[]
  readonly kind: 'time' | 'key' | 'number' | 'integer' | 'text' | 'boolean'
  /** Read by the query. */
  readonly read: boolean
  /** Characters of a text. */
  readonly length: number
}

export interface Shape {
  readonly name: string
  readonly fields: readonly ShapeField[]
}

/** Three shapes from the first words of the SHA-256 of a commit: 8–25 fields, 2–6 of them read. */
export function drawShapes(commit: string, nested: boolean): readonly Shape[] {
  const words = createHash('sha256').update(commit).digest()
  return [0, 1, 2].map((i) =>
    drawShape(
      `shape-${words.toString('hex', 4 * i, 4 * i + 4)}${nested ? '' : '-flat'}`,
      words.readUInt32BE(4 * i),
      nested,
    ),
  )
}

const KINDS = ['number', 'integer', 'text', 'text', 'boolean'] as const

function drawShape(name: string, seed: number, nested: boolean): Shape {
  const random = new Random(seed)
  const count = random.between(8, 25)
  const values = random.between(1, 4)
  const fields: ShapeField[] = [
    { path: ['at'], kind: 'time', read: true, length: 0 },
    { path: ['who'], kind: 'key', read: true, length: random.between(2, 24) },
  ]
  for (let i = 0; i < values; i++)
    fields.push(field(random, `v${i}`, random.pick(['number', 'integer'] as const), true, nested))
  while (fields.length < count) fields.push(field(random, `x${fields.length}`, random.pick(KINDS), false, nested))
  for (let i = fields.length - 1; i > 0; i--) {
    const other = random.below(i + 1)
    const swapped = fields[i]!
    fields[i] = fields[other]!
    fields[other] = swapped
  }
  return { name, fields }
}

function field(random: Random, name: string, kind: ShapeField['kind'], read: boolean, nested: boolean): ShapeField {
  const path = nested && random.chance(0.25) ? ['data', name] : [name]
  return { path, kind, read, length: random.between(2, 60) }
}

const CHUNK = 1 << 20
/** 2026-01-01T00:00:00Z in milliseconds. */
const START = 1_767_225_600_000
const SPAN_MS = 20 * 60_000
const KEYS = 10_000
const TEXT = 'the quick brown fox jumps over the lazy dog and runs away from all of it again '

/** Records of a shape as JSON lines or CSV, made once; returns the path. */
export function shapeFile(
  shape: Shape,
  records: number,
  form: { readonly directory: string; readonly csv: boolean },
): string {
  mkdirSync(form.directory, { recursive: true })
  const path = join(form.directory, `${shape.name}-${records}.${form.csv ? 'csv' : 'jsonl'}`)
  if (existsSync(path)) return path
  const random = new Random(records)
  const file = openSync(`${path}.partial`, 'w')
  let chunk = form.csv ? `${shape.fields.map(({ path: keys }) => keys.join('_')).join(',')}\n` : ''
  for (let i = 0; i < records; i++) {
    const values = shape.fields.map((one) => drawnValue(one, random, i, records))
    chunk += form.csv ? `${values.join(',')}\n` : `${JSON.stringify(recordOf(shape, values))}\n`
    if (chunk.length < CHUNK) continue
    writeSync(file, chunk)
    chunk = ''
  }
  writeSync(file, chunk)
  closeSync(file)
  renameSync(`${path}.partial`, path)
  return path
}

function drawnValue(
  { kind, length }: ShapeField,
  random: Random,
  i: number,
  records: number,
): string | number | boolean {
  switch (kind) {
    case 'time':
      return Math.max(
        START,
        START + Math.floor((i / records) * SPAN_MS) - (random.chance(0.1) ? random.below(2000) : 0),
      )
    case 'key':
      return `k${random.below(KEYS)}`.padEnd(length, 'z')
    case 'number':
      return random.below(100_000) / 100
    case 'integer':
      return random.below(100_000)
    case 'boolean':
      return random.chance(0.5)
    case 'text': {
      const start = random.below(TEXT.length - 61)
      return TEXT.slice(start, start + length)
    }
  }
}

/** Keys of a nested object stand together, where its first field stands. */
function recordOf(shape: Shape, values: readonly unknown[]): Record<string, unknown> {
  const record: Record<string, unknown> = {}
  shape.fields.forEach(({ path }, i) => {
    const [first, second] = path as [string, string | undefined]
    if (second === undefined) record[first] = values[i]
    else {
      const inner = (record[first] ??= {}) as Record<string, unknown>
      inner[second] = values[i]
    }
  })
  return record
}
