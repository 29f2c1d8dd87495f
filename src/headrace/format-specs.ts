import type { WantedColumn } from '../connectors/contract.ts'
import { csvSpec } from '../connectors/csv-spec.ts'
import type { OptionValues } from '../core/options.ts'
import type { Schema } from '../core/types.ts'
import type { DecoderSpec } from '../formats/decoder.ts'
import type { EncoderSpec } from '../formats/encoder.ts'
import type { Engine } from './engine.ts'

/** What a decoder of this source needs, out of the source's options. `schema` has one field per wanted column. */
export function decoderSpec(
  engine: Engine,
  options: OptionValues,
  form: {
    readonly schema: Schema
    readonly columns: readonly WantedColumn[]
    readonly split: string
    readonly batchRows: number
    /** Columns whose sample held values of several kinds. */
    readonly mixed?: ReadonlySet<string> | undefined
    readonly nowMicros: () => number
  },
): DecoderSpec {
  return {
    columns: form.columns.map(({ name, path, required }, i) => ({
      name,
      path,
      required,
      type: form.schema.fields[i]!.type,
      mixed: form.mixed?.has(name) === true && path.length === 1,
    })),
    split: form.split,
    batchRows: form.batchRows,
    strict: options['strict'] === true,
    kernels: engine.kernels.mode,
    nowMicros: form.nowMicros,
    csv: csvSpec(options),
    records: options['records'] as string | undefined,
    lineBytesMax: options['line_bytes_max'] as number | undefined,
  }
}

export function encoderSpec(
  engine: Engine,
  options: OptionValues,
  form: { readonly schema: Schema; readonly changes: boolean },
): EncoderSpec {
  return {
    schema: form.schema,
    changes: form.changes,
    kernels: engine.kernels.mode,
    decimalAs: (options['decimal_as'] as 'number' | 'string' | undefined) ?? 'number',
    csv: csvSpec(options),
  }
}
