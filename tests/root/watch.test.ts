import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const harness = join(import.meta.dirname, '../../src/testkit/harness.ts')
let cwd: string

beforeAll(() => {
  expect(process.getuid?.(), 'these tests need root').toBe(0)
  cwd = mkdtempSync(join(tmpdir(), 'headrace-root-watch-'))
  chmodSync(cwd, 0o755)
})
afterAll(() => rmSync(cwd, { recursive: true }))

test('a watched file that may not be read is an error that names it and the way out', () => {
  writeFileSync(join(cwd, 'closed.jsonl'), '{"a":1}\n', { mode: 0o600 })
  const script = `
    const { Harness } = await import(${JSON.stringify(harness)})
    const source = await new Harness({ baseDirectory: ${JSON.stringify(cwd)} }).openSource('file:*.jsonl?watch=true', { fields: [] })
    try {
      for await (const event of source.splits(new AbortController().signal)) console.log(event)
    } catch (error) {
      console.log(error.code, error.message, error.hint)
    }`
  const nobody = [
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
    process.execPath,
    '--input-type=module',
    '-e',
    script,
  ]
  const { stdout, stderr } = spawnSync('setpriv', nobody, { encoding: 'utf8', cwd })
  expect(stdout + stderr).toMatch(/^connector_forbidden .*closed\.jsonl.* grant the right/)
})
