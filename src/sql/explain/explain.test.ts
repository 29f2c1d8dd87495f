import { expect, test } from 'vitest'
import { compile, explainScript } from '../compile.ts'
import { stage } from '../fixtures/stages.ts'
import { testCatalogue } from '../fixtures/test-catalogue.ts'

const text = `SELECT user, COUNT(*) AS n FROM 'memory://clicks' GROUP BY user, TUMBLE(ts, 1m)`
const base = { text, file: 'a.sql', catalogue: testCatalogue } as const

test('tokens', async () => {
  expect(await stage('tokens', "SELECT a -- b\nFROM 'x'")).toMatchInlineSnapshot(`
    "   0  word       "SELECT"
       7  word       "a"
      14  word       "FROM"
      19  string     string 'x'"
  `)
})

test('ast', async () => {
  expect(await stage('ast', text)).toMatchInlineSnapshot(`
    "statement
      body: select-statement
        query: query
          body: select
            items[0]: item
              expr: column parts=[user]
            items[1]: item alias=n
              expr: call star=true name=COUNT
            from[0]: from-uri uri="memory://clicks"
            groupBy[0]: column parts=[user]
            groupBy[1]: call name=TUMBLE
              args[0]: column parts=[ts]
              args[1]: literal type="INTERVAL" value={months: 0, days: 0, micros: 60000000}"
  `)
})

test('bound', async () => {
  expect(await stage('bound', text)).toMatchInlineSnapshot(`
    "project user, count AS n, window_time AS _event_time
      : user STRING, n BIGINT NOT NULL
      aggregate keys=[user] window=tumble(ts, 1m) aggregates=[COUNT(*)]
        : user STRING, window_start TIMESTAMP NOT NULL, window_end TIMESTAMP NOT NULL, window_time TIMESTAMP NOT NULL, count BIGINT NOT NULL
        watermark ts delay=5s
          : page STRING, user STRING, ts TIMESTAMP
          source memory://clicks
            : page STRING, user STRING, ts TIMESTAMP"
  `)
})

test('plan as written', async () => {
  expect(await stage('plan', text)).toMatchInlineSnapshot(`
    "output client
      project user, n
        project user, count AS n, window_time AS _event_time
          aggregate keys=[user] window=tumble(ts, 1m) aggregates=[COUNT(*)] emit=close
            watermark ts delay=5s
              source memory://clicks columns=[page, user, ts, _offset, _partition, _timestamp, _source]"
  `)
})

test('every stage as JSON', async () => {
  for (const name of ['tokens', 'ast', 'bound', 'plan', 'optimized', 'streaming'] as const) {
    const json = await explainScript({ ...base, stage: name, format: 'json' })
    expect(JSON.parse(json), name).toBeInstanceOf(Array)
  }
  const [output] = JSON.parse(await explainScript({ ...base, stage: 'streaming', format: 'json' }))
  expect(output.root).toMatchObject({ kind: 'project', changes: 'append', bounded: false, key: [] })
})

test('EXPLAIN in a script prints and runs nothing', async () => {
  const { plan } = await compile({
    ...base,
    text: `EXPLAIN FORMAT json ${text}; EXPLAIN tokens SELECT 1; EXPLAIN bound ${text}`,
  })
  expect(plan.outputs).toEqual([])
  expect(plan.texts).toHaveLength(3)
  expect(JSON.parse(plan.texts[0]!)[0].targets).toEqual(['client'])
  expect(plan.texts[1]).toBe('   0  word       "SELECT"\n   7  number     "1"')
})

test('ids follow from the meaning of a node: an edit elsewhere leaves them', async () => {
  const ids = async (more: string) => {
    const { plan } = await compile({ ...base, text: `${more}${text}` })
    return plan.outputs.at(-1)!.root.id
  }
  expect(await ids('')).toBe(await ids("SELECT page FROM 'memory://clicks';\n"))
  const { plan } = await compile({ ...base, text: text.replace('1m', '2m') })
  expect(plan.outputs[0]!.root.id).not.toBe(await ids(''))
})
