import type { Span } from '../expr/bound.ts'

/**
 * - `word`: an unquoted name or keyword; `upper` is its upper-case form
 * - `quoted`: `"Name"` or `` `Name` ``; `text` is the name without quotes
 * - `string`: any string literal; `text` is its value
 * - `bytes`: `X'0AFF'`; `text` holds the hexadecimal digits
 * - `number`: `text` is the literal without underscores
 * - `glued`: a number that runs into letters (`5m`, `1h30m`): a duration where the grammar needs an interval
 * - `parameter`: `:name` or `$1`; `text` is `name` or `1`
 * - `symbol`: operators and punctuation
 * - `broken`: text that is no token; its diagnostic has been reported by the lexer
 * - `end`: after the last token
 */
export type TokenKind =
  | 'word'
  | 'quoted'
  | 'string'
  | 'bytes'
  | 'number'
  | 'glued'
  | 'parameter'
  | 'symbol'
  | 'broken'
  | 'end'

export interface Token {
  readonly kind: TokenKind
  readonly text: string
  /** Upper-case form of a `word`; the empty string for all other kinds. */
  readonly upper: string
  readonly span: Span
}

/** A line `-- @name value` (or `@name: value`). */
export interface Annotation {
  readonly name: string
  readonly value: string
  readonly span: Span
}

/** Words that must be quoted to be names (sql.md §1). */
export const reservedWords: ReadonlySet<string> = new Set(
  (
    'ALL AND ANY ARRAY AS ASC BETWEEN BY CASE CAST CREATE CROSS DELETE DESC DISTINCT DROP ELSE EMIT END EXCEPT EXISTS ' +
    'FALSE FROM FULL GROUP HAVING IN INNER INSERT INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT LIKE LIMIT NATURAL NOT ' +
    'NULL OFFSET ON OR ORDER OUTER OVER RIGHT SELECT SET SOME TABLE THEN TRUE UNION UPDATE USING VALUES WHEN WHERE ' +
    'WINDOW WITH'
  ).split(' '),
)

/** Plain words that may start a clause behind an expression or a FROM item: never an alias without AS. */
export const contextualWords: ReadonlySet<string> = new Set(
  'ALLOW ANTI ASOF FETCH FOR LATE PRIMARY QUALIFY SEMI TOLERANCE WITHIN'.split(' '),
)

/** Longest first, so that the first match is the token. */
export const symbols: readonly string[] = (
  '#>> ->> !~* ' +
  ':: <> != <= >= || -> #> @> << >> ~* !~ => ' +
  '( ) [ ] { } , ; . : = < > + - * / % ? & # | ~ ^ @ !'
).split(' ')

/** How messages name a token: `"FROM"`, `string 'a'`, `end of text`. */
export function describeToken(token: Token): string {
  switch (token.kind) {
    case 'end':
      return 'end of text'
    case 'string':
      return `string '${shorten(token.text)}'`
    case 'bytes':
      return `bytes X'${shorten(token.text)}'`
    case 'parameter':
      return `parameter :${token.text}`
    default:
      return `"${shorten(token.text)}"`
  }
}

const shorten = (text: string): string => (text.length > 40 ? `${text.slice(0, 39)}…` : text)
