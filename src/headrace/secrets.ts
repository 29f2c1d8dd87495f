import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { SecretOrigin } from '../sql/catalogue.ts'
import type { Engine } from './engine.ts'

/** The value of a secret; the engine prints it as `***` from then on. Undefined when its origin has none. */
export async function secretOf(
  engine: Engine,
  baseDirectory: string,
  { kind, text }: SecretOrigin,
): Promise<string | undefined> {
  const value =
    kind === 'env' ? engine.environment[text] : kind === 'file' ? await firstValue(resolve(baseDirectory, text)) : text
  if (value !== undefined) engine.secrets.add(value)
  return value
}

/** The text of a file without its last line break; undefined when it cannot be read. */
async function firstValue(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '')
  } catch {
    return undefined
  }
}

/** Blanks and comments between two words. */
const GAP = String.raw`(?:\s|--[^\n]*\n|/\*[\s\S]*?\*/)+`
/**
 * What may be the value of a secret in a script, also in one that does not parse: the first string of a statement that
 * begins with CREATE SECRET. The word alone is also a name: a column may be called so.
 */
const WRITTEN = new RegExp(String.raw`\bCREATE${GAP}(?:OR${GAP}REPLACE${GAP})?SECRET\b[^;']*'((?:[^']|'')*)`, 'gi')
const NAMED = /\bFROM\s+(?:ENV|FILE)\s+'$/i

/** Hides the values that a script itself holds, before anything of it is printed. */
export function hideWritten(engine: Engine, text: string): void {
  for (const { 0: whole, 1: written = '' } of text.matchAll(WRITTEN)) {
    const before = whole.slice(0, whole.length - written.length)
    if (!NAMED.test(before)) engine.secrets.add(written.replaceAll("''", "'"))
  }
}
