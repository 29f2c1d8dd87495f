import { expect, test } from 'vitest'
import { stage } from '../fixtures/stages.ts'

const s = `CREATE STREAM s (k STRING, v BIGINT, w BIGINT, st STRUCT<a INT, n STRUCT<x STRING, y INT>>, arr ARRAY<BIGINT>, req STRING NOT NULL)
  FROM 'file:///s.jsonl';
`
const optimized = (query: string) => stage('optimized', s + query)

test('a source reads the columns that are needed, and NOT NULL ones', async () => {
  expect(await optimized('SELECT k FROM s')).toMatchInlineSnapshot(`
    "output client
      project k
        source file:///s.jsonl columns=[k, req NOT NULL]"
  `)
  expect(await optimized('SELECT COUNT(*) FROM s')).toMatchInlineSnapshot(`
    "output client
      aggregate keys=[] aggregates=[COUNT(*)] emit=end
        source file:///s.jsonl columns=[req NOT NULL]"
  `)
})

test('of a STRUCT only the fields are read, through projections, filters and sorts', async () => {
  expect(
    await optimized('SELECT q.st.n.x AS x FROM (SELECT st, v FROM s WHERE st.a > 1) q ORDER BY v'),
  ).toMatchInlineSnapshot(`
    "output client
      project x
        sort by _order2 mode=end
          project st.n.x AS x, v AS _order2
            filter (st.a > 1)
              source file:///s.jsonl columns=[v, st.a, st.n.x, req NOT NULL]"
  `)
  expect(await optimized('SELECT st.n, st.n.x AS x FROM s')).toMatchInlineSnapshot(`
    "output client
      project st.n AS n, st.n.x AS x
        source file:///s.jsonl columns=[st.n, req NOT NULL]"
  `)
  expect(await optimized('SELECT st.a, st IS NULL AS none FROM s')).toMatchInlineSnapshot(`
    "output client
      project st.a AS a, st IS NULL AS none
        source file:///s.jsonl columns=[st, req NOT NULL]"
  `)
})

test('two readers share one scan of what both need', async () => {
  expect(
    await optimized(
      "INSERT INTO 'file:a' SELECT st.a FROM s; INSERT INTO 'file:b' SELECT st.n.y, k FROM s WHERE v > 1",
    ),
  ).toMatchInlineSnapshot(`
    "output file:a
      project st.a AS a
        (2) source file:///s.jsonl columns=[k, v, st.a, st.n.y, req NOT NULL]
    output file:b
      project st.n.y AS y, k
        filter (v > 1)
          same as (2) source"
  `)
})

test('a filter moves below a projection that cannot fail', async () => {
  expect(
    await optimized('SELECT * FROM (SELECT k, COALESCE(v, 0) AS v0, w FROM s) q WHERE w > 1 AND k IS NOT NULL'),
  ).toMatchInlineSnapshot(`
    "output client
      project k, COALESCE(v, 0) AS v0, w
        filter ((w > 1) AND k IS NOT NULL)
          source file:///s.jsonl columns=[k, v, w, req NOT NULL]"
  `)
})

test('no filter moves past an expression that can fail', async () => {
  expect(await optimized('SELECT * FROM (SELECT k, v / w AS r, w FROM s) q WHERE w > 0')).toMatchInlineSnapshot(`
    "output client
      filter (w > 0)
        project k, (v / w) AS r, w
          source file:///s.jsonl columns=[k, v, w, req NOT NULL]"
  `)
  expect(
    await optimized('SELECT k FROM (SELECT * FROM s WHERE v / w > 1) q WHERE k IS NOT NULL'),
  ).toMatchInlineSnapshot(`
    "output client
      project k
        filter k IS NOT NULL
          filter ((v / w) > 1)
            source file:///s.jsonl columns=[k, v, w, req NOT NULL]"
  `)
})

test('a filter moves below UNION ALL, UNNEST and the keys of a grouping', async () => {
  expect(
    await optimized('SELECT * FROM (SELECT k, v FROM s UNION ALL SELECT k, w FROM s) u WHERE v > 1'),
  ).toMatchInlineSnapshot(`
    "output client
      union
        project k, v
          filter (v > 1)
            (4) source file:///s.jsonl columns=[k, v, w, req NOT NULL]
        project k, w
          filter (w > 1)
            same as (4) source"
  `)
  expect(await optimized('SELECT k, x FROM s, UNNEST(arr) AS t(x) WHERE v > 1')).toMatchInlineSnapshot(`
    "output client
      project k, x
        unnest arr
          filter (v > 1)
            source file:///s.jsonl columns=[k, v, arr, req NOT NULL]"
  `)
  expect(await optimized('SELECT k, x FROM s, UNNEST(arr) AS t(x) WHERE x > 1')).toMatchInlineSnapshot(`
    "output client
      project k, x
        filter (x > 1)
          unnest arr
            source file:///s.jsonl columns=[k, arr, req NOT NULL]"
  `)
  expect(
    await optimized("SELECT * FROM (SELECT k, MIN(v) AS n FROM s GROUP BY k) q WHERE k <> 'a'"),
  ).toMatchInlineSnapshot(`
    "output client key=[k]
      project k, min AS n
        aggregate keys=[k] aggregates=[MIN(v)] emit=end
          filter (k <> 'a')
            source file:///s.jsonl columns=[k, v, req NOT NULL]"
  `)
  expect(
    await optimized('SELECT * FROM (SELECT k, MIN(v) AS n FROM s GROUP BY k) q WHERE n > 1'),
  ).toMatchInlineSnapshot(`
    "output client key=[k]
      project k, min AS n
        filter (min > 1)
          aggregate keys=[k] aggregates=[MIN(v)] emit=end
            source file:///s.jsonl columns=[k, v, req NOT NULL]"
  `)
})

test('a filter stays above a watermark: the rows it drops move the watermark too', async () => {
  expect(
    await stage(
      'optimized',
      `CREATE STREAM t (k STRING, ts TIMESTAMP, WATERMARK FOR ts) FROM 'memory://t'; SELECT k FROM t WHERE k = 'a'`,
    ),
  ).toMatchInlineSnapshot(`
    "output client
      project k
        filter (k = 'a')
          watermark ts delay=5s
            source memory://t columns=[k, ts]"
  `)
})

test('constants are computed once, and what can fail is left for the row', async () => {
  expect(await optimized('SELECT 1 + 2 AS a, v + 2 * 3 AS b FROM s WHERE TRUE AND 1 < 2')).toMatchInlineSnapshot(`
    "output client
      project 3 AS a, (v + 6) AS b
        source file:///s.jsonl columns=[v, req NOT NULL]"
  `)
  expect(await optimized('SELECT v FROM s WHERE v / w > 1 OR TRUE')).toMatchInlineSnapshot(`
    "output client
      project v
        filter (((v / w) > 1) OR TRUE)
          source file:///s.jsonl columns=[v, w, req NOT NULL]"
  `)
  expect(
    await optimized(
      'SELECT 1 / 0 AS a, CASE WHEN FALSE THEN 1 / 0 ELSE v END AS b FROM s WHERE v > 1 OR TRUE OR w > 1',
    ),
  ).toMatchInlineSnapshot(`
    "output client
      project (1 / 0) AS a, v AS b
        source file:///s.jsonl columns=[v, req NOT NULL]"
  `)
})
