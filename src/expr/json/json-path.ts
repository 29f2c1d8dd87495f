import { endOfValue, entriesOfJson, itemsOfJson, kindOfJson, skipBlanks, stringOfJson } from './json-text.ts'

/** One step of a JSON path: a key, an index (negative: from the end), or all items or values. */
export type JsonStep =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'all' }

export interface JsonPath {
  readonly steps: readonly JsonStep[]
  /** True with a wildcard: the answer is then a list. */
  readonly many: boolean
}

/** What is wrong with a path, and where: UTF-16 offset into it. */
export interface PathFault {
  readonly message: string
  readonly offset: number
}

const STEP =
  /\.\s*(?:([A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff-]*)|"((?:[^"\\]|\\.)*)"|(\*))|\[\s*(?:(-?\d+)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(\*))\s*\]/y

/** Reads `$.a.b[0]`, `$['x y']`, `$.items[*].sku`, `$[-1]`; the leading `$` may be left out. */
export function parseJsonPath(text: string): JsonPath | PathFault {
  const steps: JsonStep[] = []
  let at = skipBlanks(text, 0)
  const rooted = text[at] === '$'
  if (rooted) at++
  // Without `$` the first key stands without a dot: `a.b`.
  const source = rooted || text[at] === '[' || at >= text.length ? text : `${text.slice(0, at)}.${text.slice(at)}`
  const shift = source.length - text.length
  while (skipBlanks(source, at) < source.length) {
    STEP.lastIndex = skipBlanks(source, at)
    const match = STEP.exec(source)
    if (match === null) {
      const offset = Math.max(0, skipBlanks(source, at) - shift)
      return { message: `a step such as .name, ['name'], [0] or [*] is expected`, offset }
    }
    steps.push(stepOf(match))
    at = STEP.lastIndex
  }
  return { steps, many: steps.some((step) => step.kind === 'all') }
}

const unescaped = (text: string): string => text.replace(/\\(.)/g, '$1')

function stepOf(match: RegExpExecArray): JsonStep {
  if (match[3] !== undefined || match[7] !== undefined) return { kind: 'all' }
  if (match[4] !== undefined) return { kind: 'index', index: Number(match[4]) }
  const key = match[1] ?? unescaped(match[2] ?? match[5] ?? match[6] ?? '')
  return { kind: 'key', key }
}

/** Texts that a path leads to in a JSON text, in order. */
export function matchesOf(text: string, { steps, many }: JsonPath): string[] {
  if (!many) {
    let found: string | undefined = text
    for (const step of steps) {
      if (step.kind !== 'all') found = stepInto(found, step)
      if (found === undefined) return []
    }
    return [found]
  }
  let found = [text]
  for (const step of steps) {
    found = found.flatMap((value) => {
      if (step.kind === 'all') return childrenOf(value)
      const child = stepInto(value, step)
      return child === undefined ? [] : [child]
    })
    if (found.length === 0) break
  }
  return found
}

function childrenOf(text: string): string[] {
  const kind = kindOfJson(text)
  if (kind === 'array') return itemsOfJson(text)
  return kind === 'object' ? [...entriesOfJson(text).values()] : []
}

/** The text below one step; undefined when it is not there. */
export function stepInto(text: string, step: Exclude<JsonStep, { kind: 'all' }>): string | undefined {
  const start = skipBlanks(text, 0)
  if (step.kind === 'key') return text[start] === '{' ? memberOf(text, start, step.key) : undefined
  if (text[start] !== '[') return undefined
  return step.index < 0 ? itemsOfJson(text).at(step.index) : itemAt(text, start, step.index)
}

/** The last member of that name, found without building the others. */
function memberOf(text: string, start: number, wanted: string): string | undefined {
  let found: string | undefined
  let at = skipBlanks(text, start + 1)
  while (at < text.length && text[at] !== '}') {
    const keyEnd = endOfValue(text, at)
    const valueStart = skipBlanks(text, skipBlanks(text, keyEnd) + 1)
    const valueEnd = endOfValue(text, valueStart)
    if (isKey(text, at, keyEnd, wanted)) found = text.slice(valueStart, valueEnd)
    at = skipBlanks(text, valueEnd)
    if (text[at] === ',') at = skipBlanks(text, at + 1)
  }
  return found
}

/** True when the string token `at` … `end` is `wanted`; only tokens with escapes are decoded. */
function isKey(text: string, at: number, end: number, wanted: string): boolean {
  if (end - at - 2 === wanted.length && text.startsWith(wanted, at + 1)) return !wanted.includes('\\')
  const token = text.slice(at, end)
  return token.includes('\\') && stringOfJson(token) === wanted
}

function itemAt(text: string, start: number, index: number): string | undefined {
  let at = skipBlanks(text, start + 1)
  for (let i = 0; at < text.length && text[at] !== ']'; i++) {
    const end = endOfValue(text, at)
    if (i === index) return text.slice(at, end)
    at = skipBlanks(text, end)
    if (text[at] === ',') at = skipBlanks(text, at + 1)
  }
  return undefined
}
