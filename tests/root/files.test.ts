import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const main = join(import.meta.dirname, '../../bin/headrace.cjs')
let cwd: string

beforeAll(() => {
  expect(process.getuid?.(), 'these tests need root').toBe(0)
  cwd = mkdtempSync(join(tmpdir(), 'headrace-root-'))
  chmodSync(cwd, 0o755)
})
afterAll(() => rmSync(cwd, { recursive: true }))

const run = (command: readonly string[]): { status: number | null; out: string; err: string } => {
  const [file, ...args] = command as [string, ...string[]]
  const { status, stdout, stderr } = spawnSync(file, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  })
  return { status, out: stdout, err: stderr }
}

test('an unreadable directory exits 3 and names it', () => {
  mkdirSync(join(cwd, 'closed'), { mode: 0o700 })
  writeFileSync(join(cwd, 'closed/a.jsonl'), '{"id":1}\n')
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
  const { status, err } = run([...nobody, process.execPath, main, 'sql', "SELECT * FROM 'closed/*.jsonl'"])
  expect({ status, err }).toMatchObject({ status: 3 })
  expect(err).toContain('connector_forbidden')
  expect(err).toContain('closed')
})

test('a target out of reach exits 3 and names it', () => {
  writeFileSync(join(cwd, 'one.jsonl'), '{"id":1}\n')
  mkdirSync(join(cwd, 'private'), { mode: 0o700 })
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
  const { status, err } = run([...nobody, process.execPath, main, 'copy', 'one.jsonl', 'private/out.jsonl'])
  expect({ status, err }).toMatchObject({ status: 3 })
  expect(err).toContain('connector_forbidden')
  expect(err).toContain('private/out.jsonl')
})

test('a full disk exits 1, says so, and leaves the old file and nothing else', () => {
  const disk = join(cwd, 'disk')
  mkdirSync(disk)
  const sql = `INSERT INTO '${disk}/out.jsonl' SELECT id, 'x' AS filler FROM 'datagen://d?field.id=seq(1,1)&rows=1000000'`
  const script = [
    `mount -t tmpfs -o size=4m tmpfs ${disk}`,
    `echo old > ${disk}/out.jsonl`,
    `"$0" "$1" sql "$2"`,
    'code=$?',
    `cat ${disk}/out.jsonl; ls -A ${disk}`,
    'exit $code',
  ].join('\n')
  const { status, out, err } = run(['unshare', '-m', 'sh', '-c', script, process.execPath, main, sql])
  expect({ status, err }).toMatchObject({ status: 1 })
  expect(err).toContain('connector_capacity')
  expect(err).toContain('ENOSPC')
  expect(out).toBe('old\nout.jsonl\n')
})

test('a full disk ends a run into a folder with 1, and leaves nothing in it', () => {
  const disk = join(cwd, 'small')
  mkdirSync(disk)
  const sql = `INSERT INTO 'file://${disk}/out/?min_free=0' SELECT id, 'x' AS filler FROM 'datagen://d?field.id=seq(1,1)&rows=1000000'`
  const script = [
    `mount -t tmpfs -o size=4m tmpfs ${disk}`,
    `"$0" "$1" sql "$2"`,
    'code=$?',
    `ls -A ${disk}/out`,
    'exit $code',
  ]
  const { status, out, err } = run(['unshare', '-m', 'sh', '-c', script.join('\n'), process.execPath, main, sql])
  expect({ status, out, err }).toMatchObject({ status: 1, out: '' })
  expect(err).toContain('connector_capacity')
})

test('less free space than min_free is told before the disk is full', () => {
  const disk = join(cwd, 'near')
  mkdirSync(disk)
  const sql = `INSERT INTO 'file://${disk}/out/?min_free=3MiB' SELECT id FROM 'datagen://d?field.id=seq(1,1)&rows=1000000'`
  const script = [`mount -t tmpfs -o size=4m tmpfs ${disk}`, `"$0" "$1" sql "$2"`]
  const { status, err } = run(['unshare', '-m', 'sh', '-c', script.join('\n'), process.execPath, main, sql])
  expect({ status, err }).toMatchObject({ status: 1 })
  expect(err).toContain('connector_capacity')
  expect(err).toContain('min_free')
})

test('a partition on another file system is refused, and nothing is published', () => {
  const folder = join(cwd, 'parts')
  mkdirSync(join(folder, 'city=Rome'), { recursive: true })
  writeFileSync(join(cwd, 'cities.csv'), 'city\nOslo\nRome\n')
  const sql = `INSERT INTO 'file://${folder}/?partition_by=city&min_free=0' SELECT * FROM 'cities.csv'`
  const script = [
    `mount -t tmpfs tmpfs ${folder}/city=Rome`,
    `"$0" "$1" sql "$2"`,
    'code=$?',
    `ls -A ${folder}`,
    'exit $code',
  ]
  const { status, out, err } = run(['unshare', '-m', 'sh', '-c', script.join('\n'), process.execPath, main, sql])
  expect({ status, out, err }).toMatchObject({ status: 2, out: 'city=Rome\n' })
  expect(err).toContain('another file system')
})
