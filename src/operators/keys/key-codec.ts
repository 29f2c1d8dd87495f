import { columnKind } from '../../core/column.ts'
import { textAt } from '../../core/column-read.ts'
import { unreachable } from '../../core/errors.ts'
import { jsonText, valueFromJsonText } from '../../core/json-text.ts'
import type { WorkerMemory } from '../../core/memory.ts'
import type { DataType } from '../../core/types.ts'
import { type ExactInteger, exact, type Value } from '../../core/values.ts'
import type { LoopCode, Operand } from '../../expr/loop.ts'
import type { KeyWriter } from './key-writer.ts'

/** `none`: one group. `text`: one text column, its bytes are the key. `word`: one column of 8 bytes. Else `tuple`. */
export type KeyForm = 'none' | 'text' | 'word' | 'tuple'

type Part = 'integer' | 'wide' | 'double' | 'boolean' | 'text' | 'json'

function partOf(type: DataType): Part {
  switch (columnKind(type)) {
    case 'f64':
      return 'double'
    case 'i32':
    case 'i64':
      return 'integer'
    case 'decimal':
      return type.kind === 'decimal' && type.precision > 18 ? 'wide' : 'integer'
    case 'bool':
      return 'boolean'
    case 'utf8':
    case 'dict':
      return 'text'
    case 'struct':
    case 'boxed':
      return 'json'
  }
}

/** Turns the key columns of a grouping into canonical bytes and back. */
export class KeyCodec {
  readonly form: KeyForm
  readonly types: readonly DataType[]
  readonly #parts: readonly Part[]

  constructor(types: readonly DataType[]) {
    this.types = types
    this.#parts = types.map(partOf)
    const [only] = this.#parts
    if (only === undefined) this.form = 'none'
    else if (this.#parts.length > 1 || only === 'wide' || only === 'json') this.form = 'tuple'
    else this.form = only === 'text' ? 'text' : 'word'
  }

  /** Writes the code that gives the row at hand its key; `writer` names the KeyWriter, `spans` its array,
   * `position` the row's place. */
  emit(
    code: LoopCode,
    operands: readonly Operand[],
    names: { readonly writer: string; readonly spans: string; readonly position: string },
  ): void {
    const { writer, position } = names
    if (this.form === 'none') return
    if (this.form === 'tuple') {
      code.line(`${writer}.begin(${8 + 16 * operands.length}); ${writer}.integer(${nullBits(operands)})`)
      operands.forEach((operand, i) => {
        const part = emitPart(this.#parts[i]!, this.types[i]!, operand, { writer, json: code })
        code.line(operand.isNull === 'false' ? part : `if (!(${operand.isNull})) { ${part} }`)
      })
      code.line(`${writer}.end(${position})`)
      return
    }
    const operand = operands[0]!
    const key =
      this.form === 'word'
        ? `${writer}.begin(8); ${emitPart(this.#parts[0]!, this.types[0]!, operand, { writer, json: code })}; ${writer}.end(${position})`
        : emitWholeText(this.types[0]!, operand, names)
    code.line(
      operand.isNull === 'false' ? key : `if (${operand.isNull}) ${writer}.nullKey(${position}); else { ${key} }`,
    )
  }

  /** The interpreter's way to the same bytes. */
  write(writer: KeyWriter, values: readonly Value[], position: number): void {
    if (this.form === 'none') return
    if (this.form === 'tuple') {
      writer.begin(8 + 16 * values.length)
      writer.integer(values.reduce<number>((bits, value, i) => bits + (value === null ? 2 ** i : 0), 0))
      values.forEach((value, i) => {
        if (value !== null) writePart(writer, this.#parts[i]!, this.types[i]!, value)
      })
      writer.end(position)
      return
    }
    const value = values[0]!
    if (value === null) writer.nullKey(position)
    else if (this.form === 'word') {
      writer.begin(8)
      writePart(writer, this.#parts[0]!, this.types[0]!, value)
      writer.end(position)
    } else if (typeof value === 'string') writer.wholeString(position, value)
    else writer.whole(position, value as Uint8Array)
  }

  /** The values of a key. */
  read(memory: WorkerMemory, address: number, length: number): Value[] {
    if (this.form === 'none') return []
    const bytes = memory.bytes
    if (this.form !== 'tuple') {
      if (length === 1 && bytes[address] === 0xff) return [null]
      const type = this.types[0]!
      if (this.form === 'text') return [textValue(bytes, address, length, type)]
      return [readPart(bytes, address, this.#parts[0]!, type).value]
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const nulls = view.getUint32(address, true) + 4294967296 * view.getUint32(address + 4, true)
    let at = address + 8
    return this.types.map((type, i) => {
      if (Math.floor(nulls / 2 ** i) % 2 === 1) return null
      const { value, size } = readPart(bytes, at, this.#parts[i]!, type)
      at += size
      return value
    })
  }
}

function nullBits(operands: readonly Operand[]): string {
  const bits = operands.flatMap((operand, i) =>
    operand.isNull === 'false' ? [] : [`(${operand.isNull} ? ${2 ** i} : 0)`],
  )
  return bits.length === 0 ? '0' : bits.join(' + ')
}

function emitPart(part: Part, type: DataType, operand: Operand, names: { writer: string; json: LoopCode }): string {
  const { writer } = names
  switch (part) {
    case 'integer':
      return `${writer}.integer(${operand.value})`
    case 'wide':
      return `${writer}.wideInteger(${operand.value})`
    case 'double':
      return `${writer}.double(${operand.value})`
    case 'boolean':
      return `${writer}.integer(${operand.value} ? 1 : 0)`
    case 'text':
      if (operand.span !== undefined) return `${writer}.text(${operand.span.start}, ${operand.span.length})`
      return type.kind === 'bytes' ? `${writer}.bytes(${operand.value})` : `${writer}.string(${operand.value})`
    case 'json':
      return `${writer}.string(${names.json.constant(jsonText)}(${operand.value}, ${names.json.constant(type)}))`
    default:
      return unreachable(part)
  }
}

function emitWholeText(
  type: DataType,
  operand: Operand,
  names: { readonly writer: string; readonly spans: string; readonly position: string },
): string {
  const { writer, spans, position } = names
  if (operand.span !== undefined) {
    const { start, length } = operand.span
    return `${spans}[2 * ${position}] = ${start}; ${spans}[2 * ${position} + 1] = ${length}`
  }
  const method = type.kind === 'bytes' ? 'whole' : 'wholeString'
  return `${writer}.${method}(${position}, ${operand.value})`
}

function writePart(writer: KeyWriter, part: Part, type: DataType, value: Exclude<Value, null>): void {
  switch (part) {
    case 'integer':
      writer.integer(value as ExactInteger)
      return
    case 'wide':
      writer.wideInteger(value as ExactInteger)
      return
    case 'double':
      writer.double(value as number)
      return
    case 'boolean':
      writer.integer(value === true ? 1 : 0)
      return
    case 'text':
      if (typeof value === 'string') writer.string(value)
      else writer.bytes(value as Uint8Array)
      return
    case 'json':
      writer.string(jsonText(value, type))
  }
}

function readPart(bytes: Uint8Array, at: number, part: Part, type: DataType): { value: Value; size: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  switch (part) {
    case 'integer': {
      const low = view.getUint32(at, true)
      const high = view.getInt32(at + 4, true)
      const safe = high >= -2097152 && high < 2097152
      return { value: safe ? high * 4294967296 + low : exact(view.getBigInt64(at, true)), size: 8 }
    }
    case 'wide':
      return { value: exact((view.getBigInt64(at + 8, true) << 64n) + view.getBigUint64(at, true)), size: 16 }
    case 'double':
      return { value: view.getFloat64(at, true), size: 8 }
    case 'boolean':
      return { value: view.getUint32(at, true) === 1, size: 8 }
    case 'text':
    case 'json': {
      const length = view.getUint32(at, true)
      const size = 8 + ((length + 7) & ~7)
      if (part === 'json') return { value: valueFromJsonText(textAt(bytes, at + 8, length), type), size }
      return { value: textValue(bytes, at + 8, length, type), size }
    }
  }
}

const textValue = (bytes: Uint8Array, start: number, length: number, type: DataType): Value =>
  type.kind === 'bytes' ? bytes.slice(start, start + length) : textAt(bytes, start, length)
