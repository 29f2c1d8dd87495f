import type { Option } from './option-types.ts'

export type ParsedOption = { readonly value: unknown } | { readonly fault: string; readonly hint: string | undefined }

const bad = (fault: string, hint?: string): ParsedOption => ({ fault, hint })

/** One value as written → the form that the option's type promises. Nothing is clamped. */
export function parseOptionText(
  option: Option<unknown>,
  given: string | boolean | readonly unknown[] | undefined,
): ParsedOption {
  if (Array.isArray(given)) {
    return option.type === 'list' ? { value: given.map(String) } : bad('a list is not a value of this option')
  }
  const value = given === undefined ? 'true' : String(given)
  if (given === undefined && option.type !== 'bool') return bad('a value is missing', 'write name=value')
  if (option.off === true && value === 'off') return { value: undefined }
  switch (option.type) {
    case 'text':
    case 'secret':
    case 'map':
      return { value }
    case 'list':
      return { value: splitList(value) }
    case 'int':
      return integerOf(option, value)
    case 'float': {
      const number = Number(value)
      return value.trim() === '' || Number.isNaN(number) ? bad(`"${value}" is not a number`) : inRange(option, number)
    }
    case 'bool':
      return boolOf(value)
    case 'choice':
      if (option.choices!.includes(value) || option.also?.(value) === true) return { value }
      return bad(`"${value}" is not allowed`, `one of: ${option.choices!.join(', ')}`)
    case 'dur': {
      const ms = parseDuration(value)
      const off = option.off === true ? ', or off' : ''
      return ms === undefined
        ? bad(`"${value}" is not a duration`, `write 250ms, 30s, 5m, 1h30m or PT30S${off}`)
        : inRange(option, ms)
    }
    case 'bytes': {
      const bytes = parseBytes(value)
      return bytes === undefined
        ? bad(`"${value}" is not a size`, 'write 64KiB, 10MB or a number of bytes')
        : inRange(option, bytes)
    }
    case 'ts': {
      const micros = /^-?\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) * 1000
      return Number.isNaN(micros)
        ? bad(`"${value}" is not a time`, 'write 2026-01-31T10:00:00Z or epoch milliseconds')
        : { value: micros }
    }
    case 'char':
      return charOf(value)
  }
}

function integerOf(option: Option<unknown>, value: string): ParsedOption {
  const plain = plainInteger(value)
  if (plain >= 0) return inRange(option, plain)
  if (!/^[+-]?\d+(_\d+)*$/.test(value)) return bad(`"${value}" is not an integer`)
  return inRange(option, Number(value.replaceAll('_', '')))
}

/** A text of one to fifteen digits as a number; −1 for anything else. */
function plainInteger(value: string): number {
  if (value.length === 0 || value.length > 15) return -1
  let number = 0
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return -1
    number = number * 10 + digit
  }
  return number
}

function inRange(option: Option<unknown>, value: number): ParsedOption {
  const { min, max } = option
  if ((min !== undefined && value < min) || (max !== undefined && value > max)) {
    const range = min === undefined ? `at most ${max}` : max === undefined ? `at least ${min}` : `${min}…${max}`
    return bad(`${value} is out of range`, `allowed: ${range}`)
  }
  return { value }
}

const TRUE: ParsedOption = { value: true }
const FALSE: ParsedOption = { value: false }

function boolOf(value: string): ParsedOption {
  if (value === 'true') return TRUE
  if (value === 'false') return FALSE
  if (/^(true|1|yes|on)$/i.test(value)) return { value: true }
  if (/^(false|0|no|off)$/i.test(value)) return { value: false }
  return bad(`"${value}" is neither true nor false`, 'one of: true, false, yes, no, on, off, 1, 0')
}

const named: Readonly<Record<string, string>> = { '\\t': '\t', '\\n': '\n', '\\r': '\r', '\\\\': '\\', '\\0': '\0' }

function charOf(value: string): ParsedOption {
  const hex = /^\\x([0-9a-fA-F]{2})$/.exec(value)
  if (hex !== null) return { value: String.fromCharCode(Number.parseInt(hex[1]!, 16)) }
  const known = named[value]
  if (known !== undefined) return { value: known }
  return [...value].length === 1
    ? { value }
    : bad(`"${value}" is not one character`, 'write one character, \\t or \\x1f')
}

/** Comma-separated; `\,` is a comma inside a value. */
function splitList(value: string): string[] {
  if (value === '') return []
  return value.split(/(?<!\\),/).map((part) => part.replaceAll('\\,', ',').trim())
}

const unitMs: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  sec: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** A duration of code: milliseconds, or a text such as `250ms`; undefined for anything else. */
export function millisOf(value: number | string): number | undefined {
  const ms = typeof value === 'string' ? parseDuration(value) : value
  return typeof ms === 'number' && Number.isFinite(ms) && ms >= 0 ? ms : undefined
}

/** `250ms`, `1h30m`, `PT30S`; a bare integer is milliseconds. Undefined when it does not parse. */
export function parseDuration(value: string): number | undefined {
  if (/^\d+$/.test(value)) return Number(value)
  const iso = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(value)
  if (iso !== null && value.length > 2 && !value.endsWith('T')) {
    const [, d = '0', h = '0', m = '0', s = '0'] = iso
    return Number(d) * 86_400_000 + Number(h) * 3_600_000 + Number(m) * 60_000 + Number(s) * 1000
  }
  if (!/^(\d+(\.\d+)?[a-z]+\s*)+$/.test(value)) return undefined
  let total = 0
  for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)([a-z]+)/g)) {
    const ms = unitMs[unit!]
    if (ms === undefined) return undefined
    total += Number(amount) * ms
  }
  return total
}

/** `64KiB`, `10MB`, `1g`; a bare integer is bytes. Undefined when it does not parse. */
export function parseBytes(value: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(b|kb|kib|k|mb|mib|m|gb|gib|g|tb|tib|t)?$/i.exec(value)
  if (match === null) return undefined
  const unit = (match[2] ?? 'b').toLowerCase()
  const power = 'bkmgt'.indexOf(unit[0]!)
  const base = unit.endsWith('ib') || unit.length === 1 ? 1024 : 1000
  return Math.round(Number(match[1]) * base ** power)
}
