import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'headrace-copy-'))
afterAll(() => rmSync(folder, { recursive: true }))

const ROWS = 60_000
const source = `datagen://rows?rows=${ROWS}&rate=20000&field.id=seq(0,1)`
const target = join(folder, 'out/')
const finals = (): string[] => readdirSync(target).filter((name) => !name.startsWith('.'))

const start = () =>
  spawn(process.execPath, [join(import.meta.dirname, 'copy-process.ts'), source, target, join(folder, 'progress')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })

test('a copy that is killed goes on where its last checkpoint was: every row once', async () => {
  mkdirSync(target)
  const first = start()
  const published = Promise.withResolvers<void>()
  const watcher = watch(target, () => {
    if (finals().length > 0) published.resolve()
  })
  await Promise.race([published.promise, once(first, 'exit')])
  watcher.close()
  first.kill('SIGKILL')
  await once(first, 'exit')
  expect(finals().length).toBeGreaterThan(0)
  const rowsBefore = ids().length
  expect(rowsBefore).toBeLessThan(ROWS)

  const second = start()
  let printed = ''
  second.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString()
  })
  const [code] = await once(second, 'exit')
  expect(code).toBe(0)
  expect(ids()).toEqual(Array.from({ length: ROWS }, (_, i) => i))
  expect(JSON.parse(printed)).toMatchObject({ read: ROWS, written: ROWS, failed: 0 })

  // The copy is complete: once more does nothing.
  const third = start()
  expect((await once(third, 'exit'))[0]).toBe(0)
  expect(ids()).toHaveLength(ROWS)
}, 60_000)

function ids(): number[] {
  const lines = finals().flatMap((name) => readFileSync(join(target, name), 'utf8').trim().split('\n'))
  return lines.map((line) => (JSON.parse(line) as { id: number }).id).sort((a, b) => a - b)
}
