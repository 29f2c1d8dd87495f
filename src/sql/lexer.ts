import type { Diagnostic } from './diagnostics.ts'
import { type Annotation, symbols, type Token, type TokenKind } from './tokens.ts'

export interface Lexed {
  /** At least the `end` token. */
  readonly tokens: readonly Token[]
  readonly annotations: readonly Annotation[]
  readonly diagnostics: readonly Diagnostic[]
}

/** Splits a script into tokens. Never throws: text that is no token becomes a `broken` token and a diagnostic. */
export function lex(text: string): Lexed {
  return new Lexer(text).run()
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57
const nameStart = /[\p{L}_]/u
const namePart = /[\p{L}\p{M}\p{N}_$]*/uy
const annotationLine = /^\s*@([\w.-]+)\s*:?\s*(.*?)\s*$/

class Lexer {
  readonly #text: string
  readonly #tokens: Token[] = []
  readonly #annotations: Annotation[] = []
  readonly #diagnostics: Diagnostic[] = []
  #at = 0

  constructor(text: string) {
    this.#text = text
    if (text.charCodeAt(0) === 0xfeff) this.#at = 1
  }

  run(): Lexed {
    while (this.#skipBlank()) this.#token()
    this.#push('end', '', this.#text.length)
    return { tokens: this.#tokens, annotations: this.#annotations, diagnostics: this.#diagnostics }
  }

  /** Moves to the next token; false at the end of the text. */
  #skipBlank(): boolean {
    const text = this.#text
    while (this.#at < text.length) {
      if (text.startsWith('--', this.#at)) this.#lineComment()
      else if (text.startsWith('/*', this.#at)) this.#blockComment()
      else if (/\s/.test(text[this.#at]!)) this.#at++
      else return true
    }
    return false
  }

  #lineComment(): void {
    const start = this.#at
    const newline = this.#text.indexOf('\n', start)
    const end = newline < 0 ? this.#text.length : newline
    this.#at = end
    const found = annotationLine.exec(this.#text.slice(start + 2, end))
    const alone = /(^|\n)[^\S\n]*$/.test(this.#text.slice(Math.max(0, start - 200), start))
    if (found !== null && alone) {
      this.#annotations.push({ name: found[1]!.toLowerCase(), value: found[2]!, span: { start, end } })
    }
  }

  #blockComment(): void {
    const start = this.#at
    let depth = 1
    let at = start + 2
    while (depth > 0) {
      const close = this.#text.indexOf('*/', at)
      if (close < 0) {
        this.#report('sql_unterminated_comment', 'this comment is never closed', start, start + 2, 'close it with */')
        this.#at = this.#text.length
        this.#push('broken', '', start)
        return
      }
      const open = this.#text.indexOf('/*', at)
      if (open >= 0 && open < close) {
        depth++
        at = open + 2
      } else {
        depth--
        at = close + 2
      }
    }
    this.#at = at
  }

  #token(): void {
    const text = this.#text
    const start = this.#at
    const first = text[start]!
    const next = text[start + 1] ?? ''
    if (first === "'") this.#quotedString(start, start + 1)
    else if (next === "'" && (first === 'E' || first === 'e')) this.#escapeString(start)
    else if (next === "'" && (first === 'X' || first === 'x')) this.#bytes(start)
    else if (first === '"' || first === '`') this.#quotedName(start, first)
    else if (isDigit(first.charCodeAt(0))) this.#number(start)
    else if (first === '.' && isDigit(next.charCodeAt(0)) && !this.#afterOperand()) this.#number(start)
    else if (first === '$') this.#dollar(start)
    else if (first === ':' && nameStart.test(next)) this.#parameter(start)
    else if (nameStart.test(String.fromCodePoint(text.codePointAt(start)!))) this.#word(start)
    else this.#symbol(start)
  }

  #symbol(start: number): void {
    const text = this.#text
    const symbol = symbols.find((candidate) => text.startsWith(candidate, start))
    if (symbol !== undefined) {
      this.#at = start + symbol.length
      this.#push('symbol', symbol, start)
      return
    }
    this.#at = start + String.fromCodePoint(text.codePointAt(start)!).length
    const what = text.slice(start, this.#at)
    this.#report('sql_unexpected_token', `"${what}" is no part of SQL`, start, this.#at, 'remove it, or quote it')
    this.#push('broken', what, start)
  }

  /** A `.` behind a name, a bracket or a number belongs to a path. */
  #afterOperand(): boolean {
    const last = this.#tokens.at(-1)
    if (last === undefined || last.span.end !== this.#at) return false
    return last.kind !== 'symbol' || last.text === ')' || last.text === ']'
  }

  #word(start: number): void {
    namePart.lastIndex = start
    const text = namePart.exec(this.#text)![0]
    this.#at = start + Math.max(text.length, 1)
    this.#push('word', this.#text.slice(start, this.#at), start)
  }

  #parameter(start: number): void {
    namePart.lastIndex = start + 1
    const name = namePart.exec(this.#text)![0]
    this.#at = start + 1 + name.length
    this.#push('parameter', name, start)
  }

  #number(start: number): void {
    const form = /0[xX][0-9a-fA-F_]+|(?:\d[\d_]*(?:\.\d[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?|\d[\d_]*\./y
    form.lastIndex = start
    let end = start + (form.exec(this.#text)?.[0].length ?? 1)
    // `1.` is a number only where no name follows: `1.5`, `1.`; a trailing dot is kept with the number.
    if (this.#text[end] === '.' && !/[\w."`]/.test(this.#text[end + 1] ?? '')) end++
    namePart.lastIndex = end
    const letters = namePart.exec(this.#text)?.[0] ?? ''
    if (letters !== '') {
      this.#at = end + letters.length
      const rest = /(?:\.?[\p{L}\p{N}_]+)*/uy
      rest.lastIndex = this.#at
      this.#at += rest.exec(this.#text)?.[0].length ?? 0
      this.#push('glued', this.#text.slice(start, this.#at), start)
      return
    }
    this.#at = end
    this.#push('number', this.#text.slice(start, end).replaceAll('_', ''), start)
  }

  #dollar(start: number): void {
    const digits = /\$(\d+)/y
    digits.lastIndex = start
    const parameter = digits.exec(this.#text)
    if (parameter !== null) {
      this.#at = start + parameter[0].length
      this.#push('parameter', parameter[1]!, start)
      return
    }
    const open = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy
    open.lastIndex = start
    const tag = open.exec(this.#text)?.[0]
    if (tag === undefined) {
      this.#at = start + 1
      this.#report('sql_unexpected_token', '"$" starts no literal here', start, start + 1, 'write $1 or $$text$$')
      this.#push('broken', '$', start)
      return
    }
    const from = start + tag.length
    const close = this.#text.indexOf(tag, from)
    if (close < 0) {
      this.#unterminated(start, tag.length, tag)
      return
    }
    this.#at = close + tag.length
    this.#push('string', this.#text.slice(from, close), start)
  }

  #quotedString(start: number, from: number): void {
    let at = from
    for (;;) {
      const close = this.#text.indexOf("'", at)
      if (close < 0) {
        this.#unterminated(start, 1, "'")
        return
      }
      if (this.#text[close + 1] !== "'") {
        this.#at = close + 1
        this.#push('string', this.#text.slice(from, close).replaceAll("''", "'"), start)
        return
      }
      at = close + 2
    }
  }

  #quotedName(start: number, quote: string): void {
    let at = start + 1
    for (;;) {
      const close = this.#text.indexOf(quote, at)
      if (close < 0) {
        this.#unterminated(start, 1, quote)
        return
      }
      if (this.#text[close + 1] !== quote) {
        this.#at = close + 1
        const name = this.#text.slice(start + 1, close).replaceAll(quote + quote, quote)
        if (name !== '') {
          this.#push('quoted', name, start)
          return
        }
        this.#report(
          'sql_invalid_literal',
          'a quoted name cannot be empty',
          start,
          this.#at,
          'write a name in the quotes',
        )
        this.#push('broken', '', start)
        return
      }
      at = close + 2
    }
  }

  #bytes(start: number): void {
    const close = this.#text.indexOf("'", start + 2)
    if (close < 0) {
      this.#unterminated(start, 2, "'")
      return
    }
    const digits = this.#text.slice(start + 2, close)
    this.#at = close + 1
    if (/^([0-9a-fA-F]{2})*$/.test(digits)) {
      this.#push('bytes', digits, start)
      return
    }
    const hint = "write pairs of hexadecimal digits: X'0AFF'"
    this.#report('sql_invalid_literal', `X'${digits}' is not hexadecimal`, start, this.#at, hint)
    this.#push('broken', digits, start)
  }

  #escapeString(start: number): void {
    let value = ''
    let at = start + 2
    for (;;) {
      const char = this.#text[at]
      if (char === undefined) {
        this.#unterminated(start, 2, "'")
        return
      }
      if (char === "'" && this.#text[at + 1] === "'") {
        value += "'"
        at += 2
      } else if (char === "'") {
        this.#at = at + 1
        this.#push('string', value, start)
        return
      } else if (char === '\\') {
        const sequence = escapeAt(this.#text, at)
        if (sequence === undefined) this.#badEscape(at)
        value += sequence?.value ?? ''
        at += sequence?.length ?? 2
      } else {
        value += char
        at++
      }
    }
  }

  #badEscape(at: number): void {
    const text = this.#text.slice(at, at + 2)
    const hint = "write \\n \\t \\r \\b \\f \\\\ \\' \\u00e9 \\U0001f600 \\x41 or \\101"
    this.#report('sql_invalid_literal', `"${text}" is no valid escape`, at, at + 2, hint)
  }

  #unterminated(start: number, length: number, quote: string): void {
    const kind = quote === '"' || quote === '`' ? 'quoted name' : 'string'
    this.#report(
      'sql_unterminated_string',
      `the ${kind} that starts here is never closed`,
      start,
      start + length,
      `close it with ${quote}`,
    )
    this.#at = this.#text.length
    this.#push('broken', '', start)
  }

  #report(code: Diagnostic['code'], message: string, start: number, end: number, hint: string): void {
    this.#diagnostics.push({ code, message, span: { start, end }, hint })
  }

  #push(kind: TokenKind, text: string, start: number): void {
    const upper = kind === 'word' ? text.toUpperCase() : ''
    this.#tokens.push({ kind, text, upper, span: { start, end: this.#at } })
  }
}

const simpleEscapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' }

/** The escape that starts with the backslash at `at`; undefined when it has no valid form. */
function escapeAt(text: string, at: number): { value: string; length: number } | undefined {
  const form = /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{1,2})|([0-7]{1,3})|([\s\S]))/y
  form.lastIndex = at
  const found = form.exec(text)
  if (found === null) return undefined
  const hex = found[1] ?? found[2] ?? found[3]
  const code = hex !== undefined ? Number.parseInt(hex, 16) : found[4] !== undefined ? Number.parseInt(found[4], 8) : -1
  if (code > 0x10ffff) return undefined
  if (code >= 0) {
    const value = code <= 0xffff ? String.fromCharCode(code) : String.fromCodePoint(code)
    return { value, length: found[0].length }
  }
  const char = found[5]!
  if (char === 'u' || char === 'U' || char === 'x') return undefined
  return { value: simpleEscapes[char] ?? char, length: 2 }
}
