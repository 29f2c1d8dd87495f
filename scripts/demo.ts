import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeClicks } from '../examples/01-clicks/make-clicks.ts'

// The main job: an event file in, windowed results out.
const root = join(import.meta.dirname, '..')
const folder = join(root, 'examples/01-clicks')
const input = makeClicks()
process.stdout.write(`$ headrace run examples/01-clicks/clicks.sql     (reads ${readFileSync(input).length} bytes)\n`)
const run = spawnSync(process.execPath, [join(root, 'src/cli/main.ts'), 'run', join(folder, 'clicks.sql')], {
  stdio: 'inherit',
})
if (run.status !== 0) process.exit(run.status ?? 1)
const results = readFileSync(join(folder, 'revenue.jsonl'), 'utf8')
const lines = results.trimEnd().split('\n')
process.stdout.write(`\nexamples/01-clicks/revenue.jsonl: ${lines.length} rows, the first 4:\n`)
process.stdout.write(`${lines.slice(0, 4).join('\n')}\n`)
const digest = createHash('sha256').update(lines.toSorted().join('\n')).digest('hex').slice(0, 16)
process.stdout.write(`digest (order-independent): ${digest}\n`)
