import { readFileSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { dirname } from 'node:path'
import { printCost } from './costs.ts'

// As the command does.
enableCompileCache()

// Runs a script file as `headrace run` of the built package does, and prints what the process has cost.
const built = new URL('../../dist/headrace.js', import.meta.url).href
const { compileScript, DeadLetters, Engine, Pipeline } = (await import(
  built
)) as typeof import('../../src/headrace/headrace.ts')

const file = process.argv[2]!
const baseDirectory = dirname(file)
const engine = new Engine({ baseDirectory })
const script = { file, text: readFileSync(file, 'utf8'), baseDirectory, name: 'bench', parameters: new Map() }
const { plan } = await compileScript(engine, script)
const pipeline = new Pipeline(engine, {
  plan,
  baseDirectory,
  deadLetters: new DeadLetters(() => undefined),
  client: () => {
    throw new Error('a benchmark writes INTO a target')
  },
})
const digest = await pipeline.run(new AbortController().signal)
process.stdout.write(
  `${JSON.stringify({ in: digest.rowsIn, out: digest.rowsOut, late: digest.lateRows, rejected: [...digest.rejected] })}\n`,
)
printCost()
