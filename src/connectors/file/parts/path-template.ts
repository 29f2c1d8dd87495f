import { HeadraceError } from '../../../core/errors.ts'
import type { Schema } from '../../../core/types.ts'
import { pipelinePart } from './staged-names.ts'
import { BRACE_UNITS, isTimeUnit, type TimeUnit } from './time-parts.ts'

/** A piece of the path of a partition. */
export type PathPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'column'; readonly column: number }
  | { readonly kind: 'time'; readonly unit: TimeUnit }
  | { readonly kind: 'epoch' }

export interface PathTemplate {
  /** The folder above the first segment with a name in braces. */
  readonly root: string
  /** Below it; empty: every row has the same folder. */
  readonly parts: readonly PathPart[]
}

const NAMES = /\$\{([^{}]*)\}|\{([^{},]*)\}/g

export const isTemplate = (path: string): boolean => path.search(NAMES) >= 0

/** What names in a path can mean. */
export interface TemplateNames {
  readonly schema: Schema
  readonly pipeline: string
  readonly writer: number
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Takes a sink's path apart (connectors.md §2). The path names a folder, with or without a slash at its end. */
export function parseTemplate(path: string, names: TemplateNames): PathTemplate {
  const first = path.search(NAMES)
  if (first < 0) return { root: path, parts: [] }
  const slash = path.lastIndexOf('/', first)
  const below = path.slice(slash + 1).replace(/\/+$/, '')
  const last = below.slice(below.lastIndexOf('/') + 1)
  if (!path.endsWith('/') && /\.[a-z0-9]+$/i.test(last.replace(NAMES, 'x'))) {
    throw new HeadraceError('connector_uri_invalid', `a path with names in braces is a folder: "${path}"`, {
      hint: "end it with a slash, and say how files begin and what is in them with name = '…' and format = '…'",
    })
  }
  const parts: PathPart[] = []
  let from = 0
  for (const match of below.matchAll(NAMES)) {
    if (match.index > from) parts.push({ kind: 'text', text: below.slice(from, match.index) })
    from = match.index + match[0].length
    parts.push(match[1] === undefined ? braceUnit(match[2]!, path) : partOf(match[1], names, path))
  }
  if (from < below.length) parts.push({ kind: 'text', text: below.slice(from) })
  return { root: path.slice(0, slash) || '/', parts }
}

function braceUnit(name: string, path: string): PathPart {
  const unit = BRACE_UNITS[name]
  if (unit === undefined) throw unknownName(name, path, `one of ${Object.keys(BRACE_UNITS).join(', ')}, or \${column}`)
  return { kind: 'time', unit }
}

function partOf(name: string, { schema, pipeline, writer, environment }: TemplateNames, path: string): PathPart {
  const forced = name.startsWith('col:')
  const column = columnOf(schema, forced ? name.slice(4) : name)
  if (column !== undefined) return { kind: 'column', column }
  if (forced) throw unknownName(name, path, `a column of the rows: ${columnNames(schema)}`)
  if (isTimeUnit(name)) return { kind: 'time', unit: name }
  if (name === 'pipeline') return { kind: 'text', text: pipelinePart(pipeline) }
  if (name === 'writer') return { kind: 'text', text: String(writer) }
  if (name === 'epoch') return { kind: 'epoch' }
  const value = environment[name.replace(/^env:/, '')]
  if (value === undefined || value === '') {
    throw unknownName(name, path, `a column (${columnNames(schema)}), a time part, or a variable that is set`)
  }
  return { kind: 'text', text: value }
}

const columnNames = (schema: Schema): string => schema.fields.map(({ name }) => name).join(', ')

export function columnOf(schema: Schema, name: string): number | undefined {
  const exact = schema.fields.findIndex((field) => field.name === name)
  const found = exact >= 0 ? exact : schema.fields.findIndex((field) => field.name.toLowerCase() === name.toLowerCase())
  return found < 0 ? undefined : found
}

const unknownName = (name: string, path: string, wanted: string): HeadraceError =>
  new HeadraceError('connector_uri_invalid', `"${name}" in the path "${path}" is not known`, { hint: `use ${wanted}` })
