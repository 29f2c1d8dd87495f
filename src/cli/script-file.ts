import { readFileSync } from 'node:fs'
import { dirname, parse, resolve } from 'node:path'
import { HeadraceError } from '../core/errors.ts'
import type { ScriptInput } from '../headrace/script.ts'

/** A script given as a file (`-` is standard input) or as text. */
export function scriptOf(
  file: string | undefined,
  text: string | undefined,
  parameters: readonly string[] = [],
): ScriptInput {
  const bound = new Map(parameters.map(parameterOf))
  if (text !== undefined)
    return { file: '<command line>', text, baseDirectory: process.cwd(), name: undefined, parameters: bound }
  if (file === undefined) {
    throw new HeadraceError('cli_usage', 'no script was given', { hint: "name a file, or use -e 'SELECT …'" })
  }
  if (file === '-') {
    return {
      file: '<stdin>',
      text: readFileSync(0, 'utf8'),
      baseDirectory: process.cwd(),
      name: undefined,
      parameters: bound,
    }
  }
  try {
    const path = resolve(file)
    return {
      file,
      text: readFileSync(path, 'utf8'),
      baseDirectory: dirname(path),
      name: parse(path).name,
      parameters: bound,
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    throw new HeadraceError('connector_not_found', `cannot read the script "${file}": ${code}`, {
      hint: 'check the path of the script',
      cause: error,
    })
  }
}

function parameterOf(text: string): [string, string] {
  const equals = text.indexOf('=')
  if (equals < 1) throw new HeadraceError('cli_usage', `"${text}" is not name=value`, { hint: 'write -p limit=10' })
  return [text.slice(0, equals), text.slice(equals + 1)]
}
