import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The command as it is shipped; built once before the tests. */
export const main = join(import.meta.dirname, '../../bin/headrace.cjs')

/** Compiling the sources anew for every call would take most of the time. */
const compileCache = join(tmpdir(), 'headrace-compile-cache')

export interface Outcome {
  /** Undefined when a signal ended it. */
  readonly code: number | undefined
  readonly out: string
  readonly err: string
}

export interface Call {
  readonly cwd: string
  /** Beside the variables of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly input?: string | undefined
  /** Standard input stays open behind the input: called when the program has taken most of it. */
  readonly taken?: ((child: ChildProcessWithoutNullStreams) => void) | undefined
  /** Called while it runs, with what has been printed so far. */
  readonly watch?: ((child: ChildProcessWithoutNullStreams, out: string) => void) | undefined
}

/** Runs the command line; standard input is closed unless there is input. */
export function headrace(args: readonly string[], { cwd, env, input, taken, watch }: Call): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], {
      cwd,
      env: { ...process.env, NO_COLOR: '1', NODE_COMPILE_CACHE: compileCache, ...env },
    })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
      watch?.(child, out)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? undefined, out, err }))
    child.stdin.on('error', () => undefined)
    if (taken === undefined) child.stdin.end(input ?? '')
    else child.stdin.write(input ?? '', () => taken(child))
  })
}
