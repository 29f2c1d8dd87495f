import type { ScriptInput } from '../headrace/script.ts'
import type { Io } from './io.ts'
import type { RunForm } from './run-script.ts'

/** Runs a script; the engine is loaded only now, so that commands without one start fast. */
export async function runScript(script: ScriptInput, form: RunForm, io: Io): Promise<number> {
  const [{ Engine }, run] = await Promise.all([import('../headrace/engine.ts'), import('./run-script.ts')])
  return await run.runScript(new Engine({ signal: io.signal }), script, form, io)
}
