import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

// What the data-streams service is held against with other programs: each is a script of its own and can run alone.
const scripts = [
  ['browser.ts'],
  ['kills.ts', '5'],
  ['metrics.ts'],
  ['canaries.ts', '5000'],
  ['generated.ts', '3', '60'],
] as const
let failed = 0
for (const [script, ...args] of scripts) {
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, script), ...args], { stdio: 'inherit' })
  if (status !== 0) failed++
}
const root = join(import.meta.dirname, '../../..')
const command = `${process.execPath} ${join(root, 'src/cli/main.ts')}`
if (spawnSync(join(root, 'tests/end-to-end/curl.sh'), [command], { stdio: 'inherit' }).status !== 0) failed++
process.stdout.write(`${scripts.length + 1 - failed} passed, ${failed} failed\n`)
process.exitCode = failed > 0 ? 1 : 0
