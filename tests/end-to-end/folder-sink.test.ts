import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { headrace } from './cli.ts'

let cwd: string
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'headrace-folder-'))
  writeFileSync(join(cwd, 'in.csv'), 'id,city\n1,Rome\n2,Oslo\n3,Rome\n')
})
afterAll(() => rmSync(cwd, { recursive: true }))

const insert = (target: string): readonly string[] => ['sql', `INSERT INTO '${target}' SELECT * FROM 'in.csv'`]

test('rows go to folders by column; a second run is refused with ways out, append adds', async () => {
  const target = 'file:out/?partition_by=city&format=csv'
  expect(await headrace(insert(target), { cwd })).toMatchObject({ code: 0 })
  expect(readdirSync(join(cwd, 'out')).sort()).toEqual(['city=Oslo', 'city=Rome'])
  const rome = readdirSync(join(cwd, 'out/city=Rome'))
  expect(rome).toEqual([expect.stringMatching(/^part-query-[0-9a-f]{8}-0-1-\d\.csv$/)])
  expect(readFileSync(join(cwd, 'out/city=Rome', rome[0]!), 'utf8')).toBe('id,city\n1,Rome\n3,Rome\n')
  const { code, err } = await headrace(insert(target), { cwd })
  expect(code).toBe(2)
  for (const word of ['target_exists', 'append', 'overwrite']) expect(err).toContain(word)
  expect(await headrace(insert(`${target}&write_mode=append`), { cwd })).toMatchObject({ code: 0 })
  const count = await headrace(['sql', "SELECT COUNT(*) AS n FROM 'out/**/*.csv'"], { cwd })
  expect(count.out).toBe('{"n":6}\n')
})

test('one file grows with every run', async () => {
  for (let i = 0; i < 2; i++) {
    expect(await headrace(insert('file:grow.csv?write_mode=append'), { cwd })).toMatchObject({ code: 0 })
  }
  expect(readFileSync(join(cwd, 'grow.csv'), 'utf8')).toBe(`id,city\n${'1,Rome\n2,Oslo\n3,Rome\n'.repeat(2)}`)
  expect(readdirSync(cwd).filter((name) => name.startsWith('.headrace'))).toEqual([])
})
