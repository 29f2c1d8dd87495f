import { readFileSync } from 'node:fs'
import { dirname, parse, resolve } from 'node:path'
import { HeadraceError } from '../core/errors.ts'
import type { ScriptInput } from '../headrace/script.ts'

/** Where the text of a script comes from. */
export interface ScriptPlace {
  /** A path; `-` is standard input. */
  readonly file?: string | undefined
  /** The script itself; it wins over `file`. */
  readonly text?: string | undefined
  /** `name=value` each. */
  readonly parameters?: readonly string[] | undefined
}

/** Reads a script. Standard input is waited for until `signal` aborts: its reason is thrown. */
export async function scriptOf(
  { file, text, parameters = [] }: ScriptPlace,
  signal: AbortSignal,
): Promise<ScriptInput> {
  const bound = new Map(parameters.map(parameterOf))
  if (text !== undefined)
    return { file: '<command line>', text, baseDirectory: process.cwd(), name: undefined, parameters: bound }
  if (file === undefined) {
    throw new HeadraceError('cli_usage', 'no script was given', { hint: "name a file, or use -e 'SELECT …'" })
  }
  if (file === '-') {
    return {
      file: '<stdin>',
      text: await standardInput(signal),
      baseDirectory: process.cwd(),
      name: undefined,
      parameters: bound,
    }
  }
  try {
    const path = resolve(file)
    return {
      file,
      path,
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

async function standardInput(signal: AbortSignal): Promise<string> {
  const stop = (): void => {
    process.stdin.destroy()
  }
  signal.addEventListener('abort', stop, { once: true })
  const chunks: Buffer[] = []
  try {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
  signal.throwIfAborted()
  return Buffer.concat(chunks).toString()
}

function parameterOf(text: string): [string, string] {
  const equals = text.indexOf('=')
  if (equals < 1) throw new HeadraceError('cli_usage', `"${text}" is not name=value`, { hint: 'write -p limit=10' })
  return [text.slice(0, equals), text.slice(equals + 1)]
}
