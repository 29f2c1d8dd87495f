/** What a piece of a time pattern stands for. */
export type PatternField =
  | 'year'
  | 'year2'
  | 'month'
  | 'monthName'
  | 'monthShort'
  | 'day'
  | 'dayOfYear'
  | 'weekday'
  | 'weekdayShort'
  | 'isoWeekday'
  | 'sundayWeekday'
  | 'isoWeek'
  | 'quarter'
  | 'hour'
  | 'hour12'
  | 'minute'
  | 'second'
  | 'milli'
  | 'micro'
  | 'ampm'
  | 'offset'
  | 'epoch'

export type PatternPart =
  | { readonly kind: 'text'; readonly text: string }
  /** `width`: digits of a number, padded with zeros; 0: as many as it takes. `upper`: names as `upper`, `lower` or `title`. */
  | {
      readonly kind: 'field'
      readonly field: PatternField
      readonly width: number
      readonly letters?: 'upper' | 'lower' | 'title' | undefined
    }

const text = (value: string): PatternPart => ({ kind: 'text', text: value })
const field = (name: PatternField, width: number, letters?: 'upper' | 'lower' | 'title'): PatternPart => ({
  kind: 'field',
  field: name,
  width,
  letters,
})

/** PostgreSQL templates, longest first; names follow the case of the template. */
const POSTGRES: readonly (readonly [string, PatternField, number])[] = [
  ['HH24', 'hour', 2],
  ['HH12', 'hour12', 2],
  ['YYYY', 'year', 4],
  ['MONTH', 'monthName', 0],
  ['MON', 'monthShort', 0],
  ['DAY', 'weekday', 0],
  ['DDD', 'dayOfYear', 3],
  ['SSSSS', 'epoch', 0],
  ['HH', 'hour12', 2],
  ['YY', 'year2', 2],
  ['MM', 'month', 2],
  ['MI', 'minute', 2],
  ['MS', 'milli', 3],
  ['US', 'micro', 6],
  ['SS', 'second', 2],
  ['DD', 'day', 2],
  ['DY', 'weekdayShort', 0],
  ['ID', 'isoWeekday', 1],
  ['IW', 'isoWeek', 2],
  ['AM', 'ampm', 0],
  ['PM', 'ampm', 0],
  ['TZ', 'offset', 0],
  ['Q', 'quarter', 1],
]

/** `YYYY-MM-DD HH24:MI:SS.MS`; text in double quotes stands for itself, FM takes the padding of the next part away. */
export function postgresPattern(pattern: string): PatternPart[] {
  const parts: PatternPart[] = []
  let at = 0
  let bare = false
  while (at < pattern.length) {
    if (pattern[at] === '"') {
      const end = pattern.indexOf('"', at + 1)
      const stop = end < 0 ? pattern.length : end
      parts.push(text(pattern.slice(at + 1, stop)))
      at = stop + 1
      continue
    }
    const rest = pattern.slice(at)
    if (/^FM/i.test(rest)) {
      bare = true
      at += 2
      continue
    }
    const found = POSTGRES.find(([name]) => rest.toUpperCase().startsWith(name))
    if (found === undefined) {
      parts.push(text(pattern[at]!))
      at++
      continue
    }
    const [name, kind, width] = found
    parts.push(field(kind, bare ? 0 : width, lettersOf(rest.slice(0, name.length))))
    bare = false
    at += name.length
  }
  return parts
}

const lettersOf = (written: string): 'upper' | 'lower' | 'title' =>
  written === written.toUpperCase() ? 'upper' : written === written.toLowerCase() ? 'lower' : 'title'

/** `yyyy-MM-dd HH:mm:ss.SSS`; text in single quotes stands for itself. */
function letterPattern(pattern: string): PatternPart[] | undefined {
  const parts: PatternPart[] = []
  for (const [run, quoted] of pattern.matchAll(/'((?:[^']|'')*)'|([a-zA-Z])\2*|[^a-zA-Z']+|'/g)) {
    if (quoted !== undefined) parts.push(text(quoted === '' ? "'" : quoted.replaceAll("''", "'")))
    else if (!/^[a-zA-Z]/.test(run)) parts.push(text(run))
    else {
      const part = letterField(run)
      if (part === undefined) return undefined
      parts.push(part)
    }
  }
  return parts
}

function letterField(run: string): PatternPart | undefined {
  const count = run.length
  switch (run[0]) {
    case 'y':
    case 'u':
      return count === 2 ? field('year2', 2) : field('year', count === 1 ? 0 : 4)
    case 'M':
    case 'L':
      return count > 3
        ? field('monthName', 0, 'title')
        : count === 3
          ? field('monthShort', 0, 'title')
          : field('month', numeric(count))
    case 'd':
      return field('day', numeric(count))
    case 'D':
      return field('dayOfYear', count === 1 ? 0 : count)
    case 'E':
      return count > 3 ? field('weekday', 0, 'title') : field('weekdayShort', 0, 'title')
    case 'H':
      return field('hour', numeric(count))
    case 'h':
      return field('hour12', numeric(count))
    case 'm':
      return field('minute', numeric(count))
    case 's':
      return field('second', numeric(count))
    case 'S':
      return count <= 3 ? field('milli', count) : field('micro', count)
    case 'a':
      return field('ampm', 0, 'upper')
    case 'X':
    case 'x':
    case 'Z':
      return field('offset', 0)
    default:
      return undefined
  }
}

const numeric = (count: number): number => (count === 1 ? 0 : count)

type Letters = Readonly<Record<string, PatternPart>>

const SHARED: Letters = {
  Y: field('year', 4),
  y: field('year2', 2),
  m: field('month', 2),
  d: field('day', 2),
  e: field('day', 0),
  H: field('hour', 2),
  I: field('hour12', 2),
  S: field('second', 2),
  f: field('micro', 6),
  a: field('weekdayShort', 0, 'title'),
  b: field('monthShort', 0, 'title'),
  p: field('ampm', 0, 'upper'),
  j: field('dayOfYear', 3),
  '%': text('%'),
}

/** DATE_FORMAT letters: `%i` minute, `%s` second, `%h` hour of 12. */
const FORMAT: Letters = {
  ...SHARED,
  h: field('hour12', 2),
  i: field('minute', 2),
  s: field('second', 2),
  M: field('monthName', 0, 'title'),
  W: field('weekday', 0, 'title'),
  c: field('month', 0),
  k: field('hour', 0),
  w: field('sundayWeekday', 1),
}

/** STRFTIME letters: `%M` minute, `%B` month name. */
const STRFTIME: Letters = {
  ...SHARED,
  M: field('minute', 2),
  B: field('monthName', 0, 'title'),
  A: field('weekday', 0, 'title'),
  u: field('isoWeekday', 1),
  w: field('sundayWeekday', 1),
  V: field('isoWeek', 2),
  g: field('milli', 3),
  s: field('epoch', 0),
  z: field('offset', 0),
  n: text('\n'),
  t: text('\t'),
}

const COMBINED: Readonly<Record<string, string>> = { T: '%H:%M:%S', F: '%Y-%m-%d', R: '%H:%M', D: '%m/%d/%y' }

function percentPattern(pattern: string, letters: Letters): PatternPart[] | undefined {
  const parts: PatternPart[] = []
  for (const [piece, minus, letter] of pattern.matchAll(/%(-?)([\s\S])|[^%]+|%/g)) {
    if (letter === undefined) {
      if (piece === '%') return undefined
      parts.push(text(piece))
      continue
    }
    const part = Object.hasOwn(letters, letter) ? letters[letter]! : undefined
    if (part === undefined) return undefined
    parts.push(minus === '-' && part.kind === 'field' ? { ...part, width: 0 } : part)
  }
  return parts
}

/** DATE_FORMAT: `%Y %y %m %d %H %h %i %s %f %a %b`; without `%` letters as `yyyy MM dd HH mm ss SSS`. */
export const formatPattern = (pattern: string): PatternPart[] | undefined =>
  pattern.includes('%') ? percentPattern(pattern.replaceAll('%T', '%H:%i:%s'), FORMAT) : letterPattern(pattern)

/** STRFTIME, STRPTIME: the letters of C. */
export const strftimePattern = (pattern: string): PatternPart[] | undefined =>
  percentPattern(
    pattern.replace(/%([TFRD])/g, (_all, letter: string) => COMBINED[letter]!),
    STRFTIME,
  )

/** TO_TIMESTAMP, TO_DATE, FROM_UNIXTIME: `%` letters, PostgreSQL templates (`YYYY`, `HH24`, `MI`), else letters. */
export function anyPattern(pattern: string): PatternPart[] | undefined {
  if (pattern.includes('%')) return strftimePattern(pattern) ?? formatPattern(pattern)
  return /YYYY|HH24|HH12|MI|DD|YY/.test(pattern) ? postgresPattern(pattern) : letterPattern(pattern)
}
