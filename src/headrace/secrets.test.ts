import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { HeadraceErrors } from '../core/errors.ts'
import { renderError } from '../sql/diagnostics.ts'
import { DeadLetters, deadLetterRow } from './dead-letters.ts'
import { Engine } from './engine.ts'
import { Pipeline } from './pipeline.ts'
import { compileScript, explainScript, type ScriptInput, type Stage } from './script.ts'

/** It holds what a URI, JSON and SQL write otherwise. */
const VALUE = `p@ss "w'rd" 100%`
const FORMS = [VALUE, encodeURIComponent(VALUE), JSON.stringify(VALUE).slice(1, -1), VALUE.replaceAll("'", "''")]

let baseDirectory: string
beforeAll(() => {
  baseDirectory = mkdtempSync(join(tmpdir(), 'headrace-secrets-'))
  writeFileSync(join(baseDirectory, `${VALUE}.jsonl`), '{"a":1}\n{"a":\n')
  writeFileSync(join(baseDirectory, 'secret.txt'), `${VALUE}\n`)
})
afterAll(() => rmSync(baseDirectory, { recursive: true }))

const engineOf = (): Engine => new Engine({ baseDirectory, environment: { PLACE: VALUE } })
const scriptOf = (text: string): ScriptInput => ({
  file: 'script.sql',
  text,
  baseDirectory,
  name: undefined,
  parameters: new Map(),
})

const expectHidden = (text: string): void => {
  for (const form of FORMS) expect(text).not.toContain(form)
}

/** The faults of a script as printed; none holds the value. */
async function faults(text: string): Promise<string> {
  try {
    await compileScript(engineOf(), scriptOf(text))
  } catch (error) {
    if (!(error instanceof HeadraceErrors)) throw error
    expectHidden(`${error.message} ${error.errors.map((each) => JSON.stringify(each)).join()}`)
    return error.errors.map(renderError).join('\n')
  }
  return expect.fail('no fault')
}

const origins = [
  ['a variable', "FROM ENV 'PLACE'"],
  ['a file', "FROM FILE 'secret.txt'"],
  ['the script', `FROM VALUE '${VALUE.replaceAll("'", "''")}'`],
] as const

test.each(origins)('a secret of %s in URIs of sources and sinks; nothing prints it', async (_, origin) => {
  const engine = engineOf()
  const text = `CREATE SECRET place ${origin};
    INSERT INTO 'file:\${secret:PLACE}-out.jsonl' SELECT 10 / (a - 1) AS q, a FROM 'file:\${secret:place}.jsonl';
    INSERT INTO '\${secret:place}-all.jsonl' SELECT a FROM '\${secret:place}.jsonl'`
  const { plan } = await compileScript(engine, scriptOf(text))
  const printed: string[] = []
  const pipeline = new Pipeline(engine, {
    plan,
    baseDirectory,
    deadLetters: new DeadLetters((letter) => {
      const { value: _value, ...facts } = letter
      printed.push(JSON.stringify([facts, deadLetterRow(letter, { pipeline: undefined, nowMicros: 0 })]))
    }),
    client: () => expect.fail('no rows go to the client'),
  })
  const digest = await pipeline.run(new AbortController().signal)
  expect(digest.rowsOut).toEqual([
    { target: 'file:***-out.jsonl', rows: 0, published: true },
    { target: '***-all.jsonl', rows: 1, published: true },
  ])
  expect(printed.length).toBeGreaterThanOrEqual(2)
  expectHidden(JSON.stringify([printed, digest]))
  expect(readFileSync(join(baseDirectory, `${VALUE}-all.jsonl`), 'utf8')).toBe('{"a":1}\n')
})

test.each(origins)('a secret of %s in no stage of EXPLAIN', async (_, origin) => {
  const text = `CREATE SECRET place ${origin}; SELECT a FROM '\${secret:place}.jsonl'`
  for (const stage of [
    'tokens',
    'ast',
    'bound',
    'plan',
    'optimized',
    'streaming',
    'graph',
  ] satisfies readonly Stage[]) {
    for (const json of [false, true]) {
      const printed = await explainScript(engineOf(), scriptOf(text), { stage, json })
      expectHidden(printed)
      if (stage === 'optimized') expect(printed).toContain('***.jsonl')
    }
  }
})

test('errors of every step hide the value', async () => {
  const secret = `CREATE SECRET s FROM VALUE '${VALUE.replaceAll("'", "''")}';`
  expect(await faults(`${secret} SELECT a FROM 'file:\${secret:s}/none.jsonl'`)).toContain('connector_not_found')
  expect(await faults(`${secret} SELECT a FROM 'file:x.csv?delimiter=\${secret:s}'`)).toContain('delimiter')
  expect(await faults(`${secret} SELECT a FROM 'memory://\${secret:s}'`)).toContain('***')
  expect(await faults(`${secret} SELECT a FROM 'x.jsonl' WITH (source.format = '\${secret:s}')`)).toContain('***')
  // Before the value is known, and where the statement itself is wrong.
  expect(await faults(`${secret} SELECT ${'$'}`)).toContain('***')
  expect(await faults(secret.replace('VALUE', 'VALU'))).toContain('sql_unexpected_token')
})

test('however the statement is written, the value is hidden', async () => {
  const value = VALUE.replaceAll("'", "''")
  for (const head of ['create secret', 'CREATE OR REPLACE\n SECRET', 'CREATE -- a comment\n /* and one */ SECRET']) {
    expect(await faults(`${head} s FROM VALUE '${value}'; SELECT ${'$'}`), head).toContain('***')
  }
})

test('a column that is called secret hides nothing', async () => {
  const text = `CREATE STREAM s (secret STRING) FROM 'none.jsonl'; CREATE VIEW v AS SELECT secret, 'a' AS kind FROM s;
    SELECT kidn FROM v`
  const printed = await faults(text)
  expect(printed).toContain('did you mean "kind"')
  expect(printed).not.toContain('***')
})

test('a run that fails hides the value', async () => {
  const engine = engineOf()
  const text = `CREATE SECRET s FROM ENV 'PLACE'; SELECT a FROM '\${secret:s}.jsonl' INTO 'blackhole:'`
  const { plan } = await compileScript(engine, scriptOf(text))
  const pipeline = new Pipeline(engine, {
    plan: { ...plan, settings: new Map([['dlq.location', `memory://${encodeURIComponent(VALUE)}`]]) },
    baseDirectory,
    deadLetters: new DeadLetters(() => undefined),
    client: () => expect.fail('no rows go to the client'),
  })
  const error = await pipeline.run(new AbortController().signal).catch((fault: unknown) => fault)
  expect((error as Error).message).toContain('***')
  expectHidden((error as Error).message)
})

test('a secret that is not there, or has no value', async () => {
  expect(await faults(`SELECT a FROM '\${secret:plaec}.jsonl'`)).toContain(
    `error[sql_secret_not_found]: secret "plaec" does not exist
  --> script.sql:1:15
 1 | SELECT a FROM '\${secret:plaec}.jsonl'
   |               ^^^^^^^^^^^^^^^^^^^^^^^
hint: make it before: CREATE SECRET plaec FROM ENV 'VARIABLE'`,
  )
  const near = `CREATE SECRET place FROM ENV 'PLACE'; SELECT a FROM '\${secret:plaec}.jsonl'`
  expect(await faults(near)).toContain('hint: did you mean "place"?')
  const missing = await faults("CREATE SECRET s FROM ENV 'NOPE'; CREATE SECRET t FROM FILE 'nope.txt'")
  expect(missing).toContain('secret "s" has no value: variable "NOPE" is not set')
  expect(missing).toContain('secret "t" has no value: file "nope.txt" cannot be read or is empty')
  expect(await faults("CREATE SECRET s FROM ENV 'PLACE'; CREATE SECRET s FROM ENV 'PLACE'")).toContain(
    'sql_object_exists',
  )
})
