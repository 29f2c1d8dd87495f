/** What is wrong with a pattern, and where: UTF-16 offset into it. */
export interface RegexFault {
  readonly code: 'sql_regex_invalid' | 'sql_regex_unsafe'
  readonly message: string
  readonly offset: number
}

/**
 * Checks a pattern (ECMAScript with flag `u`): it must compile, and unless `unsafe` it may hold neither a back-reference
 * nor an unbounded repetition of something that repeats without bound itself. Pure; for the binder and for patterns that
 * are only known at a row.
 */
export function regexFault(pattern: string, flags: string, unsafe: boolean): RegexFault | undefined {
  const flag = [...flags].find((each) => !'gimsu'.includes(each))
  if (flag !== undefined) return { code: 'sql_regex_invalid', message: `unknown flag "${flag}"`, offset: 0 }
  try {
    new RegExp(pattern, regexFlags(flags))
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    const message = text.slice(text.lastIndexOf(': ') + 2)
    return { code: 'sql_regex_invalid', message, offset: 0 }
  }
  return unsafe ? undefined : unsafeAt(pattern)
}

/** Flags for RegExp: `u` always, `g` apart (it says "all", not how to match). */
export const regexFlags = (flags: string): string => `u${[...'ims'].filter((flag) => flags.includes(flag)).join('')}`

/** Walks a pattern that compiles. */
function unsafeAt(pattern: string): RegexFault | undefined {
  /** Per open group: does it hold an unbounded repetition? */
  const groups: boolean[] = [false]
  /** The atom just read repeats without bound inside itself. */
  let atom = false
  let i = 0
  while (i < pattern.length) {
    const unit = pattern[i]!
    if (unit === '\\') {
      if (/[1-9k]/.test(pattern[i + 1] ?? '')) return unsafe('back-reference', i)
      i += 2
      atom = false
    } else if (unit === '[') {
      i = endOfClass(pattern, i)
      atom = false
    } else if (unit === '(') {
      groups.push(false)
      i++
      atom = false
    } else if (unit === ')') {
      atom = groups.pop()!
      if (atom) groups[groups.length - 1] = true
      i++
    } else {
      const width = quantifierAt(pattern, i)
      if (width === undefined) {
        i++
        atom = false
        continue
      }
      if (width.unbounded) {
        if (atom) return unsafe('nested unbounded repetition', i)
        groups[groups.length - 1] = true
      }
      i += width.length
      atom = false
    }
  }
  return undefined
}

const unsafe = (what: string, offset: number): RegexFault => ({
  code: 'sql_regex_unsafe',
  message: `${what} can take exponential time`,
  offset,
})

function endOfClass(pattern: string, at: number): number {
  let i = at + 1
  while (i < pattern.length && pattern[i] !== ']') i += pattern[i] === '\\' ? 2 : 1
  return i + 1
}

function quantifierAt(pattern: string, at: number): { unbounded: boolean; length: number } | undefined {
  const match = /^(?:([*+])|(\?)|\{\d+(,?)(\d*)\})\??/.exec(pattern.slice(at, at + 24))
  if (match === null || (match[2] !== undefined && pattern[at - 1] === '(')) return undefined
  const unbounded = match[1] !== undefined || (match[3] === ',' && match[4] === '')
  return { unbounded, length: match[0].length }
}
