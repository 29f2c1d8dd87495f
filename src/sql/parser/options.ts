import type { OptionLiteral, OptionNode, Target, UriNode } from '../ast.ts'
import { intervalText } from '../expr-text.ts'
import type { Cursor } from './cursor.ts'
import { duration, isBareDuration } from './intervals.ts'

/** `(key = value, …)` behind WITH. */
export function optionList(cursor: Cursor): OptionNode[] {
  const options = cursor.parenthesised(() => option(cursor))
  const seen = new Map<string, OptionNode>()
  for (const node of options) {
    const before = seen.get(node.name.toLowerCase())
    if (before !== undefined) {
      const line = lineOf(cursor.text, before.span.start)
      cursor.raise('sql_duplicate_clause', `option "${node.name}" is given twice`, node.span, {
        hint: `the first one is on line ${line}; keep one of the two`,
      })
    }
    seen.set(node.name.toLowerCase(), node)
  }
  return options
}

export const lineOf = (text: string, offset: number): number => text.slice(0, offset).split('\n').length

function option(cursor: Cursor): OptionNode {
  const start = cursor.start
  const name = optionName(cursor)
  if (!cursor.acceptSymbol('=>')) cursor.expectSymbol('=')
  const valueStart = cursor.start
  const value = optionValue(cursor)
  return { kind: 'option', name, value, valueSpan: cursor.spanFrom(valueStart), span: cursor.spanFrom(start) }
}

/** A dotted name, quoted or not. Reserved words are plain here. */
export function optionName(cursor: Cursor): string {
  const parts: string[] = []
  do {
    const token = cursor.token
    const hasText = token.kind === 'word' || token.kind === 'quoted' || (token.kind === 'string' && parts.length === 0)
    if (!hasText) cursor.fail(['an option name'])
    parts.push(cursor.next().text)
  } while (cursor.acceptSymbol('.'))
  return parts.join('.')
}

export function optionValue(cursor: Cursor): OptionLiteral {
  const token = cursor.token
  if (isBareDuration(cursor) || token.upper === 'INTERVAL') return intervalText(duration(cursor).interval)
  if (token.kind === 'string') return cursor.next().text
  if (token.kind === 'number') return cursor.next().text
  if (cursor.isSymbol('-') && cursor.ahead(1).kind === 'number') {
    cursor.next()
    return `-${cursor.next().text}`
  }
  if (token.upper === 'TRUE' || token.upper === 'FALSE') return cursor.next().upper === 'TRUE'
  if (cursor.acceptWord('ARRAY') || cursor.isSymbol('[')) {
    cursor.expectSymbol('[')
    const items = cursor.isSymbol(']') ? [] : cursor.list(() => optionValue(cursor))
    cursor.expectSymbol(']')
    return items
  }
  const hint = token.kind === 'word' ? `expected a value; quote text: '${token.text}'` : undefined
  return cursor.fail(['a string', 'a number', 'TRUE or FALSE', 'an interval', 'an array'], hint)
}

/** `'uri'`. */
export function uriLiteral(cursor: Cursor): UriNode {
  const span = cursor.token.span
  return { kind: 'uri', uri: cursor.string("a URI such as 'file:///data/in.jsonl'"), span }
}

/** True when `scheme('…')` follows. */
export const isSchemeForm = (cursor: Cursor): boolean =>
  cursor.token.kind === 'word' &&
  cursor.isSymbol('(', 1) &&
  cursor.ahead(2).kind === 'string' &&
  cursor.isSymbol(')', 3)

/** `scheme('rest')` is `'scheme://rest'` (a path for `file`); a rest that is a URI of that scheme stays as it is. */
export function schemeForm(cursor: Cursor): UriNode {
  const start = cursor.start
  const scheme = cursor.next().text.toLowerCase()
  cursor.expectSymbol('(')
  const rest = cursor.string('a URI')
  cursor.expectSymbol(')')
  const isUri = rest.toLowerCase().startsWith(`${scheme}:`)
  const uri = isUri ? rest : scheme === 'file' ? `file:${rest}` : `${scheme}://${rest}`
  return { kind: 'uri', uri, span: cursor.spanFrom(start) }
}

/** A name, a URI literal or `scheme('…')`. */
export function target(cursor: Cursor): Target {
  if (cursor.token.kind === 'string') return uriLiteral(cursor)
  if (isSchemeForm(cursor)) return schemeForm(cursor)
  if (cursor.token.kind !== 'word' && cursor.token.kind !== 'quoted') {
    cursor.fail(['a name', "a 'uri'"])
  }
  return cursor.name('target name')
}
