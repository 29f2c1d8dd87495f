import type { WorkerMemory } from '../core/memory.ts'
import type { CsvDialect } from './csv-dialect.ts'

/** One field: bytes without quotes, escapes resolved. */
export interface CsvField {
  readonly quoted: boolean
  readonly bytes: Uint8Array
  /** Address when the bytes stand in the memory as they are. */
  readonly address: number | undefined
}

export type CsvRecord =
  /** `end` is where the line break begins, `next` what follows it. */
  | { readonly kind: 'record'; readonly fields: readonly CsvField[]; readonly end: number; readonly next: number }
  /** Something stands between a closing quote and the delimiter; `end` and `next` are those of the line. */
  | { readonly kind: 'malformed'; readonly end: number; readonly next: number }
  /** A blank line or a comment. */
  | { readonly kind: 'nothing'; readonly next: number }
  /** The limit came first. */
  | { readonly kind: 'incomplete' }

const LF = 10
const CR = 13
const BLANK = 32
const NOTHING = new Uint8Array(0)

/** Splits one record into fields, in TypeScript: oracle and fallback of asm/csv-scan.ts. */
export class CsvRecordReader {
  readonly #memory: WorkerMemory
  readonly #dialect: CsvDialect
  #bytes: Uint8Array
  #limit = 0
  #at = 0

  constructor(memory: WorkerMemory, dialect: CsvDialect) {
    this.#memory = memory
    this.#dialect = dialect
    this.#bytes = memory.bytes
  }

  /** Reads the record at `start`; `blankLines`: a blank line is a record of one empty field. */
  read(start: number, limit: number, blankLines: boolean): CsvRecord {
    this.#bytes = this.#memory.bytes
    this.#limit = limit
    const first = this.#bytes[start]!
    if (first === this.#dialect.comment || (isBreak(first) && !blankLines)) {
      const end = this.#lineEnd(start)
      const next = end < 0 ? -1 : this.#behind(end)
      return next < 0 ? { kind: 'incomplete' } : { kind: 'nothing', next }
    }
    const fields: CsvField[] = []
    this.#at = start
    for (;;) {
      const field = this.#field()
      if (field === 'incomplete') return { kind: 'incomplete' }
      if (field === 'malformed') {
        const end = this.#lineEnd(this.#at)
        const next = end < 0 ? -1 : this.#behind(end)
        return next < 0 ? { kind: 'incomplete' } : { kind: 'malformed', end, next }
      }
      fields.push(field)
      if (this.#at >= limit) return { kind: 'incomplete' }
      if (this.#bytes[this.#at] !== this.#dialect.delimiter) break
      this.#at++
    }
    const next = this.#behind(this.#at)
    return next < 0 ? { kind: 'incomplete' } : { kind: 'record', fields, end: this.#at, next }
  }

  /** Behind the line break at `end`; −1 when a line feed may follow a carriage return at the limit. */
  #behind(end: number): number {
    if (this.#bytes[end] !== CR) return end + 1
    if (end + 1 >= this.#limit) return -1
    return this.#bytes[end + 1] === LF ? end + 2 : end + 1
  }

  #lineEnd(from: number): number {
    for (let p = from; p < this.#limit; p++) if (isBreak(this.#bytes[p]!)) return p
    return -1
  }

  #field(): CsvField | 'incomplete' | 'malformed' {
    const { delimiter, quote, trim } = this.#dialect
    const bytes = this.#bytes
    if (trim && delimiter !== BLANK) while (bytes[this.#at] === BLANK) this.#at++
    if (bytes[this.#at] === quote && this.#at < this.#limit) return this.#quoted()
    const start = this.#at
    let p = start
    while (p < this.#limit && bytes[p] !== delimiter && !isBreak(bytes[p]!)) p++
    if (p >= this.#limit) return 'incomplete'
    this.#at = p
    if (trim) while (p > start && bytes[p - 1] === BLANK) p--
    return { quoted: false, bytes: bytes.subarray(start, p), address: start }
  }

  #quoted(): CsvField | 'incomplete' | 'malformed' {
    const { delimiter, quote, escape: escapeByte, trim } = this.#dialect
    const bytes = this.#bytes
    const start = this.#at + 1
    const parts: Uint8Array[] = []
    let from = start
    for (let p = start; p < this.#limit; p++) {
      const c = bytes[p]
      const next = bytes[p + 1]
      if (
        c === escapeByte &&
        (next === quote || (next === escapeByte && escapeByte !== quote)) &&
        p + 1 < this.#limit
      ) {
        parts.push(bytes.slice(from, p))
        from = ++p
      } else if (c === quote) {
        parts.push(parts.length === 0 ? bytes.subarray(from, p) : bytes.slice(from, p))
        this.#at = p + 1
        if (trim) while (bytes[this.#at] === BLANK) this.#at++
        const after = bytes[this.#at]!
        if (after !== delimiter && !isBreak(after)) return this.#at < this.#limit ? 'malformed' : 'incomplete'
        if (parts.length > 1) return { quoted: true, bytes: Buffer.concat(parts), address: undefined }
        return { quoted: true, bytes: parts[0] ?? NOTHING, address: start }
      }
    }
    return 'incomplete'
  }
}

const isBreak = (c: number): boolean => c === LF || c === CR
