/** One case of a golden file: a script, what is fed to its sources, and what must come out. */
export interface GoldenCase {
  /** Line of its first statement, 1-based. */
  readonly line: number
  readonly script: string
  readonly steps: readonly GoldenStep[]
  readonly sections: readonly GoldenSection[]
}

export type GoldenStep =
  /** `feed NAME` or `feed one NAME`: rows into the memory channel NAME. */
  | { readonly kind: 'feed'; readonly channel: string; readonly one: boolean; readonly rows: readonly string[] }
  /** `changelog NAME`: a writer has opened the channel for a changelog before the script is planned. */
  | { readonly kind: 'changelog'; readonly channel: string }
  /** `advance clock 10s` */
  | { readonly kind: 'clock'; readonly ms: number }
  /** `end`: every channel is closed. */
  | { readonly kind: 'end' }

/** `rows`, `in order`, `table`, `changes`, `counters`, `error`, `warnings`, or a `memory://` channel. */
export interface GoldenSection {
  readonly name: string
  readonly lines: readonly string[]
}

const SECTION = /^---- (.+)$/
const STEP = /^(feed( one)? (\S+)|changelog (\S+)|advance clock (\d+)(ms|s|m|h)|end)$/
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Cases are separated by lines `====`; comment lines above a case begin with `#`. */
export function parseGolden(text: string): { cases: GoldenCase[]; parts: string[] } {
  const parts = text.split(/^====\n/m)
  let line = 1
  const cases = parts.map((part) => {
    const parsed = parseCase(part, line)
    line += part.split('\n').length
    return parsed
  })
  return { cases, parts }
}

function parseCase(part: string, firstLine: number): GoldenCase {
  const lines = part.split('\n')
  const stepsAt = lines.findIndex((line) => STEP.test(line))
  const sectionsAt = lines.findIndex((line) => SECTION.test(line))
  const scriptEnd = stepsAt >= 0 && (sectionsAt < 0 || stepsAt < sectionsAt) ? stepsAt : sectionsAt
  const head = scriptEnd < 0 ? lines : lines.slice(0, scriptEnd)
  const script = head
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .trim()
  const steps = scriptEnd < 0 ? [] : parseSteps(lines.slice(scriptEnd, sectionsAt < 0 ? undefined : sectionsAt))
  return { line: firstLine, script, steps, sections: sectionsAt < 0 ? [] : parseSections(lines.slice(sectionsAt)) }
}

function parseSteps(lines: readonly string[]): GoldenStep[] {
  const steps: GoldenStep[] = []
  let rows: string[] | undefined
  for (const line of lines) {
    const match = STEP.exec(line)
    if (match === null) {
      if (line.trim() !== '' && !line.startsWith('#')) rows?.push(line)
      continue
    }
    const [, , one, channel, changelog, amount, unit] = match
    if (channel !== undefined) {
      rows = []
      steps.push({ kind: 'feed', channel, one: one !== undefined, rows })
    } else if (changelog !== undefined) steps.push({ kind: 'changelog', channel: changelog })
    else if (amount !== undefined) steps.push({ kind: 'clock', ms: Number(amount) * UNIT_MS[unit!]! })
    else steps.push({ kind: 'end' })
  }
  return steps
}

function parseSections(lines: readonly string[]): GoldenSection[] {
  const sections: { name: string; lines: string[] }[] = []
  for (const line of lines) {
    const match = SECTION.exec(line)
    if (match !== null) sections.push({ name: match[1]!, lines: [] })
    else sections.at(-1)!.lines.push(line)
  }
  for (const section of sections) while (section.lines.at(-1) === '') section.lines.pop()
  return sections
}

/** The text of a case with its sections filled in anew. */
export function withSections(part: string, sections: readonly GoldenSection[]): string {
  const at = part.search(/^---- /m)
  const head = (at < 0 ? part : part.slice(0, at)).trimEnd()
  const body = sections.map(({ name, lines }) => `---- ${name}\n${lines.map((line) => `${line}\n`).join('')}`)
  return `${head}\n\n${body.join('\n')}`
}
