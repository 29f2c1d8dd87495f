import { expect, test } from 'vitest'
import { stage } from '../fixtures/stages.ts'

const s = `CREATE STREAM s (k STRING, ts TIMESTAMP, v BIGINT, WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) FROM 'memory://s';
`
const streaming = (query: string) => stage('streaming', s + query)

test('windowed results are append, keep their key and hold the watermark back by the lateness', async () => {
  expect(
    await streaming(
      'SELECT k, COUNT(*) AS n, window_start, window_end FROM s GROUP BY k, TUMBLE(ts, 10s) ALLOW LATENESS 5s',
    ),
  ).toMatchInlineSnapshot(`
    "output client key=[k, window_start, window_end]
      project k, count AS n, window_start, window_end
        : unbounded append key=[k, window_start, window_end] hold=5s
        aggregate keys=[k] window=tumble(ts, 10s) aggregates=[COUNT(*)] emit=close lateness=5s
          : unbounded append key=[k, window_start, window_end] time=window_time hold=5s
          : state a row per (k) and open window, freed when the watermark passes window_end + 5s
          watermark ts delay=2s
            : unbounded append time=ts
            source memory://s columns=[k, ts]
              : unbounded append"
  `)
})

test('holds add up over stacked windows', async () => {
  expect(
    await streaming(`WITH m AS (SELECT k, COUNT(*) AS n FROM s GROUP BY k, TUMBLE(ts, 10s) ALLOW LATENESS 5s)
      SELECT window_end, SUM(n) AS n FROM m WINDOW TUMBLING(1m) ALLOW LATENESS 20s`),
  ).toMatchInlineSnapshot(`
    "output client key=[window_end]
      project window_end, sum AS n
        : unbounded append key=[window_end] hold=25s
        aggregate keys=[] window=tumble(_event_time, 1m) aggregates=[SUM(n)] emit=close lateness=20s
          : unbounded append key=[window_start, window_end] time=window_time hold=25s
          : state one row and open window, freed when the watermark passes window_end + 20s
          project count AS n, window_time AS _event_time
            : unbounded append time=_event_time hold=5s
            aggregate keys=[k] window=tumble(ts, 10s) aggregates=[COUNT(*)] emit=close lateness=5s
              : unbounded append key=[k, window_start, window_end] time=window_time hold=5s
              : state a row per (k) and open window, freed when the watermark passes window_end + 5s
              watermark ts delay=2s
                : unbounded append time=ts
                source memory://s columns=[k, ts]
                  : unbounded append"
  `)
})

test('a grouping without a window is an upsert while its key is kept, else a retraction', async () => {
  expect(await streaming('SELECT k, COUNT(*) AS n FROM s GROUP BY k')).toMatchInlineSnapshot(`
    "output client key=[k]
      project k, count AS n
        : unbounded upsert key=[k]
        aggregate keys=[k] aggregates=[COUNT(*)] emit=changes
          : unbounded upsert key=[k]
          : state a row per (k), grows with the keys
          watermark ts delay=2s
            : unbounded append time=ts
            source memory://s columns=[k, ts]
              : unbounded append"
  `)
  expect(await streaming('SELECT n FROM (SELECT k, COUNT(*) AS n FROM s GROUP BY k)')).toMatchInlineSnapshot(`
    "output client
      project count AS n
        : unbounded retract
        aggregate keys=[k] aggregates=[COUNT(*)] emit=changes
          : unbounded upsert key=[k]
          : state a row per (k), grows with the keys
          watermark ts delay=2s
            : unbounded append time=ts
            source memory://s columns=[k, ts]
              : unbounded append"
  `)
  expect(await streaming('SELECT COUNT(*) AS n FROM s')).toMatchInlineSnapshot(`
    "output client
      project count AS n
        : unbounded retract
        aggregate keys=[] aggregates=[COUNT(*)] emit=changes
          : unbounded retract
          : state one row
          watermark ts delay=2s
            : unbounded append time=ts
            source memory://s columns=[ts]
              : unbounded append"
  `)
})

test('bounded input gives its groups once at the end, and at once with EMIT CHANGES', async () => {
  expect(await streaming("SELECT x, COUNT(*) AS n FROM 'file:///xy.csv' GROUP BY x")).toMatchInlineSnapshot(`
    "output client key=[x]
      project x, count AS n
        : bounded append key=[x]
        aggregate keys=[x] aggregates=[COUNT(*)] emit=end
          : bounded append key=[x]
          : state a row per (x)
          source file:///xy.csv columns=[x]
            : bounded append"
  `)
  expect(
    await streaming(
      "SELECT n, COUNT(*) AS m FROM (SELECT COUNT(*) AS n FROM 'file:///xy.csv' GROUP BY x) GROUP BY n EMIT CHANGES",
    ),
  ).toMatchInlineSnapshot(`
    "output client key=[n]
      project n, count AS m
        : bounded upsert key=[n]
        aggregate keys=[n] aggregates=[COUNT(*)] emit=changes
          : bounded upsert key=[n]
          : state a row per (n)
          project count AS n
            : bounded retract
            aggregate keys=[x] aggregates=[COUNT(*)] emit=changes
              : bounded upsert key=[x]
              : state a row per (x)
              source file:///xy.csv columns=[x]
                : bounded append"
  `)
})

test('EMIT of a derived stream is its own affair', async () => {
  expect(
    await streaming(
      "CREATE STREAM g AS SELECT x, COUNT(*) AS n FROM 'file:///xy.csv' GROUP BY x; SELECT * FROM g EMIT CHANGES",
    ),
  ).toMatchInlineSnapshot(`
    "output client key=[x]
      project x, count AS n
        : bounded append key=[x]
        aggregate keys=[x] aggregates=[COUNT(*)] emit=end
          : bounded append key=[x]
          : state a row per (x)
          source file:///xy.csv columns=[x]
            : bounded append"
  `)
})

test('EMIT ON UPDATE leaves old images out', async () => {
  expect(await streaming('SELECT k, COUNT(*) AS n FROM s GROUP BY k EMIT ON UPDATE')).toMatchInlineSnapshot(`
    "output client key=[k] without old images
      project k, count AS n
        : unbounded upsert key=[k]
        aggregate keys=[k] aggregates=[COUNT(*)] emit=changes
          : unbounded upsert key=[k]
          : state a row per (k), grows with the keys
          watermark ts delay=2s
            : unbounded append time=ts
            source memory://s columns=[k, ts]
              : unbounded append"
  `)
})

test('unions take the least: bounded, changelog kind, event time', async () => {
  expect(await streaming('SELECT k, ts FROM s UNION ALL SELECT k, ts FROM s WHERE v > 1')).toMatchInlineSnapshot(`
    "output client
      union
        : unbounded append time=ts
        project k, ts
          : unbounded append time=ts
          (3) watermark ts delay=2s
            : unbounded append time=ts
            source memory://s columns=[k, ts, v]
              : unbounded append
        project k, ts
          : unbounded append time=ts
          filter (v > 1)
            : unbounded append time=ts
            same as (3) watermark"
  `)
  expect(await streaming('SELECT v FROM s UNION ALL SELECT COUNT(*) FROM s')).toMatchInlineSnapshot(`
    "output client
      union
        : unbounded retract
        project v
          : unbounded append
          (3) watermark ts delay=2s
            : unbounded append time=ts
            source memory://s columns=[ts, v]
              : unbounded append
        aggregate keys=[] aggregates=[COUNT(*)] emit=changes
          : unbounded retract
          : state one row
          same as (3) watermark"
  `)
})

test('an aggregate that depends on the order of rows is marked unless ORDER BY fixes it', async () => {
  expect(await streaming("SELECT k, STRING_AGG(k, '|') AS a FROM s GROUP BY k, TUMBLE(ts, 1m)")).toContain(
    'order_sensitive',
  )
  expect(
    await streaming("SELECT k, STRING_AGG(k, '|' ORDER BY v) AS a FROM s GROUP BY k, TUMBLE(ts, 1m)"),
  ).not.toContain('order_sensitive')
})

test('a marked key wins over the grouping', async () => {
  expect(await streaming('SELECT k, UPPER(k) AS u PRIMARY KEY FROM s')).toMatchInlineSnapshot(`
    "output client key=[u]
      project k, UPPER(k) AS u
        : unbounded append
        watermark ts delay=2s
          : unbounded append time=ts
          source memory://s columns=[k, ts]
            : unbounded append"
  `)
})

test('_EVENT_TIME gives the result of a grouping a time again', async () => {
  expect(
    await streaming(`CREATE STREAM last AS SELECT k, MAX(ts) AS _EVENT_TIME, COUNT(*) AS n FROM s GROUP BY k;
      SELECT SUM(n) AS n FROM last GROUP BY TUMBLE(_event_time, 1m)`),
  ).toMatchInlineSnapshot(`
    "output client
      project sum AS n
        : unbounded append
        aggregate keys=[] window=tumble(_EVENT_TIME, 1m) aggregates=[SUM(n)] emit=close
          : unbounded append key=[window_start, window_end] time=window_time
          : state one row and open window, freed when the watermark passes window_end
          watermark _EVENT_TIME delay=5s
            : unbounded retract time=_EVENT_TIME
            project max AS _EVENT_TIME, count AS n
              : unbounded retract
              aggregate keys=[k] aggregates=[MAX(ts), COUNT(*)] emit=changes
                : unbounded upsert key=[k]
                : state a row per (k), grows with the keys
                watermark ts delay=2s
                  : unbounded append time=ts
                  source memory://s columns=[k, ts]
                    : unbounded append"
  `)
})
