import { readFileSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { DuckDBInstance } from '@duckdb/node-api'

enableCompileCache()

// Runs the statements of a file in DuckDB at its best: one thread, insertion order off.
const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
const connection = await instance.connect()
await connection.run('SET preserve_insertion_order = false')
for (const statement of readFileSync(process.argv[2]!, 'utf8').split(';')) {
  if (statement.trim() !== '') await connection.run(statement)
}
connection.closeSync()
instance.closeSync()
