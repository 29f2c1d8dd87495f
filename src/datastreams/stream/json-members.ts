/** A member of a JSON object, as its source text. */
export interface Member {
  /** Decoded. */
  readonly name: string
  /** From the name on: `"a":1`. */
  readonly text: string
  readonly value: string
}

const QUOTE = 34
const BACKSLASH = 92

/** The members of an object that is valid JSON without blanks between its parts, in their order. */
export function membersOf(object: string): Member[] {
  const members: Member[] = []
  let at = 1
  while (object.charCodeAt(at) === QUOTE) {
    const start = at
    const nameEnd = stringEnd(object, at)
    const valueStart = nameEnd + 1
    const end = valueEnd(object, valueStart)
    members.push({
      name: JSON.parse(object.slice(start, nameEnd)) as string,
      text: object.slice(start, end),
      value: object.slice(valueStart, end),
    })
    at = end + 1
  }
  return members
}

/** Behind the closing quote. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    const code = text.charCodeAt(at)
    if (code === BACKSLASH) at++
    else if (code === QUOTE) return at + 1
  }
}

function valueEnd(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const char = text[at]
    if (char === '"') at = stringEnd(text, at) - 1
    else if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') {
      if (depth === 0) return at
      depth--
    } else if (char === ',' && depth === 0) return at
  }
  return text.length
}
