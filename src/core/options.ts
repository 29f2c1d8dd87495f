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
}

type Absent<E, T> = E extends { readonly default: T } | { readonly required: true } ? T : T | undefined

function define<T, E extends Extra<T> & { readonly required?: true }>(
  type: OptionType,
  doc: string,
  extra: E,
  more: { choices?: readonly string[] } = {},
): Option<Absent<E, T>> {
  return {
    type,
    doc,
    default: extra.default as Absent<E, T> | undefined,
    required: extra.required ?? false,
    side: extra.side,
    aliases: extra.aliases ?? [],
    min: extra.min,
    max: extra.max,
    choices: more.choices,
    secret: type === 'secret',
    later: extra.later ?? false,
  }
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
export const entries = (doc: string, extra: More<ReadonlyMap<string, string>> = {}) =>
  define<ReadonlyMap<string, string>, { readonly default: ReadonlyMap<string, string> }>('map', doc, {
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

/**
 * Checks given values against a spec; later entries beat earlier ones. All faults are reported together. `known` names
 * options that belong to somebody else and are passed over.
 */
export function parseOptions(
  spec: OptionSpec,
  given: readonly GivenOption[],
  where: { readonly side: Side; readonly subject: string },
): OptionValues {
  const faults: HeadraceError[] = []
  const values: Record<string, unknown> = {}
  const maps = new Map<string, Map<string, string>>()
  for (const [name, option] of Object.entries(spec)) values[name] = option.default
  for (const entry of given) {
    const found = findOption(spec, entry.name)
    if (found === undefined) {
      faults.push(unknownOption(spec, entry.name, where))
      continue
    }
    const { name, option, key } = found
    if (option.side !== undefined && option.side !== where.side) {
      const message = `option "${entry.name}" of ${where.subject} belongs to the ${option.side} side`
      faults.push(new HeadraceError('connector_option_unknown', message, { hint: 'remove it here' }))
      continue
    }
    if (option.later) {
      faults.push(new HeadraceError('not_implemented', `option "${name}" of ${where.subject} is not built yet`))
      continue
    }
    const parsed = parseOptionText(option, entry.value)
    if ('fault' in parsed) {
      const message = `option "${entry.name}" of ${where.subject}: ${parsed.fault}`
      faults.push(new HeadraceError('connector_option_invalid', message, { hint: parsed.hint }))
    } else if (key !== undefined) {
      const map = maps.get(name) ?? new Map<string, string>()
      map.set(key, String(parsed.value))
      maps.set(name, map)
      values[name] = map
    } else values[name] = parsed.value
  }
  for (const [name, option] of Object.entries(spec)) {
    if (!option.required || values[name] !== undefined) continue
    if (option.side !== undefined && option.side !== where.side) continue
    faults.push(
      new HeadraceError('connector_option_missing', `option "${name}" of ${where.subject} is missing`, {
        hint: option.doc,
      }),
    )
  }
  if (faults.length === 1) throw faults[0]!
  if (faults.length > 1) throw new HeadraceErrors(faults)
  return values
}

function findOption(
  spec: OptionSpec,
  given: string,
): { name: string; option: Option<unknown>; key?: string } | undefined {
  const snake = given.includes('.') ? given : given.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)
  const direct = Object.hasOwn(spec, snake) ? spec[snake] : undefined
  if (direct !== undefined) return { name: snake, option: direct }
  const dot = given.indexOf('.')
  if (dot > 0) {
    const name = given.slice(0, dot)
    const option = spec[name]
    if (option?.type === 'map') return { name, option, key: given.slice(dot + 1) }
  }
  for (const [name, option] of Object.entries(spec)) {
    if (option.aliases.includes(given)) return { name, option }
  }
  return undefined
}

function unknownOption(spec: OptionSpec, name: string, where: { side: Side; subject: string }): HeadraceError {
  const known = Object.entries(spec)
    .filter(([, option]) => option.side === undefined || option.side === where.side)
    .flatMap(([key, option]) => [key, ...option.aliases])
  const near = didYouMean(name, known)
  const listed = known.length <= 12 ? `options: ${known.join(', ')}` : undefined
  return new HeadraceError('connector_option_unknown', `${where.subject} has no option "${name}"`, {
    hint: near ?? listed,
  })
}
