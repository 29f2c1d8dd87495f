import type { HeadraceError } from '../core/errors.ts'
import { types } from '../core/types.ts'
import type { Parameter } from '../sql/binder/context.ts'
import { compile } from '../sql/compile.ts'
import type { ScriptPlan } from '../sql/plan.ts'
import type { Engine } from './engine.ts'
import { sqlCatalogue } from './sql-catalogue.ts'

/** A script and where it stands. */
export interface ScriptInput {
  /** As messages name it: a path, or `<command line>`. */
  readonly file: string
  readonly text: string
  /** Relative paths of sources and sinks start here. */
  readonly baseDirectory: string
  /** The file's stem; undefined for a script without a file (rulings 2). */
  readonly name: string | undefined
  /** Values of `:name` as text: numbers and truth values are taken as such. */
  readonly parameters: ReadonlyMap<string, string>
}

/** Text → plan; throws all faults together. */
export async function compileScript(
  engine: Engine,
  script: ScriptInput,
): Promise<{ readonly plan: ScriptPlan; readonly warnings: readonly HeadraceError[] }> {
  const { plan, warnings } = await compile({
    text: script.text,
    file: script.file,
    catalogue: sqlCatalogue(engine, script.baseDirectory),
    parameters: new Map([...script.parameters].map(([name, text]) => [name, parameterOf(text)])),
  })
  return { plan: { ...plan, name: plan.name ?? script.name }, warnings }
}

function parameterOf(text: string): Parameter {
  if (/^-?\d{1,15}$/.test(text)) return { type: types.bigint, value: Number(text) }
  if (/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return { type: types.double, value: Number(text) }
  if (text === 'true' || text === 'false') return { type: types.boolean, value: text === 'true' }
  return { type: types.string, value: text }
}

/** One stage of a script as text or JSON: EXPLAIN without running anything. */
export async function explainScript(
  engine: Engine,
  script: ScriptInput,
  form: { readonly stage: string; readonly json: boolean },
): Promise<string> {
  const head = `EXPLAIN ${form.stage} FORMAT ${form.json ? 'json' : 'text'} `
  const { plan } = await compileScript(engine, { ...script, text: explained(script.text, head) })
  return plan.texts.map((text) => (text.endsWith('\n') ? text : `${text}\n`)).join('')
}

/** Puts EXPLAIN before the last statement of the script. */
function explained(text: string, head: string): string {
  const last = /(^|;)((?:\s|--[^\n]*\n)*)(?=[^;\s][^;]*;?\s*$)/.exec(text)
  if (last === null) return head + text
  const at = last.index + last[0].length
  return text.slice(0, at) + head + text.slice(at)
}
