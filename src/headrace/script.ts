import type { HeadraceError } from '../core/errors.ts'
import { types } from '../core/types.ts'
import { buildGraph } from '../runtime/graph/build.ts'
import { describeGraph, graphText } from '../runtime/graph/describe.ts'
import type { Parameter } from '../sql/binder/context.ts'
import type { Catalogue } from '../sql/catalogue.ts'
import { type CompileInput, compile, explainScript as explainSql } from '../sql/compile.ts'
import type { SqlStage } from '../sql/explain/explain.ts'
import type { ScriptPlan } from '../sql/plan.ts'
import { queueSettings } from './dlq/settings.ts'
import type { Engine } from './engine.ts'
import { guarantees, guaranteeText, refuseUnprovable } from './guarantee.ts'
import { hideWritten } from './secrets.ts'
import { sqlCatalogue } from './sql-catalogue.ts'

/** A script and where it stands. */
export interface ScriptInput {
  /** As messages name it: a path, or `<command line>`. */
  readonly file: string
  readonly text: string
  /** Absolute path of the file that it comes from. */
  readonly path?: string | undefined
  /** Relative paths of sources and sinks start here. */
  readonly baseDirectory: string
  /** The file's stem; undefined for a script without a file (rulings 2). */
  readonly name: string | undefined
  /** Values of `:name`; of a text, numbers and truth values are taken as such. */
  readonly parameters: ReadonlyMap<string, string | Parameter>
  /** Puts others in the place of what the text names. */
  readonly catalogue?: ((own: Catalogue) => Catalogue) | undefined
}

export interface CompiledScript {
  readonly plan: ScriptPlan
  readonly warnings: readonly HeadraceError[]
  /** Names of the catalogue functions that the script calls. */
  readonly functions: ReadonlySet<string>
}

/** Text → plan; throws all faults together. */
export async function compileScript(engine: Engine, script: ScriptInput): Promise<CompiledScript> {
  const { plan, warnings, functions } = await redacted(engine, script, compile)
  const { secrets } = engine
  const texts = plan.texts.map((text) => secrets.redact(text))
  const named = { ...plan, name: plan.name ?? script.name, texts }
  queueSettings(named)
  refuseUnprovable(named, script.baseDirectory)
  return { plan: named, warnings: secrets.redactAll(warnings), functions }
}

/** Runs a stage of a script; no value of a secret leaves it in an error. */
async function redacted<T>(engine: Engine, script: ScriptInput, task: (input: CompileInput) => Promise<T>): Promise<T> {
  hideWritten(engine, script.text)
  try {
    return await task(compileInput(engine, script))
  } catch (error) {
    throw engine.secrets.redactError(error)
  }
}

const compileInput = (engine: Engine, script: ScriptInput): CompileInput => ({
  text: script.text,
  file: script.file,
  catalogue: (script.catalogue ?? same)(sqlCatalogue(engine, script.baseDirectory)),
  parameters: new Map([...script.parameters].map(([name, text]) => [name, parameterOf(text)])),
})

const same = (own: Catalogue): Catalogue => own

function parameterOf(text: string | Parameter): Parameter {
  if (typeof text !== 'string') return text
  if (/^-?\d{1,15}$/.test(text)) return { type: types.bigint, value: Number(text) }
  if (/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return { type: types.double, value: Number(text) }
  if (text === 'true' || text === 'false') return { type: types.boolean, value: text === 'true' }
  return { type: types.string, value: text }
}

export type Stage = SqlStage | 'delivery' | 'graph'

/** One stage of a script as text or JSON: nothing is run. */
export async function explainScript(
  engine: Engine,
  script: ScriptInput,
  form: { readonly stage: Stage; readonly json: boolean },
): Promise<string> {
  const { stage, json } = form
  if (stage === 'delivery') {
    const { plan } = await compileScript(engine, script)
    const edges = guarantees(plan, script.baseDirectory)
    return json ? `${JSON.stringify(edges)}\n` : guaranteeText(edges)
  }
  if (stage === 'graph') return await explainGraph(engine, script, json)
  const format = json ? 'json' : 'text'
  const text = engine.secrets.redact(await redacted(engine, script, (input) => explainSql({ ...input, stage, format })))
  return text.endsWith('\n') ? text : `${text}\n`
}

async function explainGraph(engine: Engine, script: ScriptInput, json: boolean): Promise<string> {
  const { plan } = await compileScript(engine, script)
  const graph = buildGraph(
    plan,
    engine.operatorContext(() => undefined),
  )
  const nodes = describeGraph(graph, plan)
  for (const stage of graph.stages) stage.operator[Symbol.dispose]()
  return json ? `${JSON.stringify(nodes)}\n` : graphText(nodes)
}
