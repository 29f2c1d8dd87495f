import type { InlineContext } from '../functions.ts'

/** Statements that control the loop; they may stand anywhere in its body. */
export interface LoopControl {
  readonly skipRow: string
  readonly failRow: string
  readonly redoRow: string
}

/**
 * The text of one generated loop while it is written. Only names and numbers that come from here enter the text:
 * constants of queries travel in an array.
 */
export class Source {
  readonly constants: unknown[] = []
  readonly readers: (() => unknown)[] = []
  readonly beforeLines: string[] = []
  readonly afterLines: string[] = []
  #lines: string[] = []
  #scopes: Map<unknown, unknown>[] = [new Map()]
  #names = 0

  name(hint: string): string {
    return `${hint}$$${this.#names++}`
  }

  /** A name for a constant; the same value gets the same name. */
  constant(value: unknown): string {
    let index = this.constants.indexOf(value)
    if (index < 0) index = this.constants.push(value) - 1
    return `k$${index}`
  }

  bound(read: () => unknown): string {
    return `b$${this.readers.push(read) - 1}`
  }

  before(statement: string): void {
    this.beforeLines.push(statement)
  }

  after(statement: string): void {
    this.afterLines.push(statement)
  }

  /** Braces open and close scopes: what was remembered inside a block is forgotten behind it. */
  line(statement: string): void {
    this.#lines.push(statement)
    for (const unit of statement) {
      if (unit === '{') this.#scopes.push(new Map())
      else if (unit === '}') this.#scopes.pop()
    }
  }

  /** What was remembered under `key` in this block or one around it. */
  remembered(key: unknown): unknown {
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const found = this.#scopes[i]!.get(key)
      if (found !== undefined) return found
    }
    return undefined
  }

  remember(key: unknown, value: unknown): void {
    this.#scopes.at(-1)!.set(key, value)
  }

  /** The lines that `write` emits, taken out again; the names they declare are not remembered. */
  captured(write: () => void): string[] {
    const outer = this.#lines
    this.#lines = []
    this.#scopes.push(new Map())
    write()
    this.#scopes.pop()
    const lines = this.#lines
    this.#lines = outer
    return lines
  }

  /** A local constant holding `expression`, or the expression itself when it is a name or a number already. */
  local(expression: string): string {
    if (/^-?[\w$.]+$/.test(expression)) return expression
    const name = this.name('t')
    this.line(`const ${name} = ${expression}`)
    return name
  }

  inlineContext(control: LoopControl): InlineContext {
    return {
      constant: (value) => this.constant(value),
      redoWhen: (condition) => this.line(`if (${condition}) ${control.redoRow}`),
      failWhen: (condition) => this.line(`if (${condition}) ${control.failRow}`),
      local: (expression) => this.local(expression),
    }
  }

  get body(): readonly string[] {
    return this.#lines
  }
}
