import { type DataType, decimal, field, types } from '../core/types.ts'
import { int64Of, isNumberText } from '../kernels/exact-number.ts'
import { parseDateText, parseIsoText } from '../kernels/iso-twin.ts'

/** Objects with more keys than this are data, not structure: they stay JSON. */
const STRUCT_FIELDS_MOST = 200
const EXAMPLES_MOST = 3
const EXAMPLE_CHARACTERS = 60

/** Kinds of sampled scalars. */
type ScalarKind = 'boolean' | 'bigint' | 'decimal' | 'double' | 'date' | 'timestamp' | 'string'

/** What was seen at one place of the samples. */
export class Seen {
  /** Samples in which the place could have held a value. */
  total = 0
  nulls = 0
  readonly examples: string[] = []
  readonly #scalars = new Map<ScalarKind, number>()
  #objects = 0
  #arrays = 0
  readonly #fields = new Map<string, Seen>()
  #items: Seen | undefined
  #numbers = { smallest: Number.POSITIVE_INFINITY, largest: Number.NEGATIVE_INFINITY }

  /** A JSON value with its numbers as `JsonNumber`; undefined: missing. */
  addJson(value: unknown): void {
    this.total++
    if (value === undefined || value === null) {
      this.nulls++
      return
    }
    if (typeof value === 'object' && !(value instanceof JsonNumber)) {
      this.#example(JSON.stringify(value))
      if (Array.isArray(value)) this.#addArray(value)
      else this.#addObject(value as Record<string, unknown>)
      return
    }
    this.#example(String(value))
    this.#count(jsonKind(value))
    if (value instanceof JsonNumber) this.#range(Number(value.text))
  }

  /** A field of a text file; null: NULL. */
  addText(text: string | null): void {
    this.total++
    if (text === null) {
      this.nulls++
      return
    }
    this.#example(text)
    const kind = textKind(text)
    this.#count(kind)
    if (kind === 'bigint' || kind === 'double') this.#range(Number(text))
  }

  /** Records that came before this place was first seen had no value there. */
  addMissing(count: number): void {
    this.total += count
    this.nulls += count
  }

  /** The narrowest type that fits everything seen. */
  get type(): DataType {
    const kinds = (this.#scalars.size > 0 ? 1 : 0) + (this.#objects > 0 ? 1 : 0) + (this.#arrays > 0 ? 1 : 0)
    if (kinds !== 1) return types.string
    if (this.#objects > 0) return this.#structType()
    if (this.#arrays > 0) {
      const items = this.#items
      return items === undefined || items.total === items.nulls ? types.json : { kind: 'array', element: items.#inner }
    }
    return scalarType([...this.#scalars.keys()])
  }

  /** Different kinds of values: the type is STRING and takes any of them as text. */
  get mixed(): boolean {
    const kinds = [...this.#scalars.keys()]
    const shapes = (kinds.length > 0 ? 1 : 0) + (this.#objects > 0 ? 1 : 0) + (this.#arrays > 0 ? 1 : 0)
    if (shapes > 1) return true
    return kinds.length > 1 && !kinds.includes('string') && scalarType(kinds).kind === 'string'
      ? true
      : kinds.includes('string') && kinds.some((kind) => kind === 'boolean' || isNumeric(kind))
  }

  /** Share of the values of the commonest kind. */
  get confidence(): number {
    const counts = [...this.#scalars.values(), this.#objects, this.#arrays]
    const sum = counts.reduce((a, b) => a + b, 0)
    return sum === 0 ? 0 : this.mixed ? Math.max(...counts) / sum : 1
  }

  /** True when all numbers seen could be times since 1990 in s, ms, µs or ns. */
  get isEpochLike(): boolean {
    const { smallest, largest } = this.#numbers
    const unit = largest < 1e11 ? 1 : largest < 1e14 ? 1e3 : largest < 1e17 ? 1e6 : 1e9
    return smallest / unit > 631_152_000 && largest / unit < 4_102_444_800
  }

  /** Inside of other values a mixture stays JSON: only a whole column can be told to take anything as text. */
  get #inner(): DataType {
    return this.mixed || this.total === this.nulls ? types.json : this.type
  }

  #structType(): DataType {
    if (this.#fields.size === 0 || this.#fields.size > STRUCT_FIELDS_MOST) return types.json
    return { kind: 'struct', fields: [...this.#fields].map(([name, seen]) => field(name, seen.#inner)) }
  }

  #addObject(value: Record<string, unknown>): void {
    for (const [name, item] of Object.entries(value)) {
      let seen = this.#fields.get(name)
      if (seen === undefined) {
        seen = new Seen()
        this.#fields.set(name, seen)
      }
      seen.addJson(item)
    }
    this.#objects++
  }

  #addArray(value: readonly unknown[]): void {
    this.#items ??= new Seen()
    for (const item of value) this.#items.addJson(item)
    this.#arrays++
  }

  #count(kind: ScalarKind): void {
    this.#scalars.set(kind, (this.#scalars.get(kind) ?? 0) + 1)
  }

  #range(value: number): void {
    this.#numbers.smallest = Math.min(this.#numbers.smallest, value)
    this.#numbers.largest = Math.max(this.#numbers.largest, value)
  }

  #example(text: string): void {
    const shown = text.length > EXAMPLE_CHARACTERS ? `${text.slice(0, EXAMPLE_CHARACTERS)}…` : text
    if (this.examples.length < EXAMPLES_MOST && !this.examples.includes(shown)) this.examples.push(shown)
  }
}

/** A number of a JSON text, with its spelling. */
class JsonNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  toString(): string {
    return this.text
  }
  toJSON(): number {
    return Number(this.text)
  }
}

/** JSON.parse that keeps the spelling of numbers. */
export function parseJsonNumbers(text: string): unknown {
  const parse = JSON.parse as (
    t: string,
    r: (key: string, value: unknown, context: { readonly source: string }) => unknown,
  ) => unknown
  return parse(text, (_key, value, context) => (typeof value === 'number' ? new JsonNumber(context.source) : value))
}

const isNumeric = (kind: ScalarKind): boolean => kind === 'bigint' || kind === 'decimal' || kind === 'double'

function scalarType(kinds: readonly ScalarKind[]): DataType {
  const [only, more] = kinds
  if (only !== undefined && more === undefined) return only === 'decimal' ? decimal(38, 0) : types[only]
  if (kinds.every(isNumeric)) return kinds.includes('double') ? types.double : decimal(38, 0)
  return kinds.every((kind) => kind === 'date' || kind === 'timestamp') ? types.timestamp : types.string
}

function numberKind(text: string): ScalarKind {
  if (!/^-?[0-9]+$/.test(text)) return 'double'
  if (int64Of(text) !== undefined) return 'bigint'
  return text.replace('-', '').length <= 38 ? 'decimal' : 'double'
}

function jsonKind(value: unknown): ScalarKind {
  if (value instanceof JsonNumber) return numberKind(value.text)
  if (typeof value === 'boolean') return 'boolean'
  return timeKind(value as string) ?? 'string'
}

function timeKind(text: string): 'date' | 'timestamp' | undefined {
  if (!/^[0-9]{4}-/.test(text)) return undefined
  if (parseDateText(text) !== undefined) return 'date'
  return parseIsoText(text) === undefined ? undefined : 'timestamp'
}

/** Text without leading zeros or `+` may be a number. */
function textKind(text: string): ScalarKind {
  if (/^(?:true|false)$/i.test(text)) return 'boolean'
  if (isNumberText(text)) return numberKind(text)
  return timeKind(text) ?? 'string'
}
