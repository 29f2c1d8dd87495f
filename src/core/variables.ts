const FORM = /\$\{(?:(env|secret):)?([\w.-]+)(?:(:-|:\?)([^}]*))?\}/g

/** Who gives the values of `${…}` (connectors.md §2). */
export interface VariableSource {
  /** `${NAME}` and `${env:NAME}`; undefined when it is not set. */
  value(name: string): string | undefined
  /** `${secret:name}`, as it stands in the text. */
  secret(name: string): string
  /** Throws: the variable has no value. `message` is what stands behind `:?`. */
  missing(name: string, message: string): never
  /** True for a name that stands for something else: the output columns of a path. */
  keep?(name: string): boolean
}

/** Replaces `${NAME}`, `${NAME:-default}`, `${NAME:?message}`, once: what comes in is not looked at again. */
export function replaceVariables(text: string, source: VariableSource): string {
  return text.replace(FORM, (whole, prefix: string | undefined, name: string, how: string | undefined, rest = '') => {
    if (prefix === undefined && how === undefined && source.keep?.(name) === true) return whole
    if (prefix === 'secret') return source.secret(name)
    const value = source.value(name)
    if (value !== undefined && value !== '') return value
    if (how === ':-') return String(rest)
    if (value !== undefined && how === undefined) return value
    return source.missing(name, how === ':?' ? String(rest) : '')
  })
}
