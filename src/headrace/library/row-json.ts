import type { Schema } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { jsonOfValue } from '../../expr/value-json.ts'
import { engineValue } from './row-values.ts'
import type { Row } from './types.ts'

/** Values of the engine as the JSON text of a row. */
export const rowJson = ({ fields }: Schema, values: readonly Value[]): string =>
  `{${fields.map(({ name, type }, i) => `${JSON.stringify(name)}:${jsonOfValue(values[i]!, type)}`).join(',')}}`

/** A row as JSON, exact: 64-bit integers and decimals are numbers with all their digits, times are ISO texts. */
export const rowToJson = (row: Row, schema: Schema): string =>
  rowJson(
    schema,
    schema.fields.map(({ name, type }) => engineValue(row[name], type, `column "${name}"`)),
  )
