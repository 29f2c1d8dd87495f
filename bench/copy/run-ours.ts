import { typeName } from '../../src/core/types.ts'
import { DeadLetters } from '../../src/headrace/dead-letters.ts'
import { Engine } from '../../src/headrace/engine.ts'
import { Pipeline } from '../../src/headrace/pipeline.ts'
import { compileScript } from '../../src/headrace/script.ts'
import { copySchema } from './columns.ts'

// A copy through the runtime.
const [, , input, output] = process.argv as [string, string, string, string]
const columns = copySchema.fields.map(({ name, type }) => `${name} ${typeName(type)}`).join(', ')
const text = `CREATE STREAM c (${columns}) FROM '${input}'; INSERT INTO '${output}' SELECT * FROM c`
const engine = new Engine()
const { plan } = await compileScript(engine, {
  file: 'copy',
  text,
  baseDirectory: '.',
  name: undefined,
  parameters: new Map(),
})
const pipeline = new Pipeline(engine, {
  plan,
  baseDirectory: '.',
  deadLetters: new DeadLetters(() => undefined),
  client: () => {
    throw new Error('a copy has no client')
  },
})
const { rowsIn, rowsOut, lateRows, rejected } = await pipeline.run(new AbortController().signal)
process.stdout.write(`${JSON.stringify({ rowsIn, rowsOut: rowsOut[0]!.rows, lateRows, rejected: rejected.size })}\n`)
