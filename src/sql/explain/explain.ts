import type { ExplainStage, Statement } from '../ast-statements.ts'
import type { BoundOutput } from '../binder/bind-script.ts'
import { lex } from '../lexer.ts'
import type { Output } from '../plan.ts'
import { plainLine, planJson, planTree, streamingLine } from './plan-tree.ts'
import { astJson, astText, tokensJson, tokensText } from './print-ast.ts'
import { treeJson } from './print-tree.ts'
import { relationJson, relationText } from './relation-text.ts'

/** Stages that SQL prints; `graph` is the runtime's. */
export type SqlStage = Exclude<ExplainStage, 'delivery' | 'graph'>

/** What one statement or a whole script gives at every stage. */
export interface Explained {
  readonly text: string
  readonly statements: readonly Statement[]
  readonly bound: readonly BoundOutput[]
  readonly planned: readonly Output[]
  readonly optimized: readonly Output[]
}

/** One stage as text or JSON. */
export function explain(stage: SqlStage, format: 'text' | 'json', what: Explained): string {
  return format === 'json' ? json[stage](what) : text[stage](what)
}

type Printers = { readonly [K in SqlStage]: (what: Explained) => string }

const text: Printers = {
  tokens: (what) => tokensText(lex(what.text).tokens),
  ast: (what) => what.statements.map(astText).join('\n'),
  bound: (what) => what.bound.map((output) => relationText(output.relation)).join('\n'),
  plan: (what) => planTree(what.planned, plainLine),
  optimized: (what) => planTree(what.optimized, plainLine),
  streaming: (what) => planTree(what.optimized, streamingLine),
}

const json: Printers = {
  tokens: (what) => tokensJson(lex(what.text).tokens),
  ast: (what) => `[${what.statements.map(astJson).join(',')}]`,
  bound: (what) => treeJson(what.bound.map((output) => relationJson(output.relation))),
  plan: (what) => treeJson(planJson(what.planned)),
  optimized: (what) => treeJson(planJson(what.optimized)),
  streaming: (what) => treeJson(planJson(what.optimized)),
}
