import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { headrace } from './cli.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'headrace-code-'))
  writeFileSync(join(cwd, 'a.jsonl'), '{"id":1}\n')
})
afterEach(() => rmSync(cwd, { recursive: true }))

const cache = (): string => join(cwd, 'cache')
const folder = (): string => join(cache(), readdirSync(cache()).find((name) => name.startsWith('headrace-'))!)

async function query(env: Record<string, string> = {}): Promise<void> {
  const call = { cwd, env: { NODE_COMPILE_CACHE: cache(), ...env } }
  const { code, out, err } = await headrace(['sql', "SELECT id FROM 'a.jsonl'"], call)
  expect([code, out], err).toEqual([0, '{"id":1}\n'])
}

test('compiled code is kept by command, used again, and made anew when it is cut, foreign or of other files', async () => {
  await query()
  const file = join(folder(), 'sql.code')
  const whole = readFileSync(file)
  expect(readdirSync(folder())).toEqual(['sql.code'])
  const { mtimeMs } = statSync(file)
  await query()
  // Everything was found: nothing is written.
  expect(statSync(file).mtimeMs).toBe(mtimeMs)
  for (const bad of [
    Buffer.alloc(0),
    whole.subarray(0, whole.length / 2),
    Buffer.alloc(whole.length),
    Buffer.from('x'),
  ]) {
    writeFileSync(file, bad)
    await query()
    expect(readFileSync(file).length).toBeGreaterThan(whole.length / 2)
  }
  // Of another build: the same files at another time.
  writeFileSync(file, Buffer.from(whole.toString('latin1').replaceAll(/\.cjs:(\d+):\d/g, '.cjs:$1:9'), 'latin1'))
  await query()
  expect(readFileSync(file).toString('latin1')).not.toMatch(/main\.cjs:\d+:9/)
})

test('a folder that others can write to is not used; nothing is kept when Node keeps nothing', async () => {
  await query()
  const file = join(folder(), 'sql.code')
  writeFileSync(file, 'planted')
  chmodSync(folder(), 0o777)
  await query()
  expect(readFileSync(file, 'utf8')).toBe('planted')
  rmSync(cache(), { recursive: true })
  await query({ NODE_DISABLE_COMPILE_CACHE: '1' })
  expect(() => readdirSync(cache())).toThrow('ENOENT')
})
