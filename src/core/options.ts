import { HeadraceError, HeadraceErrors } from './errors.ts'
import { parseOptionText } from './option-text.ts'
import type { Option, OptionSpec, OptionType, Side } from './option-types.ts'
import { didYouMean } from './suggest.ts'

/** What `parseOptions` gives: every option of the side, defaults included. */
export type OptionValues = Readonly<Record<string, unknown>>

type Typed<O> = O extends Option<infer T> ? T : never
export type ValuesOf<S extends OptionSpec> = { readonly [K in keyof S]: Typed<S[K]> }

interface Extra<T> {
  readonly default?: T | undefined
  readonly side?: Side
  readonly aliases?: readonly string[]
  readonly min?: number
  readonly max?: number
  readonly later?: true
  readonly off?: true
  readonly also?: (value: string) => boolean
}

type Absent<E, T> = E extends { readonly default: T } | { readonly required: true } ? T : T | undefined

/** The side of an option is part of its type: a builder offers only what its side has. */
type OfSide<E> = E extends { readonly side: infer S extends Side } ? { readonly side: S } : object

function define<T, E extends Extra<T> & { readonly required?: true }>(
  type: OptionType,
  doc: string,
  extra: E,
  more: { choices?: readonly string[] } = {},
): Option<Absent<E, T>> & OfSide<E> {
  const option: Option<Absent<E, T>> = {
    type,
    doc,
    default: extra.default as Absent<E, T> | undefined,
    required: extra.required ?? false,
    side: extra.side,
    aliases: extra.aliases ?? [],
    min: extra.min,
    max: extra.max,
    choices: more.choices,
    also: extra.also,
    off: extra.off,
    secret: type === 'secret',
    later: extra.later ?? false,
  }
  return option as Option<Absent<E, T>> & OfSide<E>
}

type More<T> = Extra<T> & { readonly required?: true }
const none = {} as const

export const text = <E extends More<string> = typeof none>(doc: string, extra: E = none as E) =>
  define<string, E>('text', doc, extra)
export const secret = <E extends More<string> = typeof none>(doc: string, extra: E = none as E) =>
  define<string, E>('secret', doc, extra)
export const integer = <E extends More<number> = typeof none>(doc: string, extra: E = none as E) =>
  define<number, E>('int', doc, extra)
export const float = <E extends More<number> = typeof none>(doc: string, extra: E = none as E) =>
  define<number, E>('float', doc, extra)
export const bool = <E extends More<boolean> = typeof none>(doc: string, extra: E = none as E) =>
  define<boolean, E>('bool', doc, extra)
/** Milliseconds. */
export const duration = <E extends More<number> = typeof none>(doc: string, extra: E = none as E) =>
  define<number, E>('dur', doc, extra)
export const byteCount = <E extends More<number> = typeof none>(doc: string, extra: E = none as E) =>
  define<number, E>('bytes', doc, extra)
export const timestamp = <E extends More<number> = typeof none>(doc: string, extra: E = none as E) =>
  define<number, E>('ts', doc, extra)
export const character = <E extends More<string> = typeof none>(doc: string, extra: E = none as E) =>
  define<string, E>('char', doc, extra)
export const list = <E extends More<readonly string[]> = typeof none>(doc: string, extra: E = none as E) =>
  define<readonly string[], E>('list', doc, extra)
/** Dotted keys: `field.id=…` is entry `id` of option `field`. */
export const entries = <E extends Extra<ReadonlyMap<string, string>> = typeof none>(
  doc: string,
  extra: E = none as E,
) =>
  define<ReadonlyMap<string, string>, E & { readonly default: ReadonlyMap<string, string> }>('map', doc, {
    ...extra,
    default: new Map(),
  })
export const choice = <const C extends readonly string[], E extends More<C[number]> = typeof none>(
  choices: C,
  doc: string,
  extra: E = none as E,
) => define<C[number], E>('choice', doc, extra, { choices })

/** One given value; a string as written, or a boolean or list from SQL. */
export interface GivenOption {
  readonly name: string
  readonly value: string | boolean | readonly unknown[] | undefined
  /** For messages: `URI parameter` or `WITH`. */
  readonly origin: string
}

/** What is derived from a spec once: names, defaults, what a side must be given. */
interface Prepared {
  readonly find: ReadonlyMap<string, { readonly name: string; readonly option: Option<unknown> }>
  readonly defaults: OptionValues
  readonly required: readonly string[]
}

const prepared = new WeakMap<OptionSpec, Prepared>()

function prepare(spec: OptionSpec): Prepared {
  const known = prepared.get(spec)
  if (known !== undefined) return known
  const find = new Map<string, { name: string; option: Option<unknown> }>()
  const defaults: Record<string, unknown> = {}
  for (const [name, option] of Object.entries(spec)) {
    defaults[name] = option.default
    for (const alias of option.aliases) find.set(alias, { name, option })
  }
  for (const [name, option] of Object.entries(spec)) find.set(name, { name, option })
  const required = Object.keys(spec).filter((name) => spec[name]!.required)
  const made = { find, defaults, required }
  prepared.set(spec, made)
  return made
}

/**
 * Checks given values against a spec; later entries beat earlier ones. All faults are reported together. The result
 * inherits the defaults: what was given are its own properties.
 */
export function parseOptions(
  spec: OptionSpec,
  given: readonly GivenOption[],
  where: { readonly side: Side; readonly subject: string },
): OptionValues {
  const { defaults, required, find } = prepare(spec)
  const values = Object.create(defaults) as Record<string, unknown>
  let faults: HeadraceError[] | undefined
  for (const entry of given) {
    const found = find.get(entry.name) ?? findOption(spec, entry.name, find)
    const fault = found === undefined ? unknownOption(spec, entry.name, where) : takeOption(found, entry, where, values)
    if (fault !== undefined) {
      faults ??= []
      faults.push(fault)
    }
  }
  for (const name of required) {
    const option = spec[name]!
    if (values[name] !== undefined || (option.side !== undefined && option.side !== where.side)) continue
    faults ??= []
    const message = `option "${name}" of ${where.subject} is missing`
    const details = { option: name }
    faults.push(new HeadraceError('connector_option_missing', message, { hint: option.doc, details }))
  }
  if (faults !== undefined) throw faults.length === 1 ? faults[0]! : new HeadraceErrors(faults)
  return values
}

export interface Found {
  readonly name: string
  readonly option: Option<unknown>
  /** Of a map option: what stands behind the dot. */
  readonly key?: string | undefined
}

/** Stores one value; gives the fault when it cannot. */
function takeOption(
  { name, option, key }: Found,
  entry: GivenOption,
  where: { readonly side: Side; readonly subject: string },
  values: Record<string, unknown>,
): HeadraceError | undefined {
  if (option.side !== undefined && option.side !== where.side) {
    const message = `option "${entry.name}" of ${where.subject} belongs to the ${option.side} side`
    return new HeadraceError('connector_option_unknown', message, {
      hint: 'remove it here',
      details: { option: entry.name, value: shownValue(entry.value, option) },
    })
  }
  if (option.later) {
    return new HeadraceError('not_implemented', `option "${name}" of ${where.subject} is not built yet`)
  }
  const parsed = parseOptionText(option, entry.value)
  if ('fault' in parsed) {
    const message = `option "${entry.name}" of ${where.subject}: ${parsed.fault}`
    return new HeadraceError('connector_option_invalid', message, {
      hint: parsed.hint,
      details: { option: entry.name, value: shownValue(entry.value, option), allowed: allowedValues(option) },
    })
  }
  if (key === undefined) values[name] = parsed.value
  else {
    const before = Object.hasOwn(values, name)
      ? (values[name] as ReadonlyMap<string, string>)
      : new Map<string, string>()
    values[name] = new Map([...before, [key, String(parsed.value)]])
  }
  return undefined
}

/** A value as it may be shown in an error. */
const shownValue = (value: GivenOption['value'], option: Option<unknown>): unknown =>
  option.secret ? '***' : (value ?? true)

/** What an option takes: its choices, its range, else its type. */
export function allowedValues({ choices, min, max, type }: Option<unknown>): string {
  if (choices !== undefined) return choices.join(', ')
  if (min === undefined && max === undefined) return type
  return `${type}, ${min ?? ''}…${max ?? ''}`
}

/** The option that a given name means: its own name, an alias, or camelCase; undefined when there is none. */
export const optionNamed = (spec: OptionSpec, given: string): Found | undefined =>
  prepare(spec).find.get(given) ?? findOption(spec, given, prepare(spec).find)

/** The library's camelCase, and the dotted keys of a map. */
function findOption(spec: OptionSpec, given: string, find: Prepared['find']): Found | undefined {
  const dot = given.indexOf('.')
  if (dot > 0) {
    const name = given.slice(0, dot)
    const option = Object.hasOwn(spec, name) ? spec[name] : undefined
    return option?.type === 'map' ? { name, option, key: given.slice(dot + 1) } : undefined
  }
  return find.get(given.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`))
}

function unknownOption(spec: OptionSpec, name: string, where: { side: Side; subject: string }): HeadraceError {
  const known = Object.entries(spec)
    .filter(([, option]) => option.side === undefined || option.side === where.side)
    .flatMap(([key, option]) => [key, ...option.aliases])
  const near = didYouMean(name, known)
  const listed = known.length <= 12 ? `options: ${known.join(', ')}` : undefined
  return new HeadraceError('connector_option_unknown', `${where.subject} has no option "${name}"`, {
    hint: near ?? listed,
    details: { option: name },
  })
}
