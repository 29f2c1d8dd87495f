import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

const rows = (n: number): string => Array.from({ length: n }, (_, i) => `{"id":${i}}\n`).join('')
const interrupt = (child: { kill(signal: 'SIGINT'): boolean }): void => {
  child.kill('SIGINT')
}

test('a stopped copy says that its file was not published, and leaves the old one', async () => {
  writeFileSync(join(cwd, 'old.jsonl'), 'old\n')
  const call = { cwd, input: rows(200_000), taken: interrupt }
  const { code, err } = await headrace(['copy', 'stdin:', 'old.jsonl'], call)
  expect({ code, err }).toEqual({
    code: 0,
    err: expect.stringMatching(/^stopped: in [\d ]+ · out [\d ]+ → old\.jsonl \(not published\) · [\d.]+ s\n$/),
  })
  const json = await headrace(['copy', '--json', 'stdin:', 'old.jsonl'], call)
  expect(JSON.parse(json.err)).toMatchObject({
    complete: false,
    rows_out: [{ target: 'old.jsonl', rows: expect.any(Number), published: false }],
  })
  expect(readFileSync(join(cwd, 'old.jsonl'), 'utf8')).toBe('old\n')
  expect(readdirSync(cwd)).toEqual(['old.jsonl'])
})

test('a stopped query prints the rows it has, also as a table', async () => {
  const { code, out, err } = await headrace(['run', '-o', 'markdown', '-e', 'SELECT id FROM stdin WHERE id < 2'], {
    cwd,
    input: rows(200_000),
    taken: interrupt,
  })
  expect({ code, out }).toEqual({ code: 0, out: '|  id |\n| --: |\n|   0 |\n|   1 |\n' })
  expect(err).toContain('stopped: ')
  expect(err).not.toContain('not published')
})
