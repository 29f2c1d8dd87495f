import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { DyingFiles } from '../../../testkit/dying-files.ts'
import { runEpochs, type SnapshotBox } from '../../../testkit/epoch-driver.ts'
import { FileSinks, rowsFrom } from '../../../testkit/file-sinks.ts'

const sinks = new FileSinks()
afterEach(() => sinks.closeAll())
afterAll(() => sinks[Symbol.dispose]())

const text = (path: string): string => readFileSync(path, 'utf8')
const csvOf = (to: number): string =>
  `id,name\n${rowsFrom(0, to)
    .map(([id, name]) => `${id},${name}\n`)
    .join('')}`
const staged = (path: string): string[] =>
  readdirSync(dirname(path)).filter((name) => name.startsWith('.headrace-') && !/\.(ledger|lock)$/.test(name))

function oldFile(path: string): void {
  mkdirSync(dirname(path))
  writeFileSync(path, 'old', { mode: 0o640 })
}

describe('a process that dies at any system call', () => {
  for (const when of ['before', 'after'] as const) {
    for (const mode of ['overwrite', 'create'] as const) {
      test(`${when} its effect, ${mode}: the old file or all rows once`, async () => {
        const run = { rows: rowsFrom(0, 6), perEpoch: 2, ends: true }
        let deaths = 0
        for (let n = 1; ; n++) {
          const path = sinks.freshPath('csv')
          if (mode === 'overwrite') oldFile(path)
          const box: SnapshotBox = { snapshot: undefined, begun: 0n }
          const files = new DyingFiles({ at: n, when })
          const options = { write_mode: mode }
          const died = await sinks
            .open(path, { files, options })
            .then((driver) => runEpochs(driver, box, run))
            .then(
              () => false,
              () => files.dead,
            )
          await files.bury()
          const label = `call ${n}: ${files.trace.at(-1)}`
          if (existsSync(path)) expect(['old', csvOf(6)], label).toContain(text(path))
          const second = await sinks.open(path, { incarnation: 2, options })
          await runEpochs(second, box, run)
          expect(text(path), label).toBe(csvOf(6))
          expect(staged(path), label).toEqual([])
          await sinks.closeAll()
          if (!died) break
          deaths++
        }
        expect(deaths).toBeGreaterThan(40)
      }, 60_000)
    }
  }
})
