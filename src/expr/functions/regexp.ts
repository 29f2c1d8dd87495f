import { types } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { type Argument, RowFailure, type ScalarFunction, type ScalarOverload } from '../functions.ts'
import { regexFault, regexFlags } from '../regex.ts'
import { accepts, define, example, overload } from './define.ts'

const text = types.string
const PATTERNS_KEPT = 256

/**
 * Compiled patterns of one call. A constant pattern was checked when the query was planned; one that comes with the rows
 * is checked here and must be safe.
 */
class Patterns {
  readonly #kept = new Map<string, RegExp>()
  readonly #checked: boolean

  constructor(pattern: Argument) {
    this.#checked = pattern.constant !== undefined
  }

  get(pattern: string, flags = ''): RegExp {
    const key = `${flags}/${pattern}`
    let found = this.#kept.get(key)
    if (found === undefined) {
      const fault = regexFault(pattern, flags, this.#checked)
      if (fault !== undefined) throw new RowFailure('row_invalid_argument', `regular expression: ${fault.message}`)
      if (this.#kept.size >= PATTERNS_KEPT) this.#kept.clear()
      found = new RegExp(pattern, `${regexFlags(flags)}${flags.includes('g') ? 'g' : ''}`)
      this.#kept.set(key, found)
    }
    return found
  }
}

/** False for a constant that does not compile: the binder refuses it, but who evaluates it all the same must not crash. */
function isGood(pattern: Value | undefined, args: readonly Argument[]): boolean {
  const flags = args.length > 2 ? args.at(-1)!.constant?.value : undefined
  return typeof pattern !== 'string' || regexFault(pattern, typeof flags === 'string' ? flags : '', true) === undefined
}

/** Resolves a function whose second argument is a pattern. */
function withPattern(
  name: string,
  parameters: readonly ScalarOverload['type'][],
  required: number,
  make: (patterns: Patterns) => Pick<ScalarOverload, 'type' | 'call' | 'nullable'>,
): (args: readonly Argument[]) => ScalarOverload | undefined {
  return (args) => {
    if (args.length < required || args.length > parameters.length) return undefined
    if (!args.every((arg, i) => accepts(arg, parameters[i]!))) return undefined
    const constants = args.slice(1).every((arg) => arg.constant !== undefined) && isGood(args[1]!.constant?.value, args)
    return overload({
      name,
      parameters: parameters.slice(0, args.length),
      fallible: !constants,
      ...make(new Patterns(args[1]!)),
    })
  }
}

function extract(match: RegExpExecArray | null, group: number): Value {
  if (match === null) return null
  if (group < 0 || group >= match.length)
    throw new RowFailure('row_invalid_argument', `the pattern has no group ${group}`)
  return match[group] ?? null
}

/** `\1` … `\9` and `\0` or `\&` in the replacement stand for groups, `\\` for a backslash. */
function replacement(template: string): (match: readonly (string | undefined)[]) => string {
  if (!template.includes('\\')) return () => template
  const parts = template.split(/(\\[\d&\\])/)
  return (match) =>
    parts
      .map((part) => {
        if (!/^\\[\d&\\]$/.test(part)) return part
        if (part[1] === '\\') return '\\'
        return match[part[1] === '&' ? 0 : Number(part[1])] ?? ''
      })
      .join('')
}

function replaceMatches(s: string, regex: RegExp, template: string): string {
  const expand = replacement(template)
  return s.replace(regex, (...found) => {
    const groups = found.slice(
      0,
      found.findIndex((part) => typeof part === 'number'),
    ) as (string | undefined)[]
    return expand(groups)
  })
}

const summary = {
  like: 'True when the pattern matches anywhere; flags: i, m, s.',
  extract: 'The first match, or one of its groups (default 0, the whole); NULL without a match.',
  replace: "The first match replaced ('g': all); \\1 stands for a group.",
}

/** `s ~ p`, `s ~* p`, `s !~ p`, `s !~* p`. */
function operator(name: string, sql: string): ScalarFunction {
  const flags = name.endsWith('*') ? 'i' : ''
  const wanted = !name.startsWith('!')
  return define({
    name,
    signatures: [`s ${name} p`],
    summary: `${wanted ? 'Matches' : 'Does not match'} the pattern anywhere${flags === 'i' ? ', upper and lower case alike' : ''}.`,
    examples: [example(sql, 'TRUE')],
    resolve: withPattern(name, [text, text], 2, (patterns) => ({
      type: types.boolean,
      nullable: false,
      call: (s, p) => patterns.get(p as string, flags).test(s as string) === wanted,
    })),
  })
}

export const regexFunctions: readonly ScalarFunction[] = [
  operator('~', "'kafka' ~ '^ka'"),
  operator('~*', "'kafka' ~* '^KA'"),
  operator('!~', "'kafka' !~ 'x'"),
  operator('!~*', "'kafka' !~* 'X'"),
  define({
    name: 'REGEXP_LIKE',
    aliases: ['REGEXP'],
    signatures: ['REGEXP_LIKE(s, p [, flags])'],
    summary: summary.like,
    examples: [example("REGEXP_LIKE('kafka', '^K', 'i')", 'TRUE')],
    resolve: withPattern('REGEXP_LIKE', [text, text, text], 2, (patterns) => ({
      type: types.boolean,
      nullable: false,
      call: (s, p, flags) =>
        patterns.get(p as string, (flags as string | undefined)?.replace('g', '')).test(s as string),
    })),
  }),
  define({
    name: 'REGEXP_EXTRACT',
    signatures: ['REGEXP_EXTRACT(s, p [, group])'],
    summary: summary.extract,
    examples: [example("REGEXP_EXTRACT('k=42', 'k=(\\d+)', 1)", "'42'")],
    resolve: (args) => {
      const found = withPattern('REGEXP_EXTRACT', [text, text, types.bigint], 2, (patterns) => ({
        type: text,
        nullable: true,
        call: (s, p, group = 0) => extract(patterns.get(p as string).exec(s as string), Number(group)),
      }))(args)
      return found && { ...found, fallible: found.fallible || args.length === 3 }
    },
  }),
  define({
    name: 'REGEXP_REPLACE',
    signatures: ['REGEXP_REPLACE(s, p, r [, flags])'],
    summary: summary.replace,
    examples: [example("REGEXP_REPLACE('a1b22', '[0-9]+', '#', 'g')", "'a#b#'")],
    resolve: withPattern('REGEXP_REPLACE', [text, text, text, text], 3, (patterns) => ({
      type: text,
      nullable: false,
      call: (s, p, r, flags) =>
        replaceMatches(s as string, patterns.get(p as string, flags as string | undefined), r as string),
    })),
  }),
]
