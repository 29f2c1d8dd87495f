import { didYouMean } from './suggest.ts'

/** Every name of an options object; the compiler asks for each of them. */
export type OptionNames<T> = { readonly [K in keyof Required<T>]: true }

/** What is wrong with a call of plain JavaScript, and what to write instead. */
export interface CallFault {
  readonly message: string
  readonly hint: string
}

/**
 * The first fault of an options object that no compiler has looked at: it is no object, or has a name that nobody
 * reads. Undefined when there is none. `what` names the options in messages.
 */
export function optionsFault(
  what: string,
  given: unknown,
  known: Readonly<Record<string, true>>,
): CallFault | undefined {
  if (given === undefined) return undefined
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return { message: `${what} must be an object, not ${described(given)}`, hint: listed(known) }
  }
  // Runs for each source and message that is made: nothing is allocated while all is well.
  for (const name in given) {
    if (known[name] === true || !Object.hasOwn(given, name)) continue
    const hint = didYouMean(name, Object.keys(known)) ?? listed(known)
    return { message: `${what} has no option "${name}"`, hint }
  }
  return undefined
}

const listed = (known: Readonly<Record<string, true>>): string => `known names: ${Object.keys(known).join(', ')}`

/** Whether it has all these methods. */
export const hasMethods = (given: unknown, ...names: readonly string[]): boolean =>
  ((typeof given === 'object' && given !== null) || typeof given === 'function') &&
  names.every((name) => typeof (given as Readonly<Record<string, unknown>>)[name] === 'function')

/** A value as a message calls it: its kind, and what it is where that is short. */
export function described(given: unknown): string {
  if (given === undefined || given === null) return String(given)
  if (typeof given === 'string') return given.length > 40 ? 'a text' : `the text "${given}"`
  if (typeof given === 'number' || typeof given === 'bigint' || typeof given === 'boolean') return String(given)
  if (Array.isArray(given)) return 'an array'
  if (typeof given === 'function') return 'a function'
  if (typeof given === 'symbol') return 'a symbol'
  const name: unknown = (given as object).constructor?.name
  return typeof name === 'string' && name !== 'Object' && name !== ''
    ? `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`
    : 'an object'
}
