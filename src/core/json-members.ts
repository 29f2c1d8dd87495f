/** The value of a JSON text beside what `JSON.parse` loses: the source text of the members that ask for it. */
export interface JsonObject {
  readonly values: Readonly<Record<string, unknown>>
  /** The text of a top-level member without blanks outside its strings; undefined when it is not there. */
  textOf(name: string): string | undefined
}

/** Undefined: the text is JSON, but no object. Throws SyntaxError where it is no JSON. */
export function parseJsonObject(text: string): JsonObject | undefined {
  const values: unknown = JSON.parse(text)
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return undefined
  let texts: ReadonlyMap<string, string> | undefined
  return {
    values: values as Readonly<Record<string, unknown>>,
    textOf: (name) => {
      texts ??= membersOf(text)
      return texts.get(name)
    },
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

const isBlank = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

/** Member texts of an object; `text` is valid JSON of one. Of a repeated name the last counts, as in `JSON.parse`. */
export function membersOf(text: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>()
  let at = text.indexOf('{') + 1
  for (;;) {
    at = skipBlanks(text, at)
    const code = text.charCodeAt(at)
    if (code === CLOSE_BRACE) return members
    if (code === COMMA) {
      at++
      continue
    }
    const nameEnd = stringEnd(text, at)
    const name = text.slice(at + 1, nameEnd - 1)
    at = skipBlanks(text, nameEnd)
    // The colon stands here: the text is valid.
    at = skipBlanks(text, text.charCodeAt(at) === COLON ? at + 1 : at)
    const value = valueAt(text, at)
    members.set(name.includes('\\') ? (JSON.parse(`"${name}"`) as string) : name, value.text)
    at = value.end
  }
}

/** The texts of the elements of an array; `text` is valid JSON of one. */
export function elementsOf(text: string): readonly string[] {
  const elements: string[] = []
  let at = text.indexOf('[') + 1
  for (;;) {
    at = skipBlanks(text, at)
    const code = text.charCodeAt(at)
    if (code === CLOSE_BRACKET) return elements
    if (code === COMMA) {
      at++
      continue
    }
    const value = valueAt(text, at)
    elements.push(value.text)
    at = value.end
  }
}

function skipBlanks(text: string, at: number): number {
  while (isBlank(text.charCodeAt(at))) at++
  return at
}

/** Behind the closing quote of the string that begins at `at`. */
function stringEnd(text: string, at: number): number {
  for (let end = at + 1; ; end++) {
    end = text.indexOf('"', end)
    // What closes is a quote with an even number of backslashes before it.
    let before = end - 1
    while (text.charCodeAt(before) === BACKSLASH) before--
    if ((end - before) % 2 === 1) return end + 1
  }
}

/** The value that begins at `at`, blanks outside strings left out, and where it ends. */
function valueAt(text: string, at: number): { readonly text: string; readonly end: number } {
  const first = text.charCodeAt(at)
  if (first === QUOTE) {
    const end = stringEnd(text, at)
    return { text: text.slice(at, end), end }
  }
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
    let end = at
    for (let code = first; end < text.length; code = text.charCodeAt(++end)) {
      if (code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || isBlank(code)) break
    }
    return { text: text.slice(at, end), end }
  }
  let depth = 0
  let from = at
  let compact = ''
  for (let end = at; ; ) {
    const code = text.charCodeAt(end)
    if (code === QUOTE) {
      end = stringEnd(text, end)
      continue
    }
    if (isBlank(code)) {
      compact += text.slice(from, end)
      from = skipBlanks(text, end)
      end = from
      continue
    }
    end++
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++
    else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) {
      return { text: compact + text.slice(from, end), end }
    }
  }
}
