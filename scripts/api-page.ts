import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { declarationOf, emitDeclarations, libraryEntries } from './declarations.ts'

/** Names of which their value says more than their declaration. */
const SHORT_LINES = 60

/** `docs/reference/api.md`: every public name with its doc comment and its declaration, as they are shipped. */
export function apiPage(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-api-'))
  try {
    emitDeclarations(folder)
    const parts = Object.entries(libraryEntries).map(([entry, source]) =>
      entryPart(entry, join(folder, declarationOf(source))),
    )
    return `# The library's names

${parts.join('\n')}`
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function entryPart(entry: string, path: string): string {
  const title = entry === 'headrace' ? 'headrace' : `headrace/${entry}`
  const names = exportsOf(path).sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1))
  const sections = names.map(({ name, from }) => nameSection(name, from))
  return `## ${title}\n\n${names.length} names.\n\n${sections.join('\n')}`
}

interface Exported {
  readonly name: string
  /** The declaration file that it comes from. */
  readonly from: string
}

/** The names that a door gives on. */
function exportsOf(path: string): Exported[] {
  const text = readFileSync(path, 'utf8')
  return [...text.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']+)'/gm)].flatMap(([, list = '', target = '']) =>
    list
      .split(',')
      .map((item) => item.trim().replace(/^type /, ''))
      .filter((item) => item !== '')
      .map((item) => ({ name: item.split(' as ').at(-1)!, from: fileOf(path, target) })),
  )
}

const fileOf = (path: string, target: string): string => resolve(dirname(path), target.replace(/\.[jt]s$/, '.d.ts'))

function nameSection(name: string, path: string): string {
  const found = declarationsIn(path, name)
  if (found.length === 0) throw new Error(`no declaration of the public name ${name} in ${path}`)
  const docs = found.flatMap(({ doc }) => (doc === undefined ? [] : [plainDoc(doc)]))
  const code = found.map(({ code }) => shortened(code)).join('\n')
  return `### ${name}\n\n${docs.length === 0 ? '' : `${docs.join('\n\n')}\n\n`}\`\`\`ts\n${code}\n\`\`\`\n`
}

interface Declaration {
  readonly doc: string | undefined
  readonly code: string
}

const HEAD = `export (?:declare )?(?:abstract )?(?:class|interface|type|const|function) `

/** The declarations of a name (a type and a value may share it), found where it is declared, not where it is named on. */
function declarationsIn(path: string, name: string): Declaration[] {
  const text = readFileSync(path, 'utf8')
  const pattern = new RegExp(String.raw`(/\*\*(?:(?!\*/)[\s\S])*\*/\n)?^${HEAD}${name}\b`, 'gm')
  const own = [...text.matchAll(pattern)].map((match) => {
    const start = match.index + (match[1]?.length ?? 0)
    return { doc: match[1], code: text.slice(start, endOf(text, start)) }
  })
  if (own.length > 0) return own
  // Named on from elsewhere, maybe under another name there.
  const on = new RegExp(String.raw`^(?:export|import) (?:type )?\{([^}]*\b${name}\b[^}]*)\} from '([^']+)'`, 'm').exec(
    text,
  )
  if (on === null || !existsSync(fileOf(path, on[2]!))) return []
  const before = new RegExp(String.raw`(\w+) as ${name}\b`).exec(on[1]!)?.[1] ?? name
  return declarationsIn(fileOf(path, on[2]!), before)
}

/** Behind the declaration that begins at `start`: a `;` or a closing brace outside of everything, at the end of a line. */
function endOf(text: string, start: number): number {
  let depth = 0
  for (let i = start; i < text.length; i++) {
    const c = text[i]!
    if (text.startsWith('/*', i)) i = text.indexOf('*/', i) + 1
    else if ('{[('.includes(c)) depth++
    else if ('}])'.includes(c)) {
      depth--
      if (depth === 0 && c === '}' && /^\n(?:export|\/\*\*|declare|$)/.test(text.slice(i + 1, i + 9))) return i + 1
    } else if (c === ';' && depth === 0) return i + 1
  }
  return text.length
}

/** A doc comment as text; its tags as a list. */
function plainDoc(doc: string): string {
  return doc
    .replace(/^\/\*\*|\*\/\s*$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trim())
    .join('\n')
    .trim()
    .replace(/^@(\w+) /gm, '*$1*: ')
}

/** As people write it: no `declare`, two blanks; long ones lose what is inside. */
function shortened(code: string): string {
  const text = code
    .replace(/^export (?:declare )?/, '')
    .replace(/^ +/gm, (blanks) => ' '.repeat(blanks.length / 2))
    .replace(/^( *)\*/gm, '$1 *')
    .replace(/;$/gm, '')
    .replace(/^\s*#private\n/gm, '')
  const lines = text.split('\n')
  return lines.length <= SHORT_LINES ? text : [...lines.slice(0, SHORT_LINES), '  // …', lines.at(-1)!].join('\n')
}
