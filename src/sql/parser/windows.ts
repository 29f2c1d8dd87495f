import type { Expr, WindowKind, WindowNode } from '../ast.ts'
import { durationOrExpression } from './calls.ts'
import type { Cursor } from './cursor.ts'

const tableForms: Readonly<Record<string, WindowKind>> = {
  TUMBLE: 'tumble',
  HOP: 'hop',
  SESSION: 'session',
  CUMULATE: 'cumulate',
}

const clauseForms: Readonly<Record<string, WindowKind>> = {
  TUMBLING: 'tumble',
  TUMBLE: 'tumble',
  SLIDING: 'hop',
  HOPPING: 'hop',
  HOP: 'hop',
  SESSION: 'session',
  CUMULATE: 'cumulate',
  CUMULATING: 'cumulate',
}

/** The kind of window that `TUMBLE(` and its kin start in FROM. */
export const windowTableKind = (cursor: Cursor): WindowKind | undefined =>
  cursor.token.kind === 'word' && cursor.isSymbol('(', 1) ? tableForms[cursor.token.upper] : undefined

/** `ts, size [, …]` of the table form, behind the input; DESCRIPTOR(ts) stands for ts. */
export function windowTableArguments(cursor: Cursor, window: WindowKind, start: number): WindowNode {
  let time: Expr
  if (cursor.acceptWord('DESCRIPTOR')) {
    cursor.expectSymbol('(')
    time = cursor.expression()
    cursor.expectSymbol(')')
  } else time = cursor.expression()
  const sizes: Expr[] = []
  while (cursor.acceptSymbol(',')) sizes.push(durationOrExpression(cursor))
  if (sizes.length === 0) cursor.fail(['","'], 'expected the size of the window: TUMBLE(s, ts, 5m)')
  return { kind: 'window', window, time, sizes, span: cursor.spanFrom(start) }
}

/** True when WINDOW TUMBLING( and its kin follow (not WINDOW name AS). */
export const isWindowClause = (cursor: Cursor): boolean => cursor.isWord('WINDOW') && cursor.isSymbol('(', 2)

/** `WINDOW TUMBLING(5m[, ts])`, `(ts, 5m)`, `(SIZE 5m)`, `SLIDING(size, advance[, ts])`, `SESSION(gap[, ts])` … */
export function windowClause(cursor: Cursor): WindowNode {
  cursor.expectWord('WINDOW')
  const start = cursor.start
  const word = cursor.token
  const window = Object.hasOwn(clauseForms, word.upper) ? clauseForms[word.upper] : undefined
  if (window === undefined) return cursor.fail(['TUMBLING', 'SLIDING', 'SESSION'])
  cursor.next()
  cursor.expectSymbol('(')
  const sizes: Expr[] = []
  let time: Expr | undefined
  cursor.list(() => {
    if (cursor.isWord('SIZE') && !cursor.isSymbol(',', 1)) cursor.next()
    const argument = durationOrExpression(cursor)
    if (argument.kind === 'column' || argument.kind === 'field' || argument.kind === 'call') {
      if (time !== undefined) cursor.fail(['one time column'])
      time = argument
    } else sizes.push(argument)
    if (cursor.acceptWord('ADVANCE', 'BY')) sizes.push(durationOrExpression(cursor))
  })
  cursor.expectSymbol(')')
  if (sizes.length === 0) cursor.fail(['a size'], 'expected the size of the window: WINDOW TUMBLING(5m)')
  // The clause names the size first; everywhere else a hop has its slide first.
  if (window === 'hop' && sizes.length > 1) sizes.splice(0, 2, sizes[1]!, sizes[0]!)
  return { kind: 'window', window, ...(time === undefined ? {} : { time }), sizes, span: cursor.spanFrom(start) }
}
