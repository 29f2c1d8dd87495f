import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { headrace } from './cli.ts'

let cwd: string
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'headrace-stop-'))
})
afterAll(() => rmSync(cwd, { recursive: true }))

/** More than the system buffers: when it is written, the program is reading. Blanks begin no record and no statement. */
const BLANKS = ' '.repeat(2 * 1024 * 1024)

const silent: readonly (readonly string[])[] = [
  ['sql', 'SELECT * FROM stdin'],
  ['run', '-e', "INSERT INTO 'x.jsonl' SELECT * FROM stdin"],
  ['copy', 'stdin:', 'x.jsonl'],
  ['describe', 'stdin:'],
  ['explain', '-e', 'SELECT * FROM stdin'],
  ['validate', '-e', 'SELECT * FROM stdin'],
  ['run', '-'],
  ['validate', '-'],
]

test.each(silent)('one Ctrl-C ends what waits for standard input: %s %s', async (...args) => {
  let signals = 0
  const { code, out, err } = await headrace(args, {
    cwd,
    input: BLANKS,
    taken: (child) => {
      signals++
      child.kill('SIGINT')
    },
  })
  expect({ code, out, err, signals }).toEqual({ code: 0, out: '', err: '', signals: 1 })
})
