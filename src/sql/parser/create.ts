import type { Expr, Name, OptionNode, Query, UriNode } from '../ast.ts'
import type {
  ColumnNode,
  CreateFunction,
  CreateLookup,
  CreateSecret,
  CreateSink,
  CreateStream,
  CreateTable,
  CreateView,
  StatementBody,
  TableElements,
  WatermarkElement,
} from '../ast-statements.ts'
import type { Cursor } from './cursor.ts'
import { isSchemeForm, optionList, schemeForm, target, uriLiteral } from './options.ts'
import { typeNode } from './types.ts'

interface Head {
  readonly start: number
  readonly orReplace: boolean
  readonly ifNotExists: boolean
  readonly name: Name
}

/** Behind CREATE. */
export function createStatement(cursor: Cursor, start: number): StatementBody {
  const orReplace = cursor.acceptWord('OR', 'REPLACE')
  const head = (what: string): Head => {
    const ifNotExists = cursor.acceptWord('IF', 'NOT', 'EXISTS')
    const name = cursor.name(what)
    return { start, orReplace, ifNotExists, name }
  }
  if (cursor.acceptWord('STREAM')) return createStream(cursor, head('stream name'))
  if (cursor.acceptWord('TABLE', 'FUNCTION')) return createFunction(cursor, head('function name'), 'table')
  if (cursor.acceptWord('AGGREGATE', 'FUNCTION')) return createFunction(cursor, head('function name'), 'aggregate')
  if (cursor.acceptWord('FUNCTION')) return createFunction(cursor, head('function name'), 'scalar')
  if (cursor.acceptWord('TABLE')) return createTable(cursor, head('table name'))
  if (cursor.acceptWord('LOOKUP', 'TABLE')) return createLookup(cursor, head('table name'))
  if (cursor.acceptWord('MATERIALIZED', 'VIEW')) return createView(cursor, head('view name'), true)
  if (cursor.acceptWord('VIEW')) return createView(cursor, head('view name'), false)
  if (cursor.acceptWord('SINK')) return createSink(cursor, head('sink name'))
  if (cursor.acceptWord('SECRET')) return createSecret(cursor, head('secret name'))
  return cursor.fail(['STREAM', 'TABLE', 'VIEW', 'SINK', 'FUNCTION'])
}

const base = (cursor: Cursor, head: Head) => ({
  orReplace: head.orReplace,
  ifNotExists: head.ifNotExists,
  name: head.name,
  span: cursor.spanFrom(head.start),
})

interface Source {
  readonly columns?: TableElements | undefined
  readonly from?: UriNode | undefined
  readonly query?: Query | undefined
  readonly options: readonly OptionNode[]
}

/** `[(columns)] FROM 'uri' [WITH (…)]`, `[(columns)] WITH (…)` or `[(columns)] AS query`. */
function source(cursor: Cursor, mayBeBare: boolean): Source {
  const columns = cursor.isSymbol('(') ? tableElements(cursor) : undefined
  const some = columns === undefined ? {} : { columns }
  if (cursor.acceptWord('AS')) return { ...some, query: cursor.query(), options: [] }
  const from = cursor.acceptWord('FROM') ? uri(cursor) : undefined
  const options = cursor.acceptWord('WITH') ? optionList(cursor) : undefined
  if (from === undefined && options === undefined && !(mayBeBare && columns !== undefined)) {
    cursor.fail([...(columns === undefined ? ['"("'] : []), 'FROM', 'WITH', 'AS'])
  }
  return { ...some, ...(from === undefined ? {} : { from }), options: options ?? [] }
}

function uri(cursor: Cursor): UriNode {
  return isSchemeForm(cursor) ? schemeForm(cursor) : uriLiteral(cursor)
}

function createStream(cursor: Cursor, head: Head): CreateStream {
  const parts = source(cursor, false)
  return { kind: 'create-stream', ...parts, ...base(cursor, head) }
}

function createTable(cursor: Cursor, head: Head): CreateTable {
  const parts = source(cursor, true)
  return { kind: 'create-table', ...parts, ...base(cursor, head) }
}

function createLookup(cursor: Cursor, head: Head): CreateLookup {
  const columns = cursor.isSymbol('(') ? tableElements(cursor) : undefined
  cursor.expectWord('FROM')
  const from = uri(cursor)
  const primaryKey = cursor.acceptWord('PRIMARY', 'KEY') ? cursor.parenthesised(() => cursor.name('column name')) : []
  const options = cursor.acceptWord('WITH') ? optionList(cursor) : []
  const some = columns === undefined ? {} : { columns }
  return { kind: 'create-lookup', ...some, from, primaryKey, options, ...base(cursor, head) }
}

function createView(cursor: Cursor, head: Head, materialized: boolean): CreateView {
  const columns = cursor.isSymbol('(') ? cursor.parenthesised(() => cursor.name('column name')) : []
  cursor.expectWord('AS')
  const query = cursor.query()
  return { kind: 'create-view', materialized, columns, query, ...base(cursor, head) }
}

function createSink(cursor: Cursor, head: Head): CreateSink {
  const from = cursor.acceptWord('FROM') ? cursor.name('stream name') : undefined
  const query = from === undefined && cursor.acceptWord('AS') ? cursor.query() : undefined
  // A query reads its own INTO and WITH; both then belong to the sink.
  if (query !== undefined && query.trailing.into.length > 0) {
    const { into, options } = query.trailing
    const { into: _into, with: _with, ...spans } = query.trailing.spans
    const inner: Query = { ...query, trailing: { ...query.trailing, into: [], options: [], spans } }
    return { kind: 'create-sink', query: inner, targets: into, options, ...base(cursor, head) }
  }
  cursor.expectWord('INTO')
  const targets = cursor.list(() => target(cursor))
  const options = cursor.acceptWord('WITH') ? optionList(cursor) : []
  const origin = from === undefined ? (query === undefined ? {} : { query }) : { from }
  return { kind: 'create-sink', ...origin, targets, options, ...base(cursor, head) }
}

function createSecret(cursor: Cursor, head: Head): CreateSecret {
  cursor.expectWord('FROM')
  const kind = (['env', 'file', 'value'] as const).find((word) => cursor.acceptWord(word.toUpperCase()))
  if (kind === undefined) return cursor.fail(['ENV', 'FILE', 'VALUE'])
  const { start } = cursor.token.span
  const text = cursor.string('a string')
  const valueSpan = cursor.spanFrom(start)
  return {
    kind: 'create-secret',
    source: kind,
    from: kind === 'value' ? '***' : text,
    valueSpan,
    ...base(cursor, head),
  }
}

function createFunction(cursor: Cursor, head: Head, form: CreateFunction['form']): CreateFunction {
  let parameters: CreateFunction['parameters']
  if (cursor.acceptSymbol('(')) {
    const parameter = () => ({ name: cursor.name('parameter name'), type: typeNode(cursor) })
    parameters = cursor.isSymbol(')') ? [] : cursor.list(parameter)
    cursor.expectSymbol(')')
  }
  const returns = cursor.acceptWord('RETURNS') ? typeNode(cursor) : undefined
  cursor.expectWord('LANGUAGE')
  if (cursor.isWord('SQL')) cursor.unsupported('LANGUAGE SQL', cursor.token.span, 'write the function in TypeScript')
  cursor.expectWord('TYPESCRIPT')
  cursor.expectWord('FROM')
  const path = cursor.string("a path such as './f.ts'")
  const exported = cursor.acceptWord('AS') ? cursor.string('the name of an export') : undefined
  const options = cursor.acceptWord('WITH') ? optionList(cursor) : []
  return {
    kind: 'create-function',
    form,
    ...(parameters === undefined ? {} : { parameters }),
    ...(returns === undefined ? {} : { returns }),
    path,
    ...(exported === undefined ? {} : { export: exported }),
    options,
    ...base(cursor, head),
  }
}

type Mutable = {
  columns: ColumnNode[]
  primaryKey: readonly Name[]
  watermark: WatermarkElement | undefined
  checks: Expr[]
}

/** `( column | PRIMARY KEY (…) | WATERMARK FOR … | CHECK (…), … )` */
function tableElements(cursor: Cursor): TableElements {
  const start = cursor.start
  const all: Mutable = { columns: [], primaryKey: [], watermark: undefined, checks: [] }
  cursor.parenthesised(() => tableElement(cursor, all))
  const { watermark, ...rest } = all
  const span = cursor.spanFrom(start)
  return { kind: 'table-elements', ...rest, ...(watermark === undefined ? {} : { watermark }), span }
}

function tableElement(cursor: Cursor, all: Mutable): void {
  const start = cursor.start
  if (cursor.acceptWord('PRIMARY', 'KEY')) {
    if (all.primaryKey.length > 0) duplicate(cursor, 'PRIMARY KEY', start)
    all.primaryKey = cursor.parenthesised(() => cursor.name('column name'))
  } else if (cursor.acceptWord('WATERMARK', 'FOR')) {
    if (all.watermark !== undefined) duplicate(cursor, 'WATERMARK', start)
    const column = cursor.name('column name')
    const expr = cursor.acceptWord('AS') ? cursor.expression() : undefined
    all.watermark = { kind: 'watermark', column, ...(expr === undefined ? {} : { expr }), span: cursor.spanFrom(start) }
  } else if (cursor.isWord('CHECK') && cursor.isSymbol('(', 1)) {
    cursor.next()
    all.checks.push(...cursor.parenthesised(() => cursor.expression()))
  } else all.columns.push(column(cursor))
}

const duplicate = (cursor: Cursor, what: string, start: number): never =>
  cursor.raise('sql_duplicate_clause', `${what} is given twice`, cursor.spanFrom(start), {
    hint: 'keep one of the two',
  })

function column(cursor: Cursor): ColumnNode {
  const start = cursor.start
  const name = cursor.name('column name', true)
  const type = cursor.isWord('AS') ? undefined : typeNode(cursor)
  const flags = { notNull: false, primaryKey: false }
  const checks: Expr[] = []
  let defaultValue: Expr | undefined
  let computed: Expr | undefined
  let metadata: ColumnNode['metadata']
  for (;;) {
    const at = cursor.start
    if (cursor.acceptWord('NOT', 'NULL')) flags.notNull = true
    else if (cursor.acceptWord('NULL')) flags.notNull = false
    else if (cursor.acceptWord('PRIMARY', 'KEY')) flags.primaryKey = true
    else if (cursor.acceptWord('DEFAULT')) defaultValue = cursor.expression()
    else if (cursor.acceptWord('AS')) computed = cursor.expression()
    else if (cursor.acceptWord('METADATA')) {
      const from = cursor.acceptWord('FROM') ? cursor.string("a system column such as '_offset'") : undefined
      metadata = { ...(from === undefined ? {} : { from }), span: cursor.spanFrom(at) }
    } else if (cursor.acceptWord('CHECK')) checks.push(...cursor.parenthesised(() => cursor.expression()))
    else break
  }
  if (!cursor.isSymbol(',') && !cursor.isSymbol(')')) {
    cursor.fail(['","', '")"', 'NOT NULL', 'DEFAULT', 'PRIMARY KEY'])
  }
  return {
    kind: 'column-definition',
    name,
    ...(type === undefined ? {} : { type }),
    ...flags,
    ...(defaultValue === undefined ? {} : { default: defaultValue }),
    ...(computed === undefined ? {} : { computed }),
    ...(metadata === undefined ? {} : { metadata }),
    checks,
    span: cursor.spanFrom(start),
  }
}
