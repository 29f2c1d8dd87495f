import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorKinds } from '../src/core/error-kinds.ts'
import type { Option, OptionSpec } from '../src/core/option-types.ts'
import { aggregateFunctions, scalarFunctions, tableFunctions } from '../src/expr/catalogue.ts'
import { connectors } from '../src/headrace/catalogue.ts'
import { queueOptions } from '../src/headrace/dlq/settings.ts'
import { pipelineCheckpointOptions, runOptions } from '../src/headrace/durable/settings.ts'
import { apiPage } from './api-page.ts'

// Writes docs/reference/ from the sources; with --check it only compares and fails on a difference.
const directory = join(import.meta.dirname, '../docs/reference')
const check = process.argv.includes('--check')
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')

function errorsPage(): string {
  const rows = Object.entries(errorKinds)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, kind]) => [
      `\`${code}\``,
      kind.class,
      String(kind.exitCode),
      String(kind.httpStatus),
      kind.when,
      kind.fix,
    ])
  return `# Error codes

Codes are stable. \`headrace explain-code CODE\` prints the same offline.

${table(['code', 'class', 'exit code', 'HTTP status', 'raised when', 'fix'], rows)}
`
}

async function optionsPage(): Promise<string> {
  const parts = await Promise.all(
    connectors.map(async (entry) => {
      const { summary, schemes, options } = await entry.load()
      const rows = Object.entries(options).map(([name, option]) => optionRow(name, option))
      const uris = schemes.map((scheme) => `\`${scheme}:\``).join(' ')
      return `## ${entry.name}\n\n${uris} ${summary}\n\n${table(['option', 'type', 'default', 'side', 'meaning'], rows)}\n`
    }),
  )
  return `# Connector options\n\nAn option is a URI parameter or a key of \`WITH (…)\`; the latter wins.\n\n${parts.join('\n')}`
}

function optionRow(name: string, option: Option<unknown>): string[] {
  const plain = option.choices === undefined ? option.type : option.choices.join(' | ')
  const type = option.off === true ? `${plain} | off` : plain
  const fallback = option.default === undefined ? (option.required ? 'required' : '–') : defaultText(option.default)
  const meaning = `${option.doc}${option.later ? ' Not built yet.' : ''}`
  const names = [name, ...option.aliases].map((one) => `\`${one}\``).join(', ')
  return [names, type, fallback, option.side ?? 'both', meaning]
}

const defaultText = (value: unknown): string =>
  value instanceof Map ? '–' : value === '' ? "`''`" : `\`${JSON.stringify(value)}\``

interface Documented {
  readonly name: string
  readonly aliases: readonly string[]
  readonly signatures: readonly string[]
  readonly summary: string
  readonly examples: readonly { readonly sql: string; readonly result: string }[]
}

function functionsPage(): string {
  const page = (functions: Iterable<Documented>): string =>
    table(
      ['function', 'other names', 'meaning', 'examples'],
      [...new Set(functions)]
        .filter((f) => /^[A-Z]/.test(f.name))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map((f) => [
          f.signatures.map((signature) => `\`${signature}\``).join(' '),
          f.aliases.join(', '),
          f.summary,
          f.examples.map(({ sql, result }) => `\`${sql}\` → \`${result}\``).join('; '),
        ]),
    )
  return `# Functions

Names are case-insensitive. NULL arguments give NULL unless the text says otherwise.

## Scalar functions

${page(scalarFunctions.values())}

## Table functions

They stand in FROM: alone, behind CROSS JOIN, or behind LEFT JOIN … ON TRUE, where they may read the columns before them. WITH ORDINALITY adds a number from 1.

${page(tableFunctions.values())}

## Aggregates

${page(aggregateFunctions.values())}
`
}

function settingsPage(): string {
  const part = (prefix: string, options: OptionSpec): string => {
    const rows = Object.entries(options).map(([name, option]) => optionRow(`${prefix}${name}`, option))
    const short = rows.map(([names, type, fallback, , meaning]) => [names!, type!, fallback!, meaning!])
    return table(['setting', 'type', 'default', 'meaning'], short)
  }
  return `# Settings of a pipeline

They are set with \`SET name = value\`, or for one statement in \`WITH (…)\`. Durations are printed in milliseconds.

## Checkpoints

${part('checkpoint.', pipelineCheckpointOptions)}

## Dead letters

${part('dlq.', queueOptions)}

## Failing and stopping

${part('', runOptions)}
`
}

const pages: Readonly<Record<string, string>> = {
  'api.md': apiPage(),
  'settings.md': settingsPage(),
  'error-codes.md': errorsPage(),
  'functions.md': functionsPage(),
  'options.md': await optionsPage(),
}
mkdirSync(directory, { recursive: true })
let stale = 0
for (const [name, text] of Object.entries(pages)) {
  const path = join(directory, name)
  if (!check) writeFileSync(path, text)
  else if (readOrEmpty(path) !== text) {
    stale++
    process.stderr.write(`docs/reference/${name} is out of date: npm run docs\n`)
  }
}
process.exit(stale === 0 ? 0 : 1)

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
