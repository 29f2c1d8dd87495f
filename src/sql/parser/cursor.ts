import type { ErrorCode } from '../../core/error-kinds.ts'
import type { Suggestion } from '../../core/errors.ts'
import type { Span } from '../../expr/bound.ts'
import type { Expr, Name, Query } from '../ast.ts'
import type { Diagnostic } from '../diagnostics.ts'
import { contextualWords, describeToken, reservedWords, type Token } from '../tokens.ts'

/** Ends the statement at hand; the script parser records the diagnostic and goes on behind the next `;`. */
export class SyntaxFailure {
  /** Undefined when the lexer has reported the place. */
  readonly diagnostic: Diagnostic | undefined

  constructor(diagnostic: Diagnostic | undefined) {
    this.diagnostic = diagnostic
  }
}

export interface FailureExtra {
  readonly hint?: string | undefined
  readonly suggestions?: readonly Suggestion[] | undefined
}

/** The recursive doors of the grammar, so that no two parser files import each other. */
export interface Grammar {
  query(cursor: Cursor): Query
  expression(cursor: Cursor): Expr
  /** An expression that ends before IN and the other comparison words. */
  operand(cursor: Cursor): Expr
}

/** Reserved words that start a clause: where a name is wanted, the name is missing. */
const clauseHeads: ReadonlySet<string> = new Set(
  'SELECT FROM WHERE INTO VALUES CREATE INSERT DELETE DROP ON'.split(' '),
)

/** Entries of an expected-token list. */
const EXPECTED_MAX = 5
/** Nested expressions, queries and types; a deeper text is refused. */
const DEPTH_MAX = 200

/** Reads tokens one by one for the recursive descent. */
export class Cursor {
  readonly text: string
  readonly #grammar: Grammar
  #tokens: Token[]
  #at = 0
  #depth = 0

  constructor(text: string, tokens: readonly Token[], grammar: Grammar) {
    this.text = text
    this.#grammar = grammar
    this.#tokens = [...tokens]
  }

  query(): Query {
    return this.nested(() => this.#grammar.query(this))
  }

  expression(): Expr {
    return this.nested(() => this.#grammar.expression(this))
  }

  /** The first argument of POSITION(a IN b). */
  operandBeforeIn(): Expr {
    return this.nested(() => this.#grammar.operand(this))
  }

  get token(): Token {
    return this.#tokens[this.#at]!
  }

  get atEnd(): boolean {
    return this.token.kind === 'end'
  }

  /** The token `distance` ahead; the `end` token beyond the end. */
  ahead(distance: number): Token {
    return this.#tokens[Math.min(this.#at + distance, this.#tokens.length - 1)]!
  }

  get position(): number {
    return this.#at
  }

  /** Goes back to a `position`, for the few places where the grammar needs a trial. */
  rewind(position: number): void {
    this.#at = position
  }

  next(): Token {
    const token = this.token
    if (token.kind !== 'end') this.#at++
    return token
  }

  /** Start offset of the token at hand. */
  get start(): number {
    return this.token.span.start
  }

  /** From `start` to the end of the token read last. */
  spanFrom(start: number): Span {
    const end = this.#at > 0 ? this.#tokens[this.#at - 1]!.span.end : start
    return { start, end: Math.max(start, end) }
  }

  /** True when the coming tokens are these unquoted words. */
  isWord(...words: string[]): boolean {
    return words.every((word, i) => this.ahead(i).upper === word)
  }

  isAny(words: ReadonlySet<string>): boolean {
    return this.token.kind === 'word' && words.has(this.token.upper)
  }

  isSymbol(symbol: string, distance = 0): boolean {
    const token = this.ahead(distance)
    return token.kind === 'symbol' && token.text === symbol
  }

  acceptWord(...words: string[]): boolean {
    if (!this.isWord(...words)) return false
    this.#at += words.length
    return true
  }

  acceptSymbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false
    this.#at++
    return true
  }

  expectWord(...words: string[]): void {
    for (const word of words) if (!this.acceptWord(word)) this.fail([word])
  }

  expectSymbol(symbol: string): void {
    if (this.acceptSymbol(symbol)) return
    if (symbol === '>' && this.#splitAngle()) return
    this.fail([`"${symbol}"`])
  }

  /** `ARRAY<ARRAY<INT>>` ends with the token `>>`: takes its first half. */
  #splitAngle(): boolean {
    const token = this.token
    if (token.kind !== 'symbol' || (token.text !== '>>' && token.text !== '>=')) return false
    const rest = { ...token, text: token.text.slice(1), span: { start: token.span.start + 1, end: token.span.end } }
    this.#tokens[this.#at] = rest
    return true
  }

  /**
   * An unquoted or quoted name; a reserved word fails with its own diagnostic. One that may head a clause is taken for
   * that clause, unless `only` a name can stand here.
   */
  name(what: string, only = false): Name {
    const token = this.token
    if (token.kind === 'word' && reservedWords.has(token.upper) && (only || !clauseHeads.has(token.upper))) {
      this.raise(
        'sql_reserved_word',
        `"${token.text}" is a reserved word and cannot be ${article(what)} here`,
        token.span,
        {
          hint: `quote it: "${token.text}", or choose another name`,
          suggestions: [{ replace: token.text, with: `"${token.text}"` }],
        },
      )
    }
    const isName = token.kind === 'quoted' || (token.kind === 'word' && !clauseHeads.has(token.upper))
    if (!isName) this.fail([article(what)])
    this.next()
    return { kind: 'name', text: token.text, quoted: token.kind === 'quoted', span: token.span }
  }

  /** True when a name follows that may be an alias without AS. */
  isAlias(): boolean {
    const token = this.token
    if (token.kind === 'quoted') return true
    return token.kind === 'word' && !reservedWords.has(token.upper) && !contextualWords.has(token.upper)
  }

  /** The text of a string literal. */
  string(what: string): string {
    const token = this.token
    if (token.kind !== 'string') this.fail([what])
    this.next()
    return token.text
  }

  /** `item, item …` */
  list<T>(item: () => T): T[] {
    const items = [item()]
    while (this.acceptSymbol(',')) items.push(item())
    return items
  }

  /** `( item, item … )` */
  parenthesised<T>(item: () => T): T[] {
    this.expectSymbol('(')
    const items = this.list(item)
    this.expectSymbol(')')
    return items
  }

  /** Runs `parse` one level deeper. */
  nested<T>(parse: () => T): T {
    if (++this.#depth > DEPTH_MAX) {
      this.#depth = 0
      this.raise('sql_unexpected_token', `the text is nested more than ${DEPTH_MAX} levels deep`, this.token.span, {
        hint: 'split it into several queries with WITH',
      })
    }
    const result = parse()
    this.#depth--
    return result
  }

  /** Refuses a chain of operators that is longer than what later stages take: they walk it recursively. */
  checkChain(length: number, most: number): void {
    if (length <= most) return
    this.raise('sql_unexpected_token', `the expression is a chain of more than ${most} operators`, this.token.span, {
      hint: 'use IN with a list, or split the expression with a subquery',
    })
  }

  /** Starts a statement: nesting begins anew. */
  beginStatement(): void {
    this.#depth = 0
  }

  /** Fails at the token at hand. */
  fail(expected: readonly string[], hint?: string): never {
    const token = this.token
    if (token.kind === 'broken') throw new SyntaxFailure(undefined)
    if (token.kind === 'glued') {
      this.raise('sql_invalid_literal', `the number "${token.text}" runs into letters`, token.span, {
        hint: `put a blank behind the number; a length of time is INTERVAL '${token.text}'`,
        suggestions: [{ replace: token.text, with: `INTERVAL '${token.text}'` }],
      })
    }
    this.raise('sql_unexpected_token', `unexpected ${describeToken(token)}`, token.span, {
      hint: hint ?? `expected ${orList(expected)}`,
    })
  }

  raise(code: ErrorCode, message: string, span: Span, extra: FailureExtra = {}): never {
    throw new SyntaxFailure({ code, message, span, ...extra })
  }

  unsupported(feature: string, span: Span, hint?: string): never {
    this.raise('sql_feature_unsupported', `${feature} is not supported by this version`, span, {
      hint: hint ?? 'leave it out; the README lists what this version runs',
    })
  }
}

const article = (what: string): string => `${/^[aeiou]/i.test(what) ? 'an' : 'a'} ${what}`

/** `a, b or c`, at most five entries. */
export function orList(entries: readonly string[]): string {
  const shown = entries.slice(0, EXPECTED_MAX)
  if (shown.length < 2) return shown.join('')
  return `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}`
}
