import type { Describe, Explain, ExplainStage, SetOption, Show, Statement } from '../ast-statements.ts'
import type { Cursor } from './cursor.ts'
import { optionName, optionValue, target } from './options.ts'

const lists = ['STREAMS', 'TABLES', 'VIEWS', 'SINKS', 'JOBS', 'FUNCTIONS'] as const
const later: ReadonlySet<string> = new Set(
  'SECRETS LOOKUP TOPICS PARTITIONS SCHEMA SCHEMAS PROPERTIES OPTIONS CHECKPOINTS LATENESS DLQ'.split(' '),
)

/** Behind SHOW or LIST. */
export function showStatement(cursor: Cursor, start: number): Show {
  const done = (what: string, extra: Partial<Show> = {}): Show => ({
    kind: 'show',
    what,
    json: false,
    ...extra,
    span: cursor.spanFrom(start),
  })
  const list = lists.find((word) => cursor.acceptWord(word))
  if (list !== undefined) {
    const like = cursor.acceptWord('LIKE') ? cursor.string('a pattern') : undefined
    return done(list, like === undefined ? {} : { like })
  }
  if (cursor.acceptWord('CREATE')) {
    const kind = ['STREAM', 'TABLE', 'SINK', 'VIEW'].find((word) => cursor.acceptWord(word))
    if (kind === undefined) return cursor.fail(['STREAM', 'TABLE', 'SINK', 'VIEW'])
    const name = cursor.name('name').text
    const json = cursor.acceptWord('FORMAT', 'JSON')
    return done(`CREATE ${kind}`, { name, json })
  }
  if (cursor.acceptWord('JOB', 'STATUS')) return done('JOB STATUS', { name: cursor.name('job name').text })
  const isLater = later.has(cursor.token.upper) || cursor.isWord('JOB') || cursor.isWord('STREAM', 'HEALTH')
  if (isLater) cursor.unsupported(`SHOW ${cursor.token.upper}`, cursor.token.span)
  if (cursor.token.kind !== 'word' && cursor.token.kind !== 'string') {
    cursor.fail(['STREAMS', 'SINKS', 'JOBS', 'CREATE', 'a setting'])
  }
  return done('OPTION', { name: optionName(cursor) })
}

/** Behind DESCRIBE. */
export function describeStatement(cursor: Cursor, start: number): Describe {
  const extended = cursor.acceptWord('EXTENDED')
  const name = target(cursor)
  return { kind: 'describe', extended, name, span: cursor.spanFrom(start) }
}

const stages: readonly ExplainStage[] = [
  'tokens',
  'ast',
  'bound',
  'plan',
  'optimized',
  'streaming',
  'delivery',
  'graph',
]
const formats = ['text', 'json', 'mermaid'] as const

/** Behind EXPLAIN. */
export function explainStatement(cursor: Cursor, start: number, nested: () => Statement): Explain {
  const analyze = cursor.acceptWord('ANALYZE')
  const stage = stages.find((word) => cursor.acceptWord(word.toUpperCase()))
  let format: Explain['format'] = 'text'
  if (cursor.acceptWord('FORMAT')) {
    const chosen = formats.find((word) => cursor.acceptWord(word.toUpperCase()))
    if (chosen === undefined) return cursor.fail(formats)
    format = chosen
  }
  const statement = nested()
  return { kind: 'explain', stage: stage ?? 'optimized', format, analyze, statement, span: cursor.spanFrom(start) }
}

/** Behind SET. */
export function setStatement(cursor: Cursor, start: number): SetOption {
  const name = optionName(cursor)
  if (!cursor.acceptSymbol('=')) cursor.expectWord('TO')
  const value = optionValue(cursor)
  return { kind: 'set', name, value, span: cursor.spanFrom(start) }
}

/** Behind RESET. */
export function resetStatement(cursor: Cursor, start: number): SetOption {
  const name = optionName(cursor)
  return { kind: 'set', name, span: cursor.spanFrom(start) }
}
