import { limits } from '../../core/limits.ts'
import { nearestNames } from '../../core/suggest.ts'
import type { Statement, StatementBody } from '../ast-statements.ts'
import type { Diagnostic } from '../diagnostics.ts'
import { lex } from '../lexer.ts'
import type { Annotation } from '../tokens.ts'
import { deleteStatement, dropStatement, insertStatement, updateStatement } from './change.ts'
import { createStatement } from './create.ts'
import { Cursor, SyntaxFailure } from './cursor.ts'
import { parseExpression, parseOperand } from './expressions.ts'
import { jobStatement } from './jobs.ts'
import { failBehind, parseQuery } from './query.ts'
import { describeStatement, explainStatement, resetStatement, setStatement, showStatement } from './show.ts'

export interface Script {
  readonly text: string
  readonly statements: readonly Statement[]
  /** All annotations above the first statement: they hold for the whole file. */
  readonly annotations: readonly Annotation[]
  /** In the order of the text, at most `limits.diagnosticsMax`. Statements with an error are left out above. */
  readonly diagnostics: readonly Diagnostic[]
  /** Objects whose CREATE does not parse: their readers need no fault of their own. */
  readonly brokenNames: readonly string[]
}

const grammar = { query: parseQuery, expression: parseExpression, operand: parseOperand }

/** Parses a script. Never throws for what the text holds: every fault is a diagnostic. */
export function parseScript(text: string): Script {
  const lexed = lex(text)
  const cursor = new Cursor(text, lexed.tokens, grammar)
  const diagnostics: Diagnostic[] = [...lexed.diagnostics]
  const statements: Statement[] = []
  const brokenNames: string[] = []
  let previousEnd = 0
  while (!cursor.atEnd) {
    if (cursor.acceptSymbol(';')) {
      previousEnd = cursor.spanFrom(0).end
      continue
    }
    const start = cursor.start
    const position = cursor.position
    cursor.beginStatement()
    const above = annotationsAbove(lexed.annotations, text, previousEnd, start)
    try {
      const statement = parseStatement(cursor, above)
      if (!cursor.isSymbol(';') && !cursor.atEnd) failBehind(cursor, ['";"', 'the end of the statement'])
      statements.push(statement)
    } catch (failure) {
      if (!(failure instanceof SyntaxFailure)) throw failure
      if (failure.diagnostic !== undefined) diagnostics.push(failure.diagnostic)
      skipStatement(cursor)
      brokenNames.push(...createdName(cursor, position))
    }
  }
  const head = statements[0]?.span.start ?? text.length
  diagnostics.sort((a, b) => a.span.start - b.span.start)
  return {
    text,
    statements,
    annotations: lexed.annotations.filter((annotation) => annotation.span.end <= head),
    diagnostics: diagnostics.slice(0, limits.diagnosticsMax),
    brokenNames,
  }
}

/** Goes on at the next `;`; a `broken` token has swallowed the rest of its statement already. */
function skipStatement(cursor: Cursor): void {
  while (!cursor.atEnd && !cursor.isSymbol(';')) cursor.next()
}

/** The name in `CREATE … STREAM [IF NOT EXISTS] name` at a position, if one stands there; the cursor stays. */
function createdName(cursor: Cursor, position: number): readonly string[] {
  const end = cursor.position
  cursor.rewind(position)
  const found: string[] = []
  if (cursor.acceptWord('CREATE')) {
    while (cursor.position < end && cursor.isAny(createWords)) cursor.next()
    if (cursor.position < end && (cursor.token.kind === 'word' || cursor.token.kind === 'quoted'))
      found.push(cursor.token.text)
  }
  cursor.rewind(end)
  return found
}

const createWords: ReadonlySet<string> = new Set(
  'OR REPLACE STREAM TABLE LOOKUP MATERIALIZED VIEW SINK AGGREGATE FUNCTION IF NOT EXISTS'.split(' '),
)

/** Annotation lines directly above a statement: nothing but comments and line breaks between, no blank line. */
function annotationsAbove(
  all: readonly Annotation[],
  text: string,
  from: number,
  start: number,
): readonly Annotation[] {
  const near = all.filter((annotation) => annotation.span.start >= from && annotation.span.end <= start)
  const kept: Annotation[] = []
  let end = start
  for (const annotation of near.toReversed()) {
    if (/\n[^\S\n]*\n/.test(text.slice(annotation.span.end, end))) break
    kept.unshift(annotation)
    end = annotation.span.start
  }
  return kept
}

function parseStatement(cursor: Cursor, annotations: readonly Annotation[]): Statement {
  const start = cursor.start
  const body = statementBody(cursor, start)
  return { kind: 'statement', body, annotations, span: cursor.spanFrom(start) }
}

type Head = (cursor: Cursor, start: number) => StatementBody

const nested = (cursor: Cursor): Statement => cursor.nested(() => parseStatement(cursor, []))

const heads: Readonly<Record<string, Head>> = {
  CREATE: (cursor, start) => createStatement(after(cursor), start),
  INSERT: (cursor, start) => insertStatement(after(cursor), start),
  UPDATE: (cursor, start) => updateStatement(after(cursor), start),
  DELETE: (cursor, start) => deleteStatement(after(cursor), start),
  DROP: (cursor, start) => dropStatement(after(cursor), start),
  SHOW: (cursor, start) => showStatement(after(cursor), start),
  LIST: (cursor, start) => showStatement(after(cursor), start),
  DESCRIBE: (cursor, start) => describeStatement(after(cursor), start),
  EXPLAIN: (cursor, start) => explainStatement(after(cursor), start, () => nested(cursor)),
  SET: (cursor, start) => setStatement(after(cursor), start),
  RESET: (cursor, start) => resetStatement(after(cursor), start),
  START: (cursor) => jobStatement(cursor, () => nested(cursor)),
  STOP: (cursor) => jobStatement(cursor, () => nested(cursor)),
  PAUSE: (cursor) => jobStatement(cursor, () => nested(cursor)),
  RESUME: (cursor) => jobStatement(cursor, () => nested(cursor)),
  CHECKPOINT: (cursor) => jobStatement(cursor, () => nested(cursor)),
}

const laterStatements: Readonly<Record<string, string>> = {
  MERGE: 'MERGE',
  ALTER: 'ALTER',
  BEGIN: 'BEGIN STATEMENT SET',
  DEPLOY: 'DEPLOY JOB',
  ROLLBACK: 'ROLLBACK JOB',
  SUBSCRIBE: 'SUBSCRIBE',
}

const queryHeads = ['SELECT', 'WITH', 'VALUES', 'TABLE'] as const

function after(cursor: Cursor): Cursor {
  cursor.next()
  return cursor
}

function statementBody(cursor: Cursor, start: number): StatementBody {
  const word = cursor.token.upper
  if (cursor.isSymbol('(') || queryHeads.some((head) => head === word)) {
    const query = cursor.query()
    return { kind: 'select-statement', query, span: cursor.spanFrom(start) }
  }
  if (Object.hasOwn(heads, word)) return heads[word]!(cursor, start)
  if (Object.hasOwn(laterStatements, word)) cursor.unsupported(laterStatements[word]!, cursor.token.span)
  const token = cursor.token
  const near = token.kind === 'word' ? nearestNames(token.text, [...queryHeads, ...Object.keys(heads)])[0] : undefined
  if (near === undefined) return cursor.fail(['SELECT', 'CREATE', 'INSERT', 'SET', 'EXPLAIN'])
  return cursor.raise('sql_unexpected_token', `unexpected "${token.text}"`, token.span, {
    hint: `did you mean ${near}?`,
    suggestions: [{ replace: token.text, with: near }],
  })
}
