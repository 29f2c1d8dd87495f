import { HeadraceError, HeadraceErrors, type Place } from './errors.ts'

const MASK = '***'

/** The values of the secrets that one instance has used; takes them out of everything that is printed. */
export class Secrets {
  /** Every form in which a value can stand in a text, the longest first. */
  #forms: readonly string[] = []

  /** From now on this value is printed as `***`. */
  add(value: string): void {
    if (value === '') return
    const forms = [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1), value.replaceAll("'", "''")]
    this.#forms = [...new Set([...this.#forms, ...forms])].sort((a, b) => b.length - a.length)
  }

  redact(text: string): string {
    let redacted = text
    for (const form of this.#forms) redacted = redacted.replaceAll(form, MASK)
    return redacted
  }

  /** The same error without the values, whatever was thrown. */
  redactError(error: unknown): unknown {
    if (this.#forms.length === 0) return error
    if (error instanceof HeadraceErrors) return new HeadraceErrors(error.errors.map((each) => this.#one(each)))
    if (error instanceof HeadraceError) return this.#one(error)
    if (error instanceof Error) {
      error.message = this.redact(error.message)
      error.stack = this.redact(error.stack ?? '')
    }
    return error
  }

  redactAll(errors: readonly HeadraceError[]): readonly HeadraceError[] {
    return this.#forms.length === 0 ? errors : errors.map((error) => this.#one(error))
  }

  /** A copy of the same class: what a class knows beside decides how the error is treated. */
  #one(error: HeadraceError): HeadraceError {
    const copy = Object.create(Object.getPrototypeOf(error), Object.getOwnPropertyDescriptors(error)) as HeadraceError
    const { details, suggestions } = error
    return Object.assign(copy, {
      suggestions: suggestions.map((each) => ({ replace: this.redact(each.replace), with: this.redact(each.with) })),
      details: details && (JSON.parse(this.redact(JSON.stringify(details))) as Readonly<Record<string, unknown>>),
      message: this.redact(error.message),
      stack: this.redact(error.stack ?? ''),
      hint: error.hint === undefined ? undefined : this.redact(error.hint),
      at: error.at === undefined ? undefined : this.#place(error.at),
      cause: this.redactError(error.cause),
    })
  }

  #place(at: Place): Place {
    switch (at.kind) {
      case 'text':
        return { ...at, sourceLine: this.redact(at.sourceLine) }
      case 'uri':
        return { ...at, uri: this.redact(at.uri) }
      case 'data':
        return { ...at, source: this.redact(at.source), offset: this.redact(at.offset) }
      case 'pointer':
        return at
    }
  }
}
