import type { Discovered } from '../connectors/contract.ts'
import { HeadraceError } from '../core/errors.ts'
import { connectorContext } from './connector-context.ts'
import { endpoint } from './endpoint.ts'
import type { Engine } from './engine.ts'

/** The columns of a source, found by reading its catalogue or a sample; changes and consumes nothing. */
export async function describe(engine: Engine, uri: string): Promise<Discovered> {
  const handle = await endpoint(uri, 'source', [], engine.connectors)
  const { connector, printed } = handle
  if (connector.discover === undefined) {
    throw new HeadraceError('sql_schema_unknown', `the columns of "${printed}" cannot be found without reading it`, {
      hint: `declare them: CREATE STREAM s (a STRING, …) FROM '${printed}'`,
    })
  }
  return await connector.discover(connectorContext(engine, handle, { baseDirectory: engine.baseDirectory }))
}
