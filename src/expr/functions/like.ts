import { types } from '../../core/types.ts'
import { type Argument, RowFailure, type ScalarFunction, type ScalarOverload } from '../functions.ts'
import { accepts, define, example, overload } from './define.ts'

/** A LIKE pattern in pieces: texts between runs of `%`; `_` stands as undefined inside a text. */
export interface LikePattern {
  /** Plain texts between the `%`, in order; a pattern without `%` has one. */
  readonly texts: readonly string[]
  /** True when the pattern holds `_`: then only `test` knows the answer. */
  readonly wildcards: boolean
  readonly test: (text: string) => boolean
}

/** Reads a pattern; a trailing escape character fails the row. */
export function likePattern(pattern: string, escapeWith: string, insensitive: boolean): LikePattern {
  const texts: string[] = []
  let [text, source, wildcards] = ['', '', false]
  for (let i = 0; i < pattern.length; i++) {
    let unit = pattern[i]!
    if (unit === escapeWith) {
      i++
      if (i >= pattern.length)
        throw new RowFailure('row_invalid_argument', 'LIKE pattern ends with the escape character')
      unit = pattern[i]!
    } else if (unit === '%') {
      texts.push(text)
      text = ''
      source += '[^]*'
      continue
    } else if (unit === '_') {
      wildcards = true
      source += '[^]'
      continue
    }
    text += unit
    source += unit.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&')
  }
  texts.push(text)
  if (!wildcards && !insensitive) return { texts, wildcards, test: (subject) => matchTexts(subject, texts) }
  const regex = new RegExp(`^${source}$`, insensitive ? 'iu' : 'u')
  return { texts, wildcards, test: (subject) => regex.test(subject) }
}

/** Prefix, suffix, and the texts between them left to right. */
function matchTexts(subject: string, texts: readonly string[]): boolean {
  const [prefix = ''] = texts
  if (texts.length === 1) return subject === prefix
  const suffix = texts.at(-1)!
  if (subject.length < prefix.length + suffix.length || !subject.startsWith(prefix) || !subject.endsWith(suffix))
    return false
  let at = prefix.length
  for (let i = 1; i < texts.length - 1; i++) {
    const found = subject.indexOf(texts[i]!, at)
    if (found < 0) return false
    at = found + texts[i]!.length
  }
  return at <= subject.length - suffix.length
}

const PATTERNS_KEPT = 256

function resolveLike(name: string, insensitive: boolean, args: readonly Argument[]): ScalarOverload | undefined {
  if (args.length < 2 || args.length > 3 || !args.every((arg) => accepts(arg, types.string))) return undefined
  const patterns = new Map<string, LikePattern>()
  const patternOf = (pattern: string, escapeWith: string): LikePattern => {
    const key = `${escapeWith} ${pattern}`
    let found = patterns.get(key)
    if (found === undefined) {
      if (patterns.size >= PATTERNS_KEPT) patterns.clear()
      if ([...escapeWith].length > 1) throw new RowFailure('row_invalid_argument', 'ESCAPE takes one character')
      found = likePattern(pattern, escapeWith, insensitive)
      patterns.set(key, found)
    }
    return found
  }
  const constant = typeof args[1]!.constant?.value === 'string' && args.length === 2
  return overload({
    name,
    parameters: args.map(() => types.string),
    type: types.boolean,
    fallible: !constant || (args[1]!.constant!.value as string).endsWith('\\'),
    call: (text, pattern, escapeWith = '\\') => patternOf(pattern as string, escapeWith as string).test(text as string),
  })
}

const like = (name: string, insensitive: boolean, sql: string): ScalarFunction =>
  define({
    name,
    signatures: [`s ${name} pattern [ESCAPE c]`],
    summary: `Matches the whole string${insensitive ? ', upper and lower case alike' : ''}: % any run, _ one code point.`,
    examples: [example(sql, 'TRUE')],
    resolve: (args) => resolveLike(name, insensitive, args),
  })

export const likeFunctions: readonly ScalarFunction[] = [
  like('LIKE', false, "'kafka' LIKE 'k%'"),
  like('ILIKE', true, "'Kafka' ILIKE 'k_FKA'"),
]
