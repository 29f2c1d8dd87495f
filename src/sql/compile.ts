import { type HeadraceError, HeadraceErrors } from '../core/errors.ts'
import { aggregateFunctions, scalarFunctions, tableFunctions } from '../expr/catalogue.ts'
import type { Explain } from './ast-statements.ts'
import { bindScript } from './binder/bind-script.ts'
import type { Environment, Parameter } from './binder/context.ts'
import { Reporter } from './binder/failure.ts'
import type { Catalogue } from './catalogue.ts'
import { isWarning, SourceText, toError } from './diagnostics.ts'
import { type Explained, explain, type SqlStage } from './explain/explain.ts'
import { parseScript } from './parser/script.ts'
import type { ScriptPlan } from './plan.ts'
import { assignIds } from './planner/ids.ts'
import { planOutputs } from './planner/outputs.ts'
import { optimize } from './rules/optimize.ts'

export interface CompileInput {
  readonly text: string
  /** As messages name it: a path, or `<command line>`. */
  readonly file: string
  readonly catalogue: Catalogue
  /** Values of `:name` and `$1`, by name. */
  readonly parameters?: ReadonlyMap<string, Parameter> | undefined
}

export interface Compiled {
  readonly plan: ScriptPlan
  readonly warnings: readonly HeadraceError[]
  /** Names of the catalogue functions that the script calls, for the map from functions to goldens. */
  readonly functions: ReadonlySet<string>
}

/** Text → plan. Throws `HeadraceErrors` with all faults (and warnings) of the script, in the order of the text. */
export async function compile(input: CompileInput): Promise<Compiled> {
  const { name, whole, explains, settings, warnings, functions } = await stages(input)
  const texts = explains.map(({ written, what }) => {
    const format = written.format === 'json' ? 'json' : 'text'
    return explain(written.stage as SqlStage, format, what)
  })
  return { plan: { name, outputs: whole.optimized, settings, texts }, warnings, functions }
}

export interface ExplainInput extends CompileInput {
  readonly stage: SqlStage
  readonly format: 'text' | 'json'
}

/** One stage of a whole script. `tokens` and `ast` need no catalogue and print what parses. */
export async function explainScript(input: ExplainInput): Promise<string> {
  const { stage, format, text } = input
  if (stage !== 'tokens' && stage !== 'ast') return explain(stage, format, (await stages(input)).whole)
  const script = parseScript(text)
  if (stage === 'ast' && script.diagnostics.length > 0) {
    const source = new SourceText(input.file, text)
    throw new HeadraceErrors(script.diagnostics.map((diagnostic) => toError(diagnostic, source)))
  }
  return explain(stage, format, { text, statements: script.statements, bound: [], planned: [], optimized: [] })
}

interface Stages {
  readonly name: string | undefined
  readonly whole: Explained
  readonly explains: readonly { readonly written: Explain; readonly what: Explained }[]
  readonly settings: ReadonlyMap<string, string>
  readonly warnings: readonly HeadraceError[]
  readonly functions: ReadonlySet<string>
}

async function stages(input: CompileInput): Promise<Stages> {
  const { text, file, catalogue, parameters = new Map() } = input
  const script = parseScript(text)
  const reporter = new Reporter()
  for (const diagnostic of script.diagnostics) reporter.report(diagnostic)
  const functions = { scalar: scalarFunctions, aggregate: aggregateFunctions, table: tableFunctions }
  const settings = new Map<string, string>()
  const functionsUsed = new Set<string>()
  const environment: Environment = {
    text,
    catalogue,
    functions,
    parameters,
    reporter,
    settings,
    secrets: new Map(),
    functionsUsed,
    brokenFunctions: new Set(script.brokenNames.map((name) => name.toUpperCase())),
  }
  const bound = await bindScript(script, environment)
  const planned = planOutputs(bound.outputs, environment)
  const explained = bound.explains.map(({ explain: written, outputs }) => {
    return { written, relations: outputs, planned: planOutputs(outputs, environment) }
  })
  const source = new SourceText(file, text)
  const all = reporter.diagnostics.map((diagnostic) => toError(diagnostic, source))
  if (all.some((error) => !isWarning(error.code))) throw new HeadraceErrors(all)
  const optimized = assignIds(optimize(planned))
  const explains = explained.map(({ written, relations, planned: own }) => {
    const { span } = written.statement
    const slice = text.slice(span.start, span.end)
    return {
      written,
      what: {
        text: slice,
        statements: [written.statement],
        bound: relations,
        planned: own,
        optimized: assignIds(optimize(own)),
      },
    }
  })
  const whole: Explained = { text, statements: script.statements, bound: bound.outputs, planned, optimized }
  return { name: bound.name, whole, explains, settings, warnings: all, functions: functionsUsed }
}
