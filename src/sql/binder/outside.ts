import { errorKinds } from '../../core/error-kinds.ts'
import { HeadraceError, HeadraceErrors } from '../../core/errors.ts'
import type { Span } from '../../expr/bound.ts'
import type { OptionNode } from '../ast.ts'
import type { OptionEntry } from '../catalogue.ts'
import type { Environment } from './context.ts'
import { BindFailure } from './failure.ts'
import { expandOption } from './variables.ts'

/** Where the options stand in the text. */
const spans = new WeakMap<OptionEntry, Span>()

/** Options for the outside world, variables replaced. */
export const entries = (options: readonly OptionNode[], environment: Environment): OptionEntry[] =>
  options.map((option) => {
    const entry = { name: option.name, value: expandOption(option.value, option.valueSpan, environment) }
    spans.set(entry, option.span)
    return entry
  })

/**
 * Runs a call of the outside world; its errors get a place in the text: that of the option they name, of the column in
 * the URI, else `span`, where the URI stands.
 */
export async function placed<T>(
  span: Span,
  options: readonly OptionEntry[],
  environment: Environment,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call()
  } catch (error) {
    const all: readonly unknown[] = error instanceof HeadraceErrors ? error.errors : [error]
    throw new BindFailure(
      ...all.map((one) => {
        if (!(one instanceof HeadraceError) || one.at?.kind === 'text') throw error
        const { code, message, hint = errorKinds[one.code].fix, suggestions } = one
        return { code, message, hint, suggestions, span: placeOf(one, span, options, environment) }
      }),
    )
  }
}

/** The parameter of a URI that a message names. */
function parameterIn(literal: string, message: string): Span | undefined {
  for (const found of literal.matchAll(/[?&]([^=&?']+)/g)) {
    const name = found[1]!
    if (message.includes(`"${name}"`)) return { start: found.index + 1, end: found.index + 1 + name.length }
  }
  return undefined
}

function placeOf(error: HeadraceError, span: Span, options: readonly OptionEntry[], { text }: Environment): Span {
  const named = options.find((option) => error.message.includes(`"${option.name}"`))
  const own = named === undefined ? undefined : spans.get(named)
  if (own !== undefined) return own
  const parameter = parameterIn(text.slice(span.start, span.end), error.message)
  if (parameter !== undefined) return { start: span.start + parameter.start, end: span.start + parameter.end }
  if (error.at?.kind !== 'uri' || text.slice(span.start, span.end) !== `'${error.at.uri}'`) return span
  const start = Math.min(span.start + 1 + [...error.at.uri].slice(0, error.at.column).join('').length, span.end - 1)
  return { start, end: start + 1 }
}
