import { spawn } from 'node:child_process'
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import type { Form, Report } from '../report.ts'
import { type Bug, bugs, type Patch } from './bugs.ts'

const root = resolve(import.meta.dirname, '../../..')
/** What a test needs of the project. */
const COPIED = [
  'bin',
  'src',
  'tests',
  'scripts',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
  'vitest.crash.config.ts',
] as const
const LIMIT_MS = 120_000

/** Faults planted in a copy of the sources (R33): each makes its test fail, which passes without it. */
export async function r33(form: Form, report: Report): Promise<void> {
  for (const bug of bugs) {
    if (form.only !== undefined && !bug.name.includes(form.only)) continue
    await report.test(`R33 ${bug.name}`, () => caught(bug, form.full))
  }
}

async function caught({ patches, caughtBy }: Bug, withControl: boolean): Promise<string> {
  const copy = join(tmpdir(), `headrace-crash-${process.pid}-planted`)
  rmSync(copy, { recursive: true, force: true })
  for (const name of COPIED) cpSync(join(root, name), join(copy, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  try {
    if (withControl) {
      const clean = await buildAndRun(copy, caughtBy)
      if (clean.code !== 0) throw new Error(`the test fails without the fault: ${clean.text.slice(-500)}`)
    }
    for (const patch of patches) plant(copy, patch)
    const { code, text } = await buildAndRun(copy, caughtBy)
    // A test that could not run has found nothing.
    const verdict = text.split('\n').find((line) => /FAILED|[1-9]\d* failed/.test(line))
    if (code === 0 || verdict === undefined) throw new Error(`not found by ${caughtBy.join(' ')}: ${text.slice(-500)}`)
    return `found by ${caughtBy.join(' ')}: ${verdict.trim().slice(0, 160)}`
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function plant(copy: string, { file, old, now }: Patch): void {
  const path = join(copy, file)
  const parts = readFileSync(path, 'utf8').split(old)
  if (parts.length !== 2) throw new Error(`the place of the fault occurs ${parts.length - 1} times in ${file}`)
  writeFileSync(path, parts.join(now))
}

async function buildAndRun(copy: string, command: readonly string[]): Promise<{ code: number | null; text: string }> {
  const built = await inFolder(copy, ['node', 'scripts/build.ts', '--command'])
  if (built.code !== 0) throw new Error(`the copy cannot be built: ${built.text.slice(-500)}`)
  return await inFolder(copy, command)
}

function inFolder(copy: string, [file, ...args]: readonly string[]): Promise<{ code: number | null; text: string }> {
  const path = [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter)
  const child = spawn(file === 'node' ? process.execPath : file!, args, {
    cwd: copy,
    env: { ...process.env, NO_COLOR: '1', PATH: path },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
  }
  return new Promise((resolveRun, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolveRun({ code, text }))
  })
}
