import { expect, test } from 'vitest'
import { HeadraceErrors } from '../core/errors.ts'
import { Random } from '../core/random.ts'
import { compile, explainScript } from './compile.ts'
import { renderError } from './diagnostics.ts'
import { checkPlan } from './fixtures/check-plan.ts'
import { testCatalogue } from './fixtures/test-catalogue.ts'
import { lex } from './lexer.ts'

const base = { file: 'a.sql', catalogue: testCatalogue } as const

test('the name of a pipeline: its annotation, else the single object that it creates', async () => {
  const name = async (text: string) => (await compile({ ...base, text })).plan.name
  expect(await name("-- @name: daily\nSELECT page FROM 'memory://clicks'")).toBe('daily')
  expect(await name("CREATE STREAM s AS SELECT page FROM 'memory://clicks'")).toBe('s')
  expect(await name("CREATE STREAM s AS SELECT page FROM 'memory://clicks'; CREATE VIEW v AS SELECT * FROM s")).toBe(
    undefined,
  )
})

test('settings: SET, WITH of a query and of a stream, RESET', async () => {
  const { plan } = await compile({
    ...base,
    text: `SET on_expr_error = 'null'; SET allowed_lateness = 1h; SET timezone = 'UTC'; RESET timezone;
      SELECT page FROM 'memory://clicks' INTO 'memory://x' WITH (dlq.location = 'file:dlq', delivery = 'at_least_once')`,
  })
  expect(Object.fromEntries(plan.settings)).toEqual({
    on_expr_error: 'null',
    allowed_lateness: '1h',
    'dlq.location': 'file:dlq',
    delivery: 'at_least_once',
  })
})

test('parameters and variables take their values', async () => {
  const parameters = new Map([['p', { type: { kind: 'bigint' }, value: 7 } as const]])
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the dialect
  const text = "SELECT :p AS p INTO '${HOME_DIR}/${NOPE:-x}/${p}.jsonl'"
  const { plan } = await compile({ ...base, text, parameters })
  const [output] = plan.outputs
  expect(output!.root).toMatchObject({ kind: 'project', outputs: [{ kind: 'literal', value: 7 }] })
  // biome-ignore lint/suspicious/noTemplateCurlyInString: an output column of the sink path
  expect(output!.targets).toMatchObject([{ name: '/data/x/${p}.jsonl' }])
})

test('warnings do not stop a script', async () => {
  const { warnings, plan } = await compile({
    ...base,
    text: "-- @nmae x\nSELECT user, COUNT(*) FROM 'memory://clicks' GROUP BY user",
  })
  expect(warnings.map((warning) => warning.code)).toEqual(['sql_annotation_unknown', 'sql_state_grows'])
  expect(plan.outputs).toHaveLength(1)
})

const prelude = `CREATE STREAM s (k STRING, ts TIMESTAMP, v BIGINT, st STRUCT<a INT, b STRING>, l ARRAY<INT>, c AS v + 1,
  WATERMARK FOR ts AS ts) FROM 'memory://s';
CREATE VIEW w AS SELECT st.*, CAST(v AS DECIMAL(10,2)) / 3 AS d, ts FROM s;
`

const seeds = [
  'SELECT k, COUNT(*) AS n, SUM(v) FILTER (WHERE v > 1) AS t, window_start FROM s WHERE v > 1 AND st.a IN (1, 2) GROUP BY k, TUMBLE(ts, 10s) HAVING n > 1 ORDER BY n',
  'SELECT * EXCEPT (k) REPLACE (v * 2 AS v) FROM s CROSS JOIN UNNEST(l) AS u(x) WHERE x BETWEEN 1 AND 3 LIMIT 5 OFFSET 1',
  'WITH c AS (SELECT DISTINCT k, CASE WHEN v > 1 THEN st.b ELSE k END AS w FROM s) SELECT k FROM c UNION ALL SELECT w FROM c',
  "INSERT INTO 'file:x' SELECT MAX(n) AS m FROM (SELECT COUNT(*) AS n, window_end FROM s WINDOW TUMBLING(5m) ALLOW LATENESS 1s) GROUP BY TUMBLE(_event_time, 1h) EMIT FINAL",
  'SELECT a, b, d FROM w WHERE d IS NOT NULL AND a + 1 > 3 ORDER BY ts',
  'SELECT a, MIN(d) OVER (PARTITION BY b) FROM w',
  "SELECT user, COUNT(DISTINCT page) AS n FROM 'memory://clicks' GROUP BY user EMIT CHANGES",
  'SELECT window_start, window_end, AVG(v) FROM TUMBLE(s, ts, 10s) GROUP BY window_start, window_end',
  "SELECT q.st.b AS x, COALESCE(q.v, 0) FROM (SELECT st, v, k FROM s WHERE v / c > 1) q WHERE q.k LIKE 'a%' OR NOT q.v > 2",
]

/** Compiles; anything but a diagnostic with a hint is a fault of the compiler. */
async function compiles(text: string): Promise<boolean> {
  try {
    const { plan } = await compile({ ...base, text })
    checkPlan(plan.outputs)
    await explainScript({ ...base, text, stage: 'streaming', format: 'json' })
    return true
  } catch (error) {
    if (!(error instanceof HeadraceErrors)) throw new Error(`failed on: ${text}`, { cause: error })
    for (const fault of error.errors) {
      expect(fault.code, text).not.toBe('internal_assertion')
      expect(fault.hint, renderError(fault)).not.toBe(undefined)
    }
    return false
  }
}

test('whatever the script, there is a plan or a diagnostic', async () => {
  const seed = 20260214
  console.log(`seed ${seed}`)
  const random = new Random(seed)
  for (const text of seeds.filter((text) => !text.includes('OVER'))) expect(await compiles(prelude + text)).toBe(true)
  const split = (text: string) => lex(text).tokens.map((token) => text.slice(token.span.start, token.span.end))
  const words = seeds.flatMap(split)
  let planned = 0
  for (let round = 0; round < 1000; round++) {
    const own = split(random.pick(seeds))
    for (let edits = 1 + random.below(3); edits > 0; edits--) {
      const at = random.below(own.length)
      const word = random.pick(words)
      if (random.chance(0.6)) own[at] = word
      else own.splice(at, random.below(2), ...(random.chance(0.5) ? [word] : []))
    }
    if (await compiles(prelude + own.join(' '))) planned++
  }
  expect(planned).toBeGreaterThan(50)
})
