import type { DataType } from '../../src/core/types.ts'
import type { DecoderColumn } from '../../src/formats/decoder.ts'

/** A record as the oracle reads it: JSON.parse decides what is JSON, a few lines of BigInt what fits. */
export type Verdict =
  | { readonly kind: 'row'; readonly values: readonly unknown[] }
  /** JSON, but a value does not fit its column. */
  | { readonly kind: 'misfit' }
  | { readonly kind: 'not-json' }
  /** A repeated key that a column reads: default mode promises nothing there. */
  | { readonly kind: 'repeated' }

class Num {
  readonly source: string
  constructor(source: string) {
    this.source = source
  }
}

const MISFIT = Symbol('misfit')
const parse = JSON.parse as (t: string, r: (k: string, v: unknown, c: { source: string }) => unknown) => unknown

export function judge(record: Uint8Array, columns: readonly DecoderColumn[]): Verdict {
  let root: unknown
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(record)
    root = parse(text, (_k, v, c) => (typeof v === 'number' ? new Num(c.source) : v))
  } catch {
    return { kind: 'not-json' }
  }
  if (!isObject(root)) return { kind: 'misfit' }
  const values = columns.map((column) => {
    let at: unknown = root
    for (const key of column.path) at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined
    return fitted(at, column.type)
  })
  if (repeats(text)) return { kind: 'repeated' }
  return values.some(hasMisfit) ? { kind: 'misfit' } : { kind: 'row', values }
}

const hasMisfit = (value: unknown): boolean => value === MISFIT || (Array.isArray(value) && value.some(hasMisfit))

const isObject = (v: unknown): v is Record<string, unknown> =>
  typeof v === 'object' && v !== null && !Array.isArray(v) && !(v instanceof Num)

/** True when some object of the text repeats a key: then writing out what was parsed is shorter in keys. */
function repeats(text: string): boolean {
  let keys = 0
  JSON.parse(text, function (this: unknown, key, value: unknown) {
    if (key !== '' && !Array.isArray(this)) keys++
    if (key === '' && isObject(this) && Object.keys(this).length > 0 && Object.hasOwn(this, '')) keys += 0
    return value
  })
  const strings = text.match(/"(?:[^"\\]|\\.)*"\s*:/gs)?.length ?? 0
  return strings !== keys
}

/** Number text as mantissa × 10^exponent. */
function rational(source: string): { readonly m: bigint; readonly e: number } | undefined {
  const match = /^(-?\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source)
  if (match === null || /^-?0\d/.test(source)) return undefined
  const fraction = match[2] ?? ''
  return { m: BigInt(match[1]! + fraction), e: Number(match[3] ?? 0) - fraction.length }
}

function scaled(source: string, scale: number): bigint | undefined {
  const r = rational(source)
  if (r === undefined) return undefined
  const e = r.e + scale
  if (r.m === 0n) return 0n
  if (e > 100 || e < -100) return undefined
  if (e >= 0) return r.m * 10n ** BigInt(e)
  return r.m % 10n ** BigInt(-e) === 0n ? r.m / 10n ** BigInt(-e) : undefined
}

const within = (v: bigint | undefined, limit: bigint): bigint | typeof MISFIT =>
  v === undefined || v >= limit || v < -limit ? MISFIT : v

function micros(v: bigint | undefined): unknown {
  if (v === undefined || v >= 2n ** 63n || v < -(2n ** 63n)) return MISFIT
  const a = v < 0n ? -v : v
  if (a < 10n ** 11n) return v * 1000000n
  if (a < 10n ** 14n) return v * 1000n
  if (a < 10n ** 17n) return v
  const r = (((v + 500n) % 1000n) + 1000n) % 1000n
  return (v + 500n - r) / 1000n
}

function isoMicros(text: string): unknown {
  const m = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(:\d\d)?(?:\.(\d{1,9}))?(Z|[+-]\d\d(?::?\d\d)?)?)?$/.exec(text)
  if (m === null || (m[4] !== undefined && m[3] === undefined) || m[1]!.startsWith('0000')) return MISFIT
  let zone = m[5] ?? 'Z'
  if (/^[+-]\d\d$/.test(zone)) zone += ':00'
  if (/^[+-]\d{4}$/.test(zone)) zone = `${zone.slice(0, 3)}:${zone.slice(3)}`
  if (m[2]?.startsWith('24') || m[3] === ':60') return MISFIT
  const day = new Date(`${m[1]}T00:00:00Z`)
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== m[1]) return MISFIT
  const ms = Date.parse(`${m[1]}T${m[2] ?? '00:00'}${m[3] ?? ':00'}${zone}`)
  if (Number.isNaN(ms)) return MISFIT
  return BigInt(ms) * 1000n + (BigInt((m[4] ?? '').padEnd(9, '0')) + 500n) / 1000n
}

function fitted(v: unknown, type: DataType): unknown {
  if (v === undefined || v === null) return null
  if (type.kind === 'struct')
    return isObject(v) ? type.fields.map((f) => fitted(Object.hasOwn(v, f.name) ? v[f.name] : null, f.type)) : MISFIT
  if (type.kind === 'json') return plain(v)
  if (type.kind === 'string') return typeof v === 'string' ? v.toWellFormed() : MISFIT
  if (type.kind === 'boolean') return typeof v === 'boolean' ? v : MISFIT
  const source = v instanceof Num ? v.source : typeof v === 'string' ? v : undefined
  if (source === undefined) return MISFIT
  switch (type.kind) {
    case 'double':
      if (rational(source) !== undefined) return Number(source)
      return ['NaN', 'Infinity', '-Infinity'].includes(source) ? Number(source) : MISFIT
    case 'bigint':
      return within(scaled(source, 0), 2n ** 63n)
    case 'int':
      return within(scaled(source, 0), 2n ** 31n)
    case 'decimal': {
      const u = scaled(source, type.scale)
      return u === undefined || u >= 10n ** BigInt(type.precision) || -u >= 10n ** BigInt(type.precision) ? MISFIT : u
    }
    case 'timestamp':
      return rational(source) !== undefined ? micros(scaled(source, 0)) : v instanceof Num ? MISFIT : isoMicros(source)
    case 'date': {
      const m = v instanceof Num || !/^\d{4}-\d\d-\d\d$/.test(source) ? MISFIT : isoMicros(source)
      return typeof m === 'bigint' ? m / 86400000000n : MISFIT
    }
    default:
      return MISFIT
  }
}

/** A JSON value for comparison, numbers by their text. */
export function plain(v: unknown): unknown {
  if (v instanceof Num) return `#${v.source}`
  if (Array.isArray(v)) return v.map(plain)
  if (isObject(v)) return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, plain(x)]))
  return v
}

export const plainText = (text: string): unknown =>
  plain(parse(text, (_k, v, c) => (typeof v === 'number' ? new Num(c.source) : v)))
