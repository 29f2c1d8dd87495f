import { described } from '../../core/option-names.ts'
import type { Side } from '../../core/option-types.ts'
import { type GivenOption, type OptionValues, optionNamed, parseOptions } from '../../core/options.ts'
import { parseUri, pathUri, redactText, schemeOf, type Uri } from '../../core/uri.ts'
import { replaceVariables } from '../../core/variables.ts'
import type { Endpoint } from '../endpoint.ts'
import type { ConnectorSpec } from './connector-specs.ts'
import { ConfigError, type ConfigProblem, misuse, problemsOf } from './errors.ts'
import type { OptionInputs } from './option-inputs.ts'
import type { ConnectorRegistry } from './registry.ts'

/** A source or sink by URI: checked, nothing loaded. */
export interface NamedEndpoint {
  readonly side: Side
  readonly uri: Uri
  readonly printed: string
  /** Undefined: the connector is not built yet. */
  readonly spec: ConnectorSpec | undefined
  readonly options: OptionValues
  /** As given to `createSource`, for those who name the endpoint again. */
  readonly given: readonly GivenOption[]
}

export interface NamedForm {
  readonly registry: ConnectorRegistry
  /** Values of `${NAME}`; undefined: the text stays as it is. */
  readonly environment: Readonly<Record<string, string | undefined>> | undefined
}

/** Parses and checks a URI and its options; throws `ConfigError` with everything that is wrong. */
export function nameEndpoint(text: string, side: Side, inputs: OptionInputs, form: NamedForm): NamedEndpoint {
  const uri = parsed(form.environment === undefined ? text : substituted(text, side, form.environment))
  const printed = redactText(uri.text)
  const spec = form.registry.spec(uri.scheme, side)
  const inUri = uri.params.map(({ name, value }) => ({ name, value, origin: 'URI parameter' }))
  const given = givenOptions(inputs)
  if (spec === undefined) return { side, uri, printed, spec, options: {}, given }
  const where = { side, subject: `${side} ${uri.scheme}` }
  const problems: ConfigProblem[] = []
  const attempt = (task: () => OptionValues): OptionValues => {
    try {
      return task()
    } catch (error) {
      problems.push(...problemsOf(error))
      return {}
    }
  }
  const options = attempt(() => parseOptions(spec.options, [...inUri, ...given], where))
  problems.push(...repeated(spec, inUri), ...conflicts(spec, inUri, given))
  if (problems.length > 0) throw new ConfigError(problems.map((problem) => hideSecret(problem, spec)))
  return { side, uri, printed, spec, options, given }
}

/** Loads the connector; `not_implemented` when there is none yet. */
export async function loadEndpoint(named: NamedEndpoint, registry: ConnectorRegistry): Promise<Endpoint> {
  const { spec, side, uri, printed, options } = named
  if (spec === undefined) throw registry.unknown(uri.scheme, side)
  return { side, uri, printed, options, connector: await spec.load() }
}

function parsed(text: string): Uri {
  try {
    return schemeOf(text) === undefined ? pathUri(text) : parseUri(text)
  } catch (error) {
    throw new ConfigError(problemsOf(error))
  }
}

/** Names that stand for a part of the time in the path of a file. */
const TIME_NAMES = new Set(['year', 'month', 'day', 'hour', 'minute', 'date', 'timestamp'])

/** Variables replaced; the path of a file keeps what its template means, which for a sink is every name. */
function substituted(text: string, side: Side, environment: NonNullable<NamedForm['environment']>): string {
  if (!text.includes('${')) return text
  const isFile = (schemeOf(text) ?? 'file') === 'file'
  const question = schemeOf(text) === undefined ? -1 : text.indexOf('?')
  const path = question < 0 ? text : text.slice(0, question)
  const encode = (value: string): string => (/^\$\{[^}]*\}$/.test(text) ? value : encodeURIComponent(value))
  const replace = (part: string, keep: (name: string) => boolean): string =>
    replaceVariables(part, {
      keep,
      value: (name) => {
        const value = environment[name]
        return value === undefined ? undefined : encode(value)
      },
      secret: (name) => missing(text, name, `secret "${name}" is not known here`),
      missing: (name, message) => missing(text, name, message),
    })
  const kept = (name: string): boolean => isFile && (side === 'sink' || TIME_NAMES.has(name))
  return `${replace(path, kept)}${question < 0 ? '' : replace(text.slice(question), () => false)}`
}

function missing(text: string, name: string, message: string): never {
  throw new ConfigError([
    {
      code: 'connector_uri_invalid',
      message: `${message === '' ? `variable "${name}" has no value` : message} (in "${redactText(text)}")`,
      option: name,
      hint: `set ${name}, give a default: \${${name}:-value}, or turn variables off: { env: false }`,
    },
  ])
}

/** Options of JavaScript in the form that a URI has. */
export function givenOptions(inputs: OptionInputs): GivenOption[] {
  if (typeof inputs !== 'object' || inputs === null || Array.isArray(inputs)) {
    throw misuse(`options must be an object, not ${described(inputs)}`, "createSource(uri, { format: 'csv' })")
  }
  return Object.entries(inputs).flatMap(([name, input]): GivenOption[] => {
    if (input === undefined || input === null) return []
    const origin = 'option'
    if (typeof input === 'boolean' || typeof input === 'string') return [{ name, value: input, origin }]
    if (typeof input === 'number' || typeof input === 'bigint') return [{ name, value: String(input), origin }]
    if (input instanceof Date) return [{ name, value: String(input.getTime()), origin }]
    if (Array.isArray(input)) return [{ name, value: input as readonly string[], origin }]
    const entries = input instanceof Map ? [...input] : Object.entries(input)
    return entries.map(([key, value]) => ({ name: `${name}.${key}`, value: String(value), origin }))
  })
}

function repeated(spec: ConnectorSpec, given: readonly GivenOption[]): ConfigProblem[] {
  const seen = new Set<string>()
  const problems: ConfigProblem[] = []
  for (const { name } of given) {
    const found = optionNamed(spec.options, name)
    if (found === undefined || found.option.type === 'list' || found.option.type === 'map') continue
    if (seen.has(found.name)) {
      const message = `option "${name}" is in the URI twice`
      problems.push({ code: 'connector_option_conflict', message, option: name, hint: 'keep one of the two' })
    }
    seen.add(found.name)
  }
  return problems
}

/** Options that stand in both places with different values. */
function conflicts(spec: ConnectorSpec, inUri: readonly GivenOption[], given: readonly GivenOption[]): ConfigProblem[] {
  const key = ({ name }: GivenOption): string => {
    const found = optionNamed(spec.options, name)
    return found?.key === undefined ? (found?.name ?? name) : `${found.name}.${found.key}`
  }
  const before = new Map(inUri.map((entry) => [key(entry), entry]))
  return given.flatMap((entry): ConfigProblem[] => {
    const other = before.get(key(entry))
    if (other === undefined || sameValue(spec, other, entry)) return []
    const message = `option "${entry.name}" has another value in the URI`
    const hint = 'give it in one place'
    return [{ code: 'connector_option_conflict', message, option: entry.name, value: entry.value, hint }]
  })
}

function sameValue(spec: ConnectorSpec, a: GivenOption, b: GivenOption): boolean {
  const side = optionNamed(spec.options, a.name)?.option.side ?? 'source'
  const value = (entry: GivenOption): unknown => {
    try {
      const found = optionNamed(spec.options, entry.name)
      const own = { [found!.name]: { ...found!.option, required: false } }
      return parseOptions(own, [{ ...entry, name: keyed(found!) }], { side, subject: '' })[found!.name]
    } catch {
      return undefined
    }
  }
  const plain = (of: unknown): string => JSON.stringify(of instanceof Map ? [...of] : of) ?? ''
  return plain(value(a)) === plain(value(b))
}

const keyed = ({ name, key }: { readonly name: string; readonly key?: string | undefined }): string =>
  key === undefined ? name : `${name}.${key}`

const SECRET_NAME = /key|token|secret|passw|signature/i

/** A value is not shown when its option is a secret, or looks like one that was misspelled. */
function hideSecret(problem: ConfigProblem, spec: ConnectorSpec): ConfigProblem {
  const { option, value } = problem
  if (option === undefined || value === undefined) return problem
  const found = optionNamed(spec.options, option)
  const isSecret = found === undefined ? SECRET_NAME.test(option) : found.option.secret
  return isSecret ? { ...problem, value: '***' } : problem
}
