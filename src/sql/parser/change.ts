import type { Query } from '../ast.ts'
import type { Delete, Drop, Insert, Update } from '../ast-statements.ts'
import type { Cursor } from './cursor.ts'
import { target } from './options.ts'

/** Behind INSERT. */
export function insertStatement(cursor: Cursor, start: number): Insert {
  cursor.expectWord('INTO')
  const into = target(cursor)
  const columns =
    cursor.isSymbol('(') && !isQueryAhead(cursor) ? cursor.parenthesised(() => cursor.name('column name')) : []
  const query: Query = cursor.query()
  if (cursor.isWord('ON', 'CONFLICT')) cursor.unsupported('ON CONFLICT', cursor.token.span)
  return { kind: 'insert', target: into, columns, query, span: cursor.spanFrom(start) }
}

const isQueryAhead = (cursor: Cursor): boolean => ['SELECT', 'WITH', 'VALUES', 'TABLE'].includes(cursor.ahead(1).upper)

/** Behind UPDATE. */
export function updateStatement(cursor: Cursor, start: number): Update {
  const table = cursor.name('table name')
  cursor.expectWord('SET')
  const sets = cursor.list(() => {
    const column = cursor.name('column name')
    cursor.expectSymbol('=')
    return { column, expr: cursor.expression() }
  })
  const where = cursor.acceptWord('WHERE') ? cursor.expression() : undefined
  return { kind: 'update', table, sets, ...(where === undefined ? {} : { where }), span: cursor.spanFrom(start) }
}

/** Behind DELETE. */
export function deleteStatement(cursor: Cursor, start: number): Delete {
  cursor.expectWord('FROM')
  const table = cursor.name('table name')
  const where = cursor.acceptWord('WHERE') ? cursor.expression() : undefined
  return { kind: 'delete', table, ...(where === undefined ? {} : { where }), span: cursor.spanFrom(start) }
}

const objectKinds = ['STREAM', 'TABLE', 'VIEW', 'SINK', 'FUNCTION', 'SECRET', 'JOB'] as const

/** Behind DROP. */
export function dropStatement(cursor: Cursor, start: number): Drop {
  const object = cursor.acceptWord('LOOKUP', 'TABLE')
    ? 'LOOKUP TABLE'
    : objectKinds.find((word) => cursor.acceptWord(word))
  if (object === undefined) return cursor.fail(objectKinds)
  const ifExists = cursor.acceptWord('IF', 'EXISTS')
  const name = cursor.name('name')
  const cascade = cursor.acceptWord('CASCADE')
  return { kind: 'drop', object, ifExists, name, cascade, span: cursor.spanFrom(start) }
}
