import type { Random } from '../../src/core/random.ts'

const KEYS = [
  'a',
  'b',
  's',
  't',
  'f',
  'd',
  'j',
  'n',
  'o',
  'g',
  'when',
  'x1',
  'unread',
  'a long key that no step holds whole',
]
const WORDS = [
  '',
  'x',
  'user',
  'Zürich',
  '日本',
  '😀',
  'a'.repeat(17),
  'b'.repeat(40),
  'tab\t',
  'q"q',
  'back\\',
  'nul\u0000',
  '\u2028',
]
export const NUMBERS = [
  '0',
  '-0',
  '1',
  '-1',
  '12',
  '1.5',
  '-2.25',
  '1e3',
  '1E-2',
  '0.1',
  '123456789012345',
  '1234567890123456',
  '9007199254740991',
  '9007199254740993',
  '-9007199254740993',
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775808',
  '1e400',
  '5e-324',
  '2.2250738585072011e-308',
  '1.7976931348623157e308',
  '327267367867168100000',
  '3791411052119578828',
  '0.30000000000000004',
  '1.0',
  '100e-2',
  '12345678901234567890123456789012345678',
  '0.00000000000000000000001',
  '4.35',
  '1767225600',
  '1767225600000',
  '1767225600000000',
  '1767225600000000000',
  '123456.7891',
  '32768',
  '-32769',
  '2147483648',
]
export const TIMES = [
  '2026-01-31T10:00:00Z',
  '2026-01-31 10:00:00',
  '2026-01-31T10:00:00.123456789+02:00',
  '2026-01-31',
  '2026-02-29T00:00:00Z',
  '1969-12-31T23:59:59.5Z',
  '9999-12-31T23:59:59.999999Z',
  '2026-01-31T24:00:00Z',
  '2024-02-29T12:30-0530',
  '0001-01-01T00:00:00Z',
]

/** JSON objects as text, one a line, of a few shapes mostly and of all shapes sometimes. */
export class JsonSource {
  readonly #random: Random
  readonly #shapes: string[][] = []

  constructor(random: Random) {
    this.#random = random
    for (let i = 0; i < 6; i++) this.#shapes.push(this.#shuffled(KEYS).slice(0, random.between(3, KEYS.length)))
  }

  /** One record, valid JSON. */
  record(): string {
    const random = this.#random
    const keys = random.chance(0.9)
      ? this.#almost(random.pick(this.#shapes))
      : this.#shuffled(KEYS).slice(0, random.below(KEYS.length))
    const gap = random.chance(0.85) ? '' : random.pick([' ', '  ', '\t'])
    const odd = random.chance(0.2)
    const pairs = keys.map((key) => `${this.#key(key)}${gap}:${gap}${this.#valueOf(key, odd && random.chance(0.4))}`)
    if (random.chance(0.01) && pairs.length > 0) pairs.push(random.pick(pairs))
    return `${gap}{${gap}${pairs.join(`${gap},${gap}`)}${gap}}${gap}`
  }

  /** The same bytes with a few faults. */
  mutate(record: Uint8Array): Uint8Array {
    const random = this.#random
    let bytes = Array.from(record)
    for (let i = random.between(1, 3); i > 0 && bytes.length > 0; i--) {
      const at = random.below(bytes.length)
      const kind = random.below(5)
      if (kind === 0) bytes[at] = random.below(256)
      else if (kind === 1) bytes.splice(at, 1)
      else if (kind === 2)
        bytes.splice(at, 0, random.pick([0x22, 0x5c, 0x7b, 0x7d, 0x2c, 0x3a, 0x30, 0x2d, 0x65, 0xff]))
      else if (kind === 3) bytes = bytes.slice(0, at)
      else bytes.splice(at, 0, ...bytes.slice(random.below(bytes.length)).slice(0, 8))
    }
    return Uint8Array.from(bytes.map((c) => (c === 10 ? 32 : c)))
  }

  /** A shape with a key left out here and there. */
  #almost(shape: readonly string[]): readonly string[] {
    return this.#random.chance(0.8) ? shape : shape.filter(() => this.#random.chance(0.85))
  }

  #shuffled(keys: readonly string[]): string[] {
    const out = [...keys]
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.#random.below(i + 1)
      ;[out[i], out[j]] = [out[j]!, out[i]!]
    }
    return out
  }

  #key(key: string): string {
    const text = JSON.stringify(key)
    return this.#random.chance(0.003) ? `"\\u00${key.charCodeAt(0).toString(16)}${text.slice(2)}` : text
  }

  /** A value that fits its column, or (odd) any value. */
  #valueOf(key: string, odd: boolean): string {
    const random = this.#random
    if (random.chance(0.04)) return 'null'
    if (odd) return this.#any(2)
    switch (key) {
      case 'a':
        return random.chance(0.3) ? random.pick(NUMBERS) : this.#double()
      case 'b':
        return random.chance(0.1) ? String(random.uint32() * 2147483 + 1) : String(random.between(-9999999, 9999999))
      case 's':
        return this.#string()
      case 't':
        return random.chance(0.5)
          ? String(1767225600000 + random.below(1e9))
          : JSON.stringify(random.pick(TIMES.slice(0, 4)))
      case 'f':
        return random.pick(['true', 'false'])
      case 'd':
        return `${random.between(-99999, 99999)}.${random.below(10000)}`
      case 'n':
        return random.chance(0.05)
          ? JSON.stringify(String(random.below(1000)))
          : String(random.between(-2147483648, 2147483647))
      case 'o':
        return random.chance(0.9)
          ? `{"x":${this.#double()},"y":${this.#string()}}`
          : random.pick(['{}', '{"y":"only"}', '{"z":1,"x":2}'])
      case 'g':
        return random.chance(0.9)
          ? `{"lat":${this.#double()},"n":{"z":${random.below(100)}}}`
          : random.pick(['{}', '[]', '5', '{"n":null}'])
      case 'when':
        return JSON.stringify(random.pick(['2026-01-31', '2024-02-29', '1970-01-01']))
      default:
        return this.#any(3)
    }
  }

  #any(depth: number): string {
    const random = this.#random
    switch (random.below(depth > 0 ? 7 : 5)) {
      case 0:
        return random.pick(NUMBERS)
      case 1:
        return this.#string()
      case 2:
        return random.pick(['true', 'false', 'null'])
      case 3:
        return JSON.stringify(random.pick(TIMES))
      case 4:
        return `"${random.pick(NUMBERS)}"`
      case 5:
        return `[${Array.from({ length: random.below(4) }, () => this.#any(depth - 1)).join(random.pick([',', ' , ']))}]`
      default:
        return `{${Array.from({ length: random.below(4) }, () => `${JSON.stringify(random.pick(KEYS))}:${this.#any(depth - 1)}`).join(',')}}`
    }
  }

  #double(): string {
    const random = this.#random
    const x = (random.float() - 0.5) * 10 ** random.between(-8, 12)
    return random.chance(0.6) ? x.toFixed(random.below(5)) : JSON.stringify(x)
  }

  #string(): string {
    const random = this.#random
    if (random.chance(0.05)) return '"\\ud83d\\ude00\\ud800x\\/\\b\\f\\n\\r\\t\\u00e9"'
    return JSON.stringify(random.pick(WORDS) + (random.chance(0.5) ? random.below(1e6) : ''))
  }
}
