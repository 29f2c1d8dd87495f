import { FORMATS } from '../../connectors/shared-options.ts'
import { changeSymbols } from '../../core/change.ts'
import { described, type OptionNames } from '../../core/option-names.ts'
import type { Schema } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { addCustomFormat, type CustomFormat } from '../../formats/custom-formats.ts'
import { ConfigError, misuse, refuseUnknown } from './errors.ts'
import { engineValue, inferSchema, rowOf, settledSchema } from './row-values.ts'
import type { Row } from './types.ts'

/** How records of a format become rows, and rows records. */
export interface FormatCodec {
  /** `line`: a record is a line, without its end; `whole`: all bytes of a file. `line` by default. */
  readonly framing?: 'line' | 'whole' | undefined
  /** The row of a record; null for one that is none. What it throws makes the record a bad one. */
  readonly decode?: ((record: Uint8Array) => Row | null) | undefined
  /** The record of a row. A row of a changelog has `_op`. */
  readonly encode?: ((row: Row) => Uint8Array | string) | undefined
  /** The columns; else they are told from the first records. */
  readonly schema?: Schema | undefined
}

/**
 * Adds a format for sources and sinks of bytes: `createSource('log.x', { format: name })`, and SQL's `?format=name`. It
 * is of the process. Throws `ConfigError` for a name that is taken, unless `replace` is given.
 */
export function registerFormat(
  name: string,
  codec: FormatCodec,
  { replace = false }: { readonly replace?: boolean | undefined } = {},
): void {
  refuseNoFormat(name, codec)
  if (!/^[a-z][a-z0-9_+-]{0,31}$/.test(name))
    throw refused(name, 'a name is a-z, then digits, "_", "+" and "-", at most 32')
  if ((FORMATS as readonly string[]).includes(name)) throw refused(name, 'it is built in')
  if (!addCustomFormat(name, customOf(codec), replace))
    throw refused(name, 'it is registered already: { replace: true }')
}

const CODEC: OptionNames<FormatCodec> = { framing: true, decode: true, encode: true, schema: true }

function refuseNoFormat(name: unknown, codec: FormatCodec | undefined): void {
  if (typeof name !== 'string')
    throw misuse(`a format's name is a text, not ${described(name)}`, "registerFormat('mine', …)")
  refuseUnknown(`format "${name}"`, codec, CODEC)
  for (const side of ['decode', 'encode'] as const) {
    const given: unknown = codec?.[side]
    if (given === undefined || typeof given === 'function') continue
    throw misuse(
      `format "${name}": ${side} is a function, not ${described(given)}`,
      'registerFormat(name, { decode, encode })',
    )
  }
  if (codec?.decode !== undefined || codec?.encode !== undefined) return
  throw misuse(`format "${name}" can neither read nor write`, 'give it decode, encode or both')
}

const refused = (name: string, hint: string): ConfigError =>
  new ConfigError([
    {
      code: 'connector_option_conflict',
      message: `"${name}" cannot be registered as a format`,
      option: 'format',
      hint,
    },
  ])

function customOf({ framing = 'line', decode, encode, schema }: FormatCodec): CustomFormat {
  const encoder = new TextEncoder()
  return {
    framing,
    reader:
      decode &&
      ((columns) => (record) => {
        const row = decode(record)
        return row === null
          ? undefined
          : columns.map(({ name, path, type }) => engineValue(at(row, path), type, `column "${name}"`))
      }),
    writer:
      encode &&
      ((spec) =>
        ({ values, change }) => {
          const row = rowOf(spec.schema, values as readonly Value[])
          const bytes = encode(spec.changes ? { _op: changeSymbols[change]!, ...row } : row)
          return typeof bytes === 'string' ? encoder.encode(bytes) : bytes
        }),
    columns: (records) => schema ?? settledSchema(inferSchema(records.flatMap((record) => rowsOf(decode, record)))),
  }
}

/** A record that does not decode tells nothing of the columns. */
function rowsOf(decode: FormatCodec['decode'], record: Uint8Array): readonly Row[] {
  try {
    const row = decode?.(record) ?? null
    return row === null ? [] : [row]
  } catch {
    return []
  }
}

const at = (row: Row, path: readonly string[]): Row[string] =>
  path.reduce<Row[string]>(
    (value, name) => (value as { readonly [name: string]: Row[string] } | undefined)?.[name] as Row[string],
    row as Row[string],
  )
