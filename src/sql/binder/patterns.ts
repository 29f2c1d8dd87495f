import type { BoundExpr, Span } from '../../expr/bound.ts'
import { parseJsonPath } from '../../expr/json/json-path.ts'
import { regexFault } from '../../expr/regex.ts'
import type { Binder } from './context.ts'
import { fault } from './failure.ts'

/** Place of the flags of functions whose second argument is a regular expression; −1: none. */
const regexFlagsAt: Readonly<Record<string, number>> = { REGEXP_LIKE: 2, REGEXP_EXTRACT: -1, REGEXP_REPLACE: 3 }

const pathFunctions: ReadonlySet<string> = new Set([
  'JSON_VALUE',
  'JSON_QUERY',
  'JSON_EXTRACT',
  'JSON_EXTRACT_STRING',
  'JSON_EXISTS',
])

/** Constant regular expressions and JSON paths are checked when the query is planned. */
export function checkPatterns(name: string, args: readonly BoundExpr[], binder: Binder): void {
  const flagsAt = Object.hasOwn(regexFlagsAt, name) ? regexFlagsAt[name] : undefined
  const pattern = textOf(args[1])
  if (pattern === undefined) return
  if (flagsAt !== undefined) checkRegex(pattern, textOf(args[flagsAt]) ?? '', args[1]!, binder)
  if (pathFunctions.has(name)) checkPath(pattern, args[1]!, binder)
}

const textOf = (arg: BoundExpr | undefined): string | undefined =>
  arg?.kind === 'literal' && typeof arg.value === 'string' ? arg.value : undefined

function checkRegex(pattern: string, flags: string, arg: BoundExpr, binder: Binder): void {
  const unsafe = binder.environment.settings.get('unsafe_regex') === 'true'
  const found = regexFault(pattern, flags, unsafe)
  if (found === undefined) return
  const hint =
    found.code === 'sql_regex_unsafe'
      ? 'rewrite the pattern without it, or SET unsafe_regex = true'
      : 'correct the pattern; the syntax is that of ECMAScript with the flag u'
  fault(found.code, `regular expression: ${found.message}`, placeIn(arg, pattern, found.offset, binder), { hint })
}

function checkPath(path: string, arg: BoundExpr, binder: Binder): void {
  const parsed = parseJsonPath(path)
  if (!('message' in parsed)) return
  fault('sql_json_path_invalid', `JSON path: ${parsed.message}`, placeIn(arg, path, parsed.offset, binder), {
    hint: "write $.a.b[0], $['x y'] or $.items[*].sku",
  })
}

/** The place of an offset inside a literal; the whole literal when it is written with escapes, or for the offset 0. */
function placeIn(arg: BoundExpr, text: string, offset: number, binder: Binder): Span {
  const span = arg.span ?? { start: 0, end: 0 }
  const written = binder.environment.text.slice(span.start, span.end)
  if (offset === 0 || written !== `'${text}'`) return span
  const start = Math.min(span.start + 1 + offset, span.end - 1)
  return { start, end: start + 1 }
}
