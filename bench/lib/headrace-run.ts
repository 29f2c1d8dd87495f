import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DeadLetters } from '../../src/headrace/dead-letters.ts'
import { Engine } from '../../src/headrace/engine.ts'
import { Pipeline } from '../../src/headrace/pipeline.ts'
import { compileScript } from '../../src/headrace/script.ts'
import { printCost } from './costs.ts'

// Runs a script file as `headrace run` does, and prints what the process has cost.
const file = process.argv[2]!
const engine = new Engine({ baseDirectory: dirname(file) })
const script = {
  file,
  text: readFileSync(file, 'utf8'),
  baseDirectory: dirname(file),
  name: 'bench',
  parameters: new Map(),
}
const { plan } = await compileScript(engine, script)
const deadLetters = new DeadLetters(() => undefined)
const pipeline = new Pipeline(engine, {
  plan,
  baseDirectory: script.baseDirectory,
  deadLetters,
  client: () => {
    throw new Error('a benchmark writes INTO a target')
  },
})
const digest = await pipeline.run(new AbortController().signal)
process.stdout.write(
  `${JSON.stringify({ rowsIn: digest.rowsIn, rowsOut: digest.rowsOut, late: digest.lateRows, rejected: [...digest.rejected] })}\n`,
)
printCost()
