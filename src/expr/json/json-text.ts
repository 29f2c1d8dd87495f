/**
 * JSON as text with positions: numbers keep their text and unread parts are not built. All functions expect valid JSON
 * (`validJson` has said true) except `validJson` itself; over other text they end with an unspecified answer.
 */

/** True when the whole text is one JSON value. */
export function validJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null'

export function kindOfJson(text: string): JsonKind {
  switch (text[skipBlanks(text, 0)]) {
    case '{':
      return 'object'
    case '[':
      return 'array'
    case '"':
      return 'string'
    case 't':
    case 'f':
      return 'boolean'
    case 'n':
      return 'null'
    default:
      return 'number'
  }
}

export function skipBlanks(text: string, at: number): number {
  let i = at
  while (i < text.length && text.charCodeAt(i) <= 32) i++
  return i
}

/** Position behind the value that begins at `at`. */
export function endOfValue(text: string, at: number): number {
  const first = text.charCodeAt(at)
  if (first === 34) return endOfString(text, at)
  if (first !== 123 && first !== 91) {
    let i = at
    while (i < text.length && !endsScalar(text.charCodeAt(i))) i++
    return i
  }
  let depth = 0
  for (let i = at; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === 34) i = endOfString(text, i) - 1
    else if (unit === 123 || unit === 91) depth++
    else if ((unit === 125 || unit === 93) && --depth === 0) return i + 1
  }
  return text.length
}

/** Comma, brackets that close, blanks. */
const endsScalar = (unit: number): boolean => unit === 44 || unit === 93 || unit === 125 || unit <= 32

function endOfString(text: string, at: number): number {
  let i = at + 1
  while (i < text.length && text.charCodeAt(i) !== 34) i += text.charCodeAt(i) === 92 ? 2 : 1
  return i + 1
}

/** The value of a JSON string token. */
export const stringOfJson = (token: string): string =>
  token.includes('\\') ? (JSON.parse(token) as string) : token.trim().slice(1, -1)

/** Key and value texts of an object, in order; of a repeated key the last wins, at its first place. */
export function entriesOfJson(text: string): Map<string, string> {
  const entries = new Map<string, string>()
  let at = skipBlanks(text, skipBlanks(text, 0) + 1)
  while (at < text.length && text[at] !== '}') {
    const keyEnd = endOfValue(text, at)
    const key = stringOfJson(text.slice(at, keyEnd))
    const start = skipBlanks(text, skipBlanks(text, keyEnd) + 1)
    const end = endOfValue(text, start)
    entries.set(key, text.slice(start, end))
    at = skipBlanks(text, end)
    if (text[at] === ',') at = skipBlanks(text, at + 1)
  }
  return entries
}

/** Item texts of an array. */
export function itemsOfJson(text: string): string[] {
  const items: string[] = []
  let at = skipBlanks(text, skipBlanks(text, 0) + 1)
  while (at < text.length && text[at] !== ']') {
    const end = endOfValue(text, at)
    items.push(text.slice(at, end))
    at = skipBlanks(text, end)
    if (text[at] === ',') at = skipBlanks(text, at + 1)
  }
  return items
}

/** What `->>` gives: the text of a string, the JSON text of anything else, undefined for JSON null. */
export function textOfJson(text: string): string | undefined {
  const kind = kindOfJson(text)
  if (kind === 'null') return undefined
  return kind === 'string' ? stringOfJson(text.trim()) : text.trim()
}
