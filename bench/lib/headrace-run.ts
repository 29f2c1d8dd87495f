import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { printCost } from './costs.ts'

// Runs a script file as `headrace run` of the built package does, and prints what the process has cost.
const built = (path: string): string => new URL(`../../dist/headrace/${path}`, import.meta.url).href
const { Engine } = (await import(built('engine.js'))) as typeof import('../../src/headrace/engine.ts')
const { DeadLetters } = (await import(built('dead-letters.js'))) as typeof import('../../src/headrace/dead-letters.ts')
const { Pipeline } = (await import(built('pipeline.js'))) as typeof import('../../src/headrace/pipeline.ts')
const { compileScript } = (await import(built('script.js'))) as typeof import('../../src/headrace/script.ts')

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
