import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Command } from './pairs.ts'

const root = join(import.meta.dirname, '../..')
const directory = join(root, 'bench/data/programs')

/** The command that runs a program of `bench/` as plain JavaScript and prints its cost: nobody pays for types. */
export const measured = (program: string, ...args: readonly string[]): Command => withCosts(plain(program), ...args)

/** The same for the built `headrace` command itself. */
export const measuredHeadrace = (...args: readonly string[]): Command =>
  withCosts(join(root, 'bin/headrace.cjs'), ...args)

/** The same for any file that Node runs. */
export function withCosts(file: string, ...args: readonly string[]): Command {
  return [process.execPath, '--import', pathToFileURL(plain('bench/lib/costs.ts')).href, file, ...args]
}

function plain(program: string): string {
  mkdirSync(directory, { recursive: true })
  const file = join(directory, basename(program).replace(/\.ts$/, '.mjs'))
  writeFileSync(file, stripTypeScriptTypes(readFileSync(join(root, program), 'utf8')))
  return file
}
