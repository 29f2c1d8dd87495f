import { described } from '../../core/option-names.ts'
import type { Schema } from '../../core/types.ts'
import type { Catalogue } from '../../sql/catalogue.ts'
import { ConfigError, misuse, problemsOf } from './errors.ts'

/** Columns as SQL declares them: `id BIGINT, name STRING, at TIMESTAMP`. Throws `ConfigError` when they do not parse. */
export async function schemaOf(text: string): Promise<Schema> {
  if (typeof text !== 'string')
    throw misuse(`columns are a text, not ${described(text)}`, "schemaOf('id BIGINT, name STRING')")
  let declared: Schema | undefined
  const catalogue: Catalogue = {
    schemes: ['memory'],
    variable: () => undefined,
    secret: async () => undefined,
    stream: async () => undefined,
    sink: () => Promise.reject(new Error('no sink is named')),
    source: async (request) => {
      declared = request.columns
      return {
        connector: 'memory',
        uri: request.uri,
        schema: declared ?? { fields: [] },
        bounded: true,
        changes: 'append',
        key: [],
        systemColumns: [],
        eventTime: undefined,
        watermarkDelayMicros: 0,
        projects: true,
        handle: undefined,
      }
    },
  }
  try {
    const { compile } = await import('../../sql/compile.ts')
    const script = `CREATE STREAM declared (${text}\n) FROM 'memory://declared'; SELECT * FROM declared;`
    await compile({ text: script, file: 'columns', catalogue, parameters: new Map() })
  } catch (error) {
    throw new ConfigError(problemsOf(error))
  }
  return declared!
}
