import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { folderOf, openStateFolder, readFacts } from './state-folder.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'headrace-folder-'))
afterAll(() => rmSync(dataDir, { recursive: true }))

const open = (script?: string) => openStateFolder({ dataDir, script }, { pipeline: 'orders', store: undefined })
const file = join(folderOf(dataDir, 'orders'), 'pipeline.json')

test('a folder belongs to the script that made it', () => {
  open('/a.sql')
  open('/a.sql')
  expect(() => open('/b.sql')).toThrow('belongs to "/a.sql"')
})

test.each(['', '{', '{"format":1,"na', 'null', '[]', '"x"', '{"name":"orders"}', '{"name":1,"script":null}'])(
  'damaged to %j it is told by name, and written anew once it is gone',
  (text) => {
    open()
    const whole = readFileSync(file, 'utf8')
    writeFileSync(file, text)
    const fault = (() => {
      try {
        return open()
      } catch (error) {
        return error
      }
    })()
    expect(fault).toMatchObject({
      kind: 'IoError',
      code: 'checkpoint_io_error',
      message: `checkpoint I/O error: "${file}" is damaged: it does not tell whose state this is`,
      hint: expect.stringContaining('remove that one file'),
    })
    rmSync(file)
    open('/a.sql')
    expect(readFacts(folderOf(dataDir, 'orders'))).toMatchObject({ name: 'orders', script: '/a.sql' })
    expect(readFileSync(file, 'utf8')).toBe(whole)
  },
)
