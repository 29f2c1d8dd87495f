import { schemeOf } from '../../core/uri.ts'
import { replaceVariables } from '../../core/variables.ts'
import type { Span } from '../../expr/bound.ts'
import type { OptionLiteral } from '../ast.ts'
import type { OptionValue } from '../catalogue.ts'
import type { Environment } from './context.ts'
import { fault } from './failure.ts'
import { secretValue } from './secrets.ts'

/**
 * A URI or path: `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `${env:NAME}` replaced by the environment,
 * `${secret:name}` by the secret, percent-encoded inside of a URI. `keep` names what stands for something else: the
 * output columns of a sink path.
 */
export function expandVariables(
  text: string,
  span: Span,
  environment: Environment,
  keep?: (name: string) => boolean,
): string {
  return expand(text, span, environment, { keep, encode: schemeOf(text) !== undefined })
}

function expand(
  text: string,
  span: Span,
  environment: Environment,
  { keep, encode }: { readonly keep?: ((name: string) => boolean) | undefined; readonly encode: boolean },
): string {
  return replaceVariables(text, {
    ...(keep === undefined ? {} : { keep }),
    value: (name) => environment.catalogue.variable(name),
    secret: (name) => {
      const secret = secretValue(name, span, environment)
      return encode ? encodeURIComponent(secret) : secret
    },
    missing: (name, message) =>
      fault('sql_env_missing', message === '' ? `variable "${name}" has no value` : message, span, {
        hint: `set it: ${name}=… headrace run …, or give a default: \${${name}:-value}`,
      }),
  })
}

/** Option values with their variables replaced. */
export function expandOption(value: OptionLiteral, span: Span, environment: Environment): OptionValue {
  if (typeof value === 'string') return expand(value, span, environment, { encode: false })
  if (typeof value === 'boolean') return value
  return value.map((item) => expandOption(item, span, environment))
}
