import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { main } from '../end-to-end/cli.ts'

const NOBODY = 65534

let cwd: string
beforeEach(() => {
  expect(process.getuid?.(), 'these tests need root').toBe(0)
  cwd = mkdtempSync(join(tmpdir(), 'headrace-root-read-only-'))
  chmodSync(cwd, 0o755)
  writeFileSync(join(cwd, 'in.jsonl'), '{"id":1}\n')
  writeFileSync(
    join(cwd, 'p.sql'),
    "CREATE STREAM s (id BIGINT) FROM 'in.jsonl';\nINSERT INTO 'out/' SELECT id FROM s;\n",
  )
})
afterEach(() => rmSync(cwd, { recursive: true }))

/** Runs the script as a user who may not write here. */
function run(): { readonly code: number | null; readonly err: string } {
  const nobody = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', process.execPath, main, 'run', 'p.sql']
  const { status, stderr } = spawnSync('setpriv', nobody, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', NODE_COMPILE_CACHE: '', HOME: cwd },
  })
  return { code: status, err: stderr }
}

const own = (name: string): void => {
  mkdirSync(join(cwd, name))
  chownSync(join(cwd, name), NOBODY, NOBODY)
}

test('a folder where no state can be kept ends the run with 3, the path and a way out; nothing is written', () => {
  const { code, err } = run()
  expect(err).toContain('.headrace')
  expect(err).toMatch(/^error\[\w+\]: .*(EACCES|permission|right)/m)
  expect(err).toMatch(/^hint: /m)
  expect(code).toBe(3)
  expect(readdirSync(cwd).sort()).toEqual(['in.jsonl', 'p.sql'])
})

test('a target that may not be written ends the run with 3 and says which', () => {
  own('.headrace')
  mkdirSync(join(cwd, 'out'))
  const { code, err } = run()
  expect(err).toMatch(/^error\[connector_forbidden\]: .*out/m)
  expect(code).toBe(3)
  expect(readdirSync(join(cwd, 'out'))).toEqual([])
  // With the right, the same state goes on.
  chownSync(join(cwd, 'out'), NOBODY, NOBODY)
  const again = run()
  expect([again.code, again.err]).toEqual([0, expect.stringContaining('out 1 → out/')])
})
