import type { Sink } from '../connectors/contract.ts'
import type { Schema } from '../core/types.ts'
import { textOfValue } from '../expr/value-text.ts'
import { createEncoder } from '../formats/formats.ts'
import { connectorContext } from './connector-context.ts'
import { endpoint } from './endpoint.ts'
import type { Engine } from './engine.ts'
import { encoderSpec } from './format-specs.ts'

/** The sink of queries without INTO on the command line: standard output in a form. */
export async function clientSink(
  engine: Engine,
  schema: Schema,
  form: { readonly changes: boolean; readonly format: string; readonly timeZone: string | undefined },
): Promise<Sink> {
  const handle = await endpoint(`stdout:?format=${form.format}`, 'sink')
  return await handle.connector.openSink!({
    ...connectorContext(engine, handle, { baseDirectory: engine.baseDirectory }),
    schema,
    changes: form.changes,
    bounded: true,
    eventTime: undefined,
    key: [],
    valueText: (value, type) => textOfValue(value, type, form.timeZone),
    encoder: (format) =>
      createEncoder(format, encoderSpec(engine, handle.options, { schema, changes: form.changes }), engine),
  })
}
