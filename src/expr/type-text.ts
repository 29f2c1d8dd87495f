import { array, type DataType, decimal, field, map, struct, types } from '../core/types.ts'

const NAMES: Readonly<Record<string, DataType>> = {
  BOOLEAN: types.boolean,
  BOOL: types.boolean,
  SMALLINT: types.smallint,
  INT: types.int,
  INTEGER: types.int,
  BIGINT: types.bigint,
  LONG: types.bigint,
  INT8: types.bigint,
  DOUBLE: types.double,
  FLOAT: types.double,
  STRING: types.string,
  VARCHAR: types.string,
  TEXT: types.string,
  BYTES: types.bytes,
  BYTEA: types.bytes,
  VARBINARY: types.bytes,
  DATE: types.date,
  TIMESTAMP: types.timestamp,
  TIMESTAMPTZ: types.timestamptz,
  TIMESTAMP_LTZ: types.timestamptz,
  INTERVAL: types.interval,
  JSON: types.json,
  JSONB: types.json,
  VARIANT: types.json,
}

/** The type that a text spells, as in FROM_JSON; undefined when it spells none. */
export function parseType(text: string): DataType | undefined {
  const tokens = text.match(/"(?:[^"]|"")*"|`[^`]*`|[A-Za-z_][\w$]*|\d+|[<>(),[\]]|\S/g) ?? []
  const cursor = new TypeCursor(tokens)
  const type = cursor.type()
  return type !== undefined && cursor.atEnd ? type : undefined
}

class TypeCursor {
  readonly #tokens: readonly string[]
  #at = 0

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens
  }

  get atEnd(): boolean {
    return this.#at >= this.#tokens.length
  }

  #accept(token: string): boolean {
    if (this.#tokens[this.#at]?.toUpperCase() !== token) return false
    this.#at++
    return true
  }

  type(): DataType | undefined {
    let type = this.#base()
    while (type !== undefined && this.#accept('[')) {
      if (!this.#accept(']')) return undefined
      type = array(type)
    }
    return type
  }

  #base(): DataType | undefined {
    const name = this.#tokens[this.#at++]?.toUpperCase()
    switch (name) {
      case 'ARRAY':
        return this.#enclosed(() => {
          const element = this.type()
          return element && array(element)
        })
      case 'MAP':
        return this.#enclosed(() => {
          const key = this.type()
          const value = this.#accept(',') ? this.type() : undefined
          return key && value && map(key, value)
        })
      case 'STRUCT':
      case 'ROW':
        return this.#enclosed(() => this.#fields())
      case 'DECIMAL':
      case 'NUMERIC':
        return this.#decimal()
      default:
        return name === undefined ? undefined : this.#named(name)
    }
  }

  #enclosed(read: () => DataType | undefined): DataType | undefined {
    if (!this.#accept('<')) return undefined
    const type = read()
    return this.#accept('>') ? type : undefined
  }

  #fields(): DataType | undefined {
    const fields = []
    do {
      const name = this.#tokens[this.#at++]
      const type = this.type()
      if (name === undefined || type === undefined) return undefined
      fields.push(field(/^["`]/.test(name) ? name.slice(1, -1).replaceAll('""', '"') : name, type))
    } while (this.#accept(','))
    return struct(fields)
  }

  #numbers(): number[] | undefined {
    if (!this.#accept('(')) return []
    const numbers: number[] = []
    do numbers.push(Number(this.#tokens[this.#at++]))
    while (this.#accept(','))
    return this.#accept(')') && numbers.every(Number.isInteger) ? numbers : undefined
  }

  #decimal(): DataType | undefined {
    const numbers = this.#numbers()
    if (numbers === undefined) return undefined
    const [precision = 38, scale = numbers.length === 0 ? 9 : 0] = numbers
    return precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision ? decimal(precision, scale) : undefined
  }

  #named(name: string): DataType | undefined {
    const type = NAMES[name]
    if (type?.kind === 'double') this.#accept('PRECISION')
    if (type?.kind === 'timestamp' && this.#accept('WITH')) {
      return this.#accept('TIME') && this.#accept('ZONE') ? types.timestamptz : undefined
    }
    if (type?.kind !== 'string') return type
    const length = this.#numbers()
    return length?.[0] === undefined ? length && type : { kind: 'string', length: length[0] }
  }
}
