import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { expect, test } from 'vitest'
import { errorKinds } from '../../src/core/error-kinds.ts'
import { aggregateFunctions, scalarFunctions, tableFunctions } from '../../src/expr/catalogue.ts'
import { Engine } from '../../src/headrace/engine.ts'
import { compileScript } from '../../src/headrace/script.ts'
import { findGoldens } from './find-goldens.ts'
import { type GoldenCase, parseGolden } from './golden-file.ts'
import { domainErrors, outOfScope, syntax, withoutArguments } from './golden-map-rows.ts'

/**
 * The map from every function and every diagnostic to the goldens that show it. Unmapped rows are printed; with
 * HEADRACE_GOLDEN_MAP=strict they fail, with HEADRACE_GOLDEN_MAP=print the whole map is printed.
 */
const mode = process.env['HEADRACE_GOLDEN_MAP']
const root = import.meta.dirname

interface Example {
  readonly sql: string
  readonly result: string
}

interface Place {
  readonly file: string
  readonly golden: GoldenCase
  readonly text: string
}

const places: readonly Place[] = findGoldens(root).flatMap((path) => {
  const { cases, parts } = parseGolden(readFileSync(path, 'utf8'))
  return cases.map((golden, i) => ({ file: `${relative(root, path)}:${golden.line}`, golden, text: parts[i]! }))
})

const linesOf = (golden: GoldenCase): string[] => golden.sections.flatMap(({ lines }) => lines)

/** Function → cases that call it over a column and run. */
async function functionMap(): Promise<Map<string, Place[]>> {
  const map = new Map<string, Place[]>()
  for (const place of places) {
    if (place.golden.sections.some(({ name }) => name === 'error') || !/\bFROM\b/i.test(place.golden.script)) continue
    const input = {
      file: 'script.sql',
      text: place.golden.script,
      baseDirectory: root,
      name: undefined,
      parameters: new Map(),
    }
    const { functions } = await compileScript(new Engine(), input)
    const written = Object.keys(syntax).filter((name) => syntax[name]!.test(place.golden.script))
    for (const name of new Set([...functions, ...written])) map.set(name, [...(map.get(name) ?? []), place])
  }
  return map
}

/** Code → cases that raise it: a diagnostic, a warning or a row error. */
function codeMap(): Map<string, Place[]> {
  const map = new Map<string, Place[]>()
  for (const place of places) {
    const found = linesOf(place.golden).flatMap((line) => {
      const match = /^(?:error|warning)\[(\w+)\]|^(\w+) \d+$|\b(row_[a-z_]+|connector_record_[a-z_]+)\b/.exec(line)
      return match === null ? [] : [match[1] ?? match[2] ?? match[3]!]
    })
    for (const code of new Set(found)) map.set(code, [...(map.get(code) ?? []), place])
  }
  return map
}

/** A result of the reference as a golden prints it. */
function printed(result: string): string {
  if (/^['[]/.test(result) && !result.includes('{')) {
    return result.replaceAll("'", '').replace(/^\[(.*)\]$/, '{$1}')
  }
  return result === 'TRUE' || result === 'FALSE' ? result.toLowerCase() : result
}

/** True when a case holds the literals of the example and shows its result. */
function shows({ golden, text }: Place, { sql, result }: Example): boolean {
  const literals = sql.match(/'[^']*'|(?<![\w.])\d+(\.\d+)?/g) ?? []
  if (!literals.every((literal) => text.includes(literal))) return false
  const wanted = [printed(result), result, printed(result).replace(/^\{(.*)\}$/, '[$1]')]
  const cells = linesOf(golden).flatMap((line) => line.split(' | '))
  return cells.some((cell) => wanted.includes(cell) || (cell !== '' && Number(cell) === Number(result)))
}

/** What is missing before a function counts. */
function lacks(name: string, found: readonly Place[]): string | undefined {
  if (found.length === 0) return 'no golden'
  for (const example of scalarFunctions.get(name)?.examples ?? []) {
    if (!found.some((place) => shows(place, example))) return `the example ${example.sql} is ${example.result}`
  }
  if (!withoutArguments.has(name) && !found.some(({ text }) => /\bNULL\b/.test(text))) return 'no NULL'
  const code = domainErrors[name]
  if (code === undefined || found.some(({ golden }) => linesOf(golden).some((line) => line.startsWith(code)))) return
  return `no ${code}`
}

const inScope = (code: string): boolean =>
  !outOfScope.has(code) && (/^(sql|row)_/.test(code) || /^connector_(scheme|uri|side|option|record)_/.test(code))

test('every function and every diagnostic has its goldens', async () => {
  const functions = await functionMap()
  const codes = codeMap()
  const names = [
    ...new Set(
      [...scalarFunctions.values(), ...aggregateFunctions.values(), ...tableFunctions.values()].map(({ name }) => name),
    ),
  ]
  const unmapped = [
    ...names.flatMap((name) => {
      const missing = lacks(name, functions.get(name) ?? [])
      return missing === undefined ? [] : [`function ${name}: ${missing}`]
    }),
    ...Object.keys(errorKinds)
      .filter((code) => inScope(code) && !codes.has(code))
      .map((code) => `diagnostic ${code}: no golden`),
  ]
  if (mode === 'print') {
    const rows = [...functions, ...codes].map(
      ([name, found]) => `${name}: ${[...new Set(found.map(({ file }) => file))].join(' ')}`,
    )
    process.stdout.write(`${rows.sort().join('\n')}\n`)
  }
  if (mode === 'strict') expect(unmapped).toEqual([])
  else if (unmapped.length > 0) process.stdout.write(`golden map, not yet mapped:\n  ${unmapped.join('\n  ')}\n`)
})

test('the tables of the map name functions and codes that exist', () => {
  const known = new Set([...scalarFunctions.keys(), ...aggregateFunctions.keys(), ...tableFunctions.keys()])
  expect(Object.keys(domainErrors).filter((name) => !known.has(name))).toEqual([])
  const raised = [...codeMap().keys()].filter((code) => outOfScope.has(code))
  expect(raised, 'out of scope, and yet a golden raises it').toEqual([])
})
