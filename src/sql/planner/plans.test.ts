import { expect, test } from 'vitest'
import { stage } from '../fixtures/stages.ts'

const optimized = (text: string) => stage('optimized', text)

const s = `CREATE STREAM s (k STRING, ts TIMESTAMP, v BIGINT, w INT, WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) FROM 'memory://s';
`

test('a filter, a grouping by window and key, and its condition', async () => {
  expect(
    await optimized(`${s}INSERT INTO 'file:out.jsonl'
      SELECT window_start, k, COUNT(*) AS n, SUM(v) total FROM s WHERE v > 3
      GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND) HAVING COUNT(*) > 1`),
  ).toMatchInlineSnapshot(`
    "output file:out.jsonl key=[k, window_start]
      project window_start, k, count AS n, sum AS total
        filter (count > 1)
          aggregate keys=[k] window=tumble(ts, 10s) aggregates=[COUNT(*), SUM(v)] emit=close
            filter (v > 3)
              watermark ts delay=2s
                source memory://s columns=[k, ts, v]"
  `)
})

test('all spellings of a tumbling window give one plan', async () => {
  const plans = await Promise.all(
    [
      `SELECT window_start, window_end, COUNT(*) AS n FROM s GROUP BY TUMBLE(ts, 10s)`,
      `SELECT TUMBLE_START() AS window_start, TUMBLE_END(ts, 10s) AS window_end, COUNT(*) AS n FROM s GROUP BY TUMBLE(ts, INTERVAL '10' SECOND)`,
      `SELECT window_start, window_end, COUNT(*) AS n FROM s WINDOW TUMBLING(10s)`,
      `SELECT window_start, window_end, COUNT(*) AS n FROM s WINDOW TUMBLING(ts, 10s)`,
      `SELECT window_start, window_end, COUNT(*) AS n FROM s WINDOW TUMBLING(SIZE 10 SECONDS) EMIT FINAL`,
      `SELECT _window_start AS window_start, _window_end AS window_end, COUNT(*) AS n FROM s GROUP BY TUMBLE(ts, 10s) EMIT ON WINDOW CLOSE`,
    ].map((query) => optimized(s + query)),
  )
  expect(new Set(plans).size).toBe(1)
  expect(plans[0]).toMatchInlineSnapshot(`
    "output client key=[window_start, window_end]
      project window_start, window_end, count AS n
        aggregate keys=[] window=tumble(ts, 10s) aggregates=[COUNT(*)] emit=close
          watermark ts delay=2s
            source memory://s columns=[ts]"
  `)
})

test('table forms of a window', async () => {
  const grouped = 'window_start, window_end, COUNT(*) AS n FROM'
  const short = await optimized(`${s}SELECT ${grouped} TUMBLE(s, ts, 10s) GROUP BY window_start, window_end`)
  const long = await optimized(
    `${s}SELECT ${grouped} TABLE(TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end`,
  )
  expect(long).toBe(short)
  expect(short).toMatchInlineSnapshot(`
    "output client key=[window_start, window_end]
      project window_start, window_end, count AS n
        aggregate keys=[] window=tumble(window_start, 10s) aggregates=[COUNT(*)] emit=close
          project TUMBLE_START(ts, INTERVAL '10s', INTERVAL '0s') AS window_start
            watermark ts delay=2s
              source memory://s columns=[ts]"
  `)
  expect(await optimized(`${s}SELECT *, w.window_end FROM TUMBLE(s, ts, 10s, 2s) AS w`)).toMatchInlineSnapshot(`
    "output client
      project k, ts, v, w, window_start, window_end, window_time, window_end
        project k, ts, v, w, TUMBLE_START(ts, INTERVAL '10s', INTERVAL '2s') AS window_start, TUMBLE_END(ts, INTERVAL '10s', INTERVAL '2s') AS window_end, TUMBLE_TIME(ts, INTERVAL '10s', INTERVAL '2s') AS window_time
          watermark ts delay=2s
            source memory://s columns=[k, ts, v, w]"
  `)
})

test('windows stack, and a grouping by the window of a grouping nests', async () => {
  expect(
    await optimized(`${s}CREATE STREAM m AS SELECT k, COUNT(*) AS n FROM s GROUP BY k, TUMBLE(ts, 10s);
      SELECT window_start, MAX(n) AS top FROM m GROUP BY TUMBLE(_event_time, 1m)`),
  ).toMatchInlineSnapshot(`
    "output client key=[window_start]
      project window_start, max AS top
        aggregate keys=[] window=tumble(_event_time, 1m) aggregates=[MAX(n)] emit=close
          project count AS n, window_time AS _event_time
            aggregate keys=[k] window=tumble(ts, 10s) aggregates=[COUNT(*)] emit=close
              watermark ts delay=2s
                source memory://s columns=[k, ts]"
  `)
  expect(
    await optimized(`${s}WITH c AS (SELECT k, COUNT(*) AS n, window_start, window_end FROM s GROUP BY k, TUMBLE(ts, 10s))
      SELECT MAX(n) AS top, window_start, window_end FROM c GROUP BY window_start, window_end`),
  ).toMatchInlineSnapshot(`
    "output client key=[window_start, window_end]
      project max AS top, window_start, window_end
        aggregate keys=[] window=tumble(window_start, 10s) aggregates=[MAX(n)] emit=close
          project count AS n, window_start
            aggregate keys=[k] window=tumble(ts, 10s) aggregates=[COUNT(*)] emit=close
              watermark ts delay=2s
                source memory://s columns=[k, ts]"
  `)
})

test('processing time', async () => {
  expect(
    await optimized(`SELECT user, COUNT(*) FROM 'memory://clicks' GROUP BY user, TUMBLE(PROCTIME(), 10s)`),
  ).toMatchInlineSnapshot(`
    "output client
      project user, count
        aggregate keys=[user] window=tumble(PROCTIME(), 10s) aggregates=[COUNT(*)] emit=close
          source memory://clicks columns=[user]"
  `)
})

test('lateness and late rows: the late target gets the visible columns', async () => {
  expect(
    await optimized(
      `${s}SELECT window_start, COUNT(*) AS n FROM s WINDOW TUMBLING(10s) EMIT FINAL ALLOW LATENESS 5s LATE DATA TO 'memory://late'`,
    ),
  ).toMatchInlineSnapshot(`
    "output client key=[window_start]
      project window_start, count AS n
        aggregate keys=[] window=tumble(ts, 10s) aggregates=[COUNT(*)] emit=close lateness=5s late=memory://late
          watermark ts delay=2s
            source memory://s columns=[k, ts, v, w]"
  `)
})

test('a window makes the column it uses the event time of a source that declares none', async () => {
  expect(await optimized(`SELECT COUNT(*) FROM 'memory://clicks' GROUP BY TUMBLE(ts, 10s)`)).toMatchInlineSnapshot(`
    "output client
      project count
        aggregate keys=[] window=tumble(ts, 10s) aggregates=[COUNT(*)] emit=close
          watermark ts delay=5s
            source memory://clicks columns=[ts]"
  `)
  expect(
    await optimized(`SELECT k, SUM(amount) FROM 'memory://raw' GROUP BY k, TUMBLE(at, 10s)`),
  ).toMatchInlineSnapshot(`
    "output client
      project k, sum
        aggregate keys=[k] window=tumble(at, 10s) aggregates=[SUM(amount)] emit=close
          watermark at delay=5s
            source memory://raw columns=[k, at, amount]"
  `)
  expect(await optimized(`SELECT COUNT(*) FROM 'memory://clicks' WINDOW TUMBLING(10s)`)).toMatchInlineSnapshot(`
    "output client
      project count
        aggregate keys=[] window=tumble(_timestamp, 10s) aggregates=[COUNT(*)] emit=close
          watermark _timestamp delay=5s
            source memory://clicks columns=[_timestamp]"
  `)
})

test('a derived stream, a view and a sink are one graph', async () => {
  expect(
    await optimized(`${s}CREATE STREAM big AS SELECT k, v FROM s WHERE v > 100;
      CREATE VIEW bigger AS SELECT * FROM big WHERE v > 200;
      CREATE SINK out INTO 'file:out.jsonl' WITH (format = 'jsonl');
      INSERT INTO out SELECT k FROM bigger;
      SELECT k, v FROM big INTO 'file:a.jsonl', 'file:b.jsonl';
      CREATE SINK all_of_it FROM big INTO 'memory://all'`),
  ).toMatchInlineSnapshot(`
    "output out
      project k
        filter (v > 200)
          (3) filter (v > 100)
            watermark ts delay=2s
              source memory://s columns=[k, ts, v]
    output file:a.jsonl, file:b.jsonl
      project k, v
        same as (3) filter
    output memory://all
      project k, v
        same as (3) filter"
  `)
})

test('INSERT names the columns', async () => {
  expect(await optimized(`${s}INSERT INTO 'file:x' (a, b) SELECT k, v FROM s`)).toMatchInlineSnapshot(`
    "output file:x
      project k AS a, v AS b
        watermark ts delay=2s
          source memory://s columns=[k, ts, v]"
  `)
})

test('UNION ALL keeps the event time of its branches', async () => {
  expect(
    await optimized(
      `${s}SELECT COUNT(*) AS n FROM (SELECT k FROM s UNION ALL SELECT k FROM s WHERE v > 1) u WINDOW TUMBLING(10s)`,
    ),
  ).toMatchInlineSnapshot(`
    "output client
      project count AS n
        aggregate keys=[] window=tumble(_event_time, 10s) aggregates=[COUNT(*)] emit=close
          union
            project ts AS _event_time
              (5) watermark ts delay=2s
                source memory://s columns=[ts, v]
            project ts AS _event_time
              filter (v > 1)
                same as (5) watermark"
  `)
})

test('a grouping by the window columns of a union needs one window in all branches', async () => {
  const branch = (size: string) => `SELECT COUNT(*) AS n, window_start, window_end FROM s GROUP BY TUMBLE(ts, ${size})`
  const plan = (size: string) =>
    optimized(
      `${s}SELECT window_start, SUM(n) AS n FROM (${branch('10s')} UNION ALL ${branch(size)}) u GROUP BY window_start`,
    )
  expect(await plan('10s')).toContain('window=tumble(window_start, 10s) aggregates=[SUM(n)] emit=close')
  expect(await plan('20s')).toContain('keys=[window_start] aggregates=[SUM(n)] emit=changes')
})

test('aliases: later items, GROUP BY, HAVING and ORDER BY; a source column wins but in ORDER BY', async () => {
  expect(
    await optimized(
      `SELECT x * 2 AS d, d + 1 AS e, COUNT(*) AS n FROM 'file:///xy.csv' GROUP BY d HAVING n > 1 ORDER BY n DESC, e`,
    ),
  ).toMatchInlineSnapshot(`
    "output client key=[d]
      sort by n DESC, e mode=end
        project key1 AS d, (key1 + 1) AS e, count AS n
          filter (count > 1)
            aggregate keys=[(x * 2)] aggregates=[COUNT(*)] emit=end
              source file:///xy.csv columns=[x]"
  `)
  expect(await optimized(`SELECT x AS y, y + 1 AS z FROM 'file:///xy.csv' ORDER BY y`)).toMatchInlineSnapshot(`
    "output client
      sort by y mode=end
        project x AS y, (y + 1) AS z
          source file:///xy.csv columns=[x, y]"
  `)
  expect(await optimized(`SELECT y, SUM(x) AS x FROM 'file:///xy.csv' GROUP BY 1 ORDER BY 2`)).toMatchInlineSnapshot(`
    "output client key=[y]
      sort by x mode=end
        project y, sum AS x
          aggregate keys=[y] aggregates=[SUM(x)] emit=end
            source file:///xy.csv columns=[x, y]"
  `)
})

test('stars with EXCEPT and REPLACE', async () => {
  expect(await optimized(`${s}SELECT * EXCEPT (w) REPLACE (v * 2 AS v), s.k AS again FROM s`)).toMatchInlineSnapshot(`
    "output client
      project k, ts, (v * 2) AS v, k AS again
        watermark ts delay=2s
          source memory://s columns=[k, ts, v]"
  `)
})

test('system columns and headers of a source are read when they are named', async () => {
  expect(
    await optimized(`SELECT x, _offset, _source, _topic FROM 'file:///xy.csv' WHERE _partition = 0`),
  ).toMatchInlineSnapshot(`
    "output client
      project x, _offset, _source, NULL AS _topic
        filter (_partition = 0)
          source file:///xy.csv columns=[x, _offset, _partition, _source]"
  `)
})

test('the columns of a derived stream: names and types; its event time goes along', async () => {
  expect(
    await optimized(`${s}CREATE STREAM d (key STRING, value DOUBLE) AS SELECT k, v FROM s;
      SELECT key, SUM(value) AS t FROM d GROUP BY key, TUMBLE(_event_time, 10s)`),
  ).toMatchInlineSnapshot(`
    "output client
      project key, sum AS t
        aggregate keys=[key] window=tumble(_event_time, 10s) aggregates=[SUM(value)] emit=close
          project k AS key, CAST(v AS DOUBLE) AS value, ts AS _event_time
            watermark ts delay=2s
              source memory://s columns=[k, ts, v]"
  `)
})

test('a derived stream that nothing reads goes to the client', async () => {
  expect(await optimized(`${s}CREATE STREAM big AS SELECT k FROM s`)).toMatchInlineSnapshot(`
    "output client
      project k
        watermark ts delay=2s
          source memory://s columns=[k, ts]"
  `)
})

test('columns of a declared stream: computed, default, metadata, checks', async () => {
  expect(
    await stage(
      'plan',
      `CREATE STREAM c (id BIGINT NOT NULL, qty INT DEFAULT 1, price DOUBLE, total DOUBLE AS price * qty, again AS total + 1,
        at TIMESTAMP METADATA FROM '_timestamp', _offset BIGINT METADATA, CHECK (qty > 0), WATERMARK FOR at) FROM 'memory://c';
      SELECT * FROM c`,
    ),
  ).toMatchInlineSnapshot(`
    "output client
      project id, qty, price, total, again, at, _offset
        watermark at delay=5s
          check CHECK (qty > 0)
            project id, COALESCE(qty, 1) AS qty, price, (price * CAST(COALESCE(qty, 1) AS DOUBLE)) AS total, ((price * CAST(COALESCE(qty, 1) AS DOUBLE)) + 1) AS again, _timestamp AS at, _offset, _offset, _partition, _timestamp, _source
              source memory://c columns=[id NOT NULL, qty, price, _offset, _partition, _timestamp, _source]"
  `)
})

test('CTEs that are read twice are computed once', async () => {
  expect(
    await optimized(
      `${s}WITH c AS (SELECT k, v * 2 AS d FROM s) SELECT k FROM c UNION ALL SELECT CAST(d AS STRING) FROM c`,
    ),
  ).toMatchInlineSnapshot(`
    "output client
      union
        project k
          (3) watermark ts delay=2s
            source memory://s columns=[k, ts, v]
        project CAST(d AS STRING) AS d
          project (v * 2) AS d
            same as (3) watermark"
  `)
})

test('set operations, DISTINCT, VALUES', async () => {
  expect(
    await optimized(`SELECT 1 AS a, 'x' AS b UNION SELECT 2.5, NULL ORDER BY a DESC LIMIT 1`),
  ).toMatchInlineSnapshot(`
    "output client key=[a, b]
      sort by a DESC mode=end limit=1
        distinct
          union
            project 1.0 AS a, 'x' AS b
              values rows=1 ()
            project 2.5 AS a, NULL AS b
              values rows=1 ()"
  `)
  expect(await optimized(`SELECT DISTINCT user FROM 'memory://clicks'`)).toMatchInlineSnapshot(`
    "output client key=[user]
      distinct
        source memory://clicks columns=[user]"
  `)
  expect(
    await optimized(`SELECT DISTINCT n FROM (SELECT COUNT(*) AS n FROM 'memory://clicks' GROUP BY user)`),
  ).toMatchInlineSnapshot(`
    "output client key=[n]
      aggregate keys=[n] aggregates=[] emit=changes
        project count AS n
          aggregate keys=[user] aggregates=[COUNT(*)] emit=changes
            source memory://clicks columns=[user]"
  `)
  expect(await optimized(`VALUES (1, 'a'), (2, 'b') LIMIT 1 OFFSET 1`)).toMatchInlineSnapshot(`
    "output client
      limit limit=1 offset=1
        values rows=2 (1, 'a') (2, 'b')"
  `)
})

test('UNNEST in all forms', async () => {
  expect(
    await optimized(
      `SELECT o.id, i.sku, i.total / i.qty AS unit FROM 'file:///in.jsonl' o CROSS JOIN UNNEST(o.items) AS i`,
    ),
  ).toMatchInlineSnapshot(`
    "output client
      project id, sku, (total / qty) AS unit
        unnest items spread
          source file:///in.jsonl columns=[id, items]"
  `)
  expect(
    await optimized(
      `SELECT id, e.sku, n FROM 'file:///in.jsonl' LEFT JOIN UNNEST(items) WITH ORDINALITY AS u(e, n) ON TRUE WHERE id > 1`,
    ),
  ).toMatchInlineSnapshot(`
    "output client
      project id, e.sku AS sku, n
        unnest items ordinality outer
          filter (id > 1)
            source file:///in.jsonl columns=[id, items]"
  `)
  expect(await optimized(`SELECT key, value FROM 'file:///orders.jsonl', UNNEST(tags)`)).toMatchInlineSnapshot(`
    "output client
      project key, value
        unnest tags
          source file:///orders.jsonl columns=[tags]"
  `)
  expect(await optimized(`SELECT t.x FROM UNNEST([1, 2]) AS t(x)`)).toMatchInlineSnapshot(`
    "output client
      unnest [1, 2]
        values rows=1 ()"
  `)
})

test('ORDER BY: at the end, by event time, per window, as Top-N', async () => {
  expect(await optimized(`SELECT x FROM 'file:///xy.csv' ORDER BY y DESC, 1 LIMIT 3`)).toMatchInlineSnapshot(`
    "output client
      project x
        sort by _order2 DESC, x mode=end limit=3
          project x, y AS _order2
            source file:///xy.csv columns=[x, y]"
  `)
  expect(await optimized(`${s}SELECT k FROM s ORDER BY ts`)).toMatchInlineSnapshot(`
    "output client
      project k
        sort by _order2 mode=event-time
          project k, ts AS _order2
            watermark ts delay=2s
              source memory://s columns=[k, ts]"
  `)
  expect(
    await optimized(`${s}SELECT k, COUNT(*) AS n FROM s GROUP BY k, TUMBLE(ts, 10s) ORDER BY n DESC EMIT FINAL`),
  ).toMatchInlineSnapshot(`
    "output client
      sort by n DESC mode=window
        project k, count AS n
          aggregate keys=[k] window=tumble(ts, 10s) aggregates=[COUNT(*)] emit=close
            watermark ts delay=2s
              source memory://s columns=[k, ts]"
  `)
  expect(await optimized(`${s}SELECT k FROM s ORDER BY ts LIMIT 3`)).toMatchInlineSnapshot(`
    "output client
      project k
        limit limit=3
          sort by _order2 mode=event-time
            project k, ts AS _order2
              watermark ts delay=2s
                source memory://s columns=[k, ts]"
  `)
  expect(await optimized(`${s}SELECT k, v FROM s ORDER BY v DESC LIMIT 2`)).toMatchInlineSnapshot(`
    "output client
      sort by v DESC mode=top limit=2
        project k, v
          watermark ts delay=2s
            source memory://s columns=[k, ts, v]"
  `)
})

test('the benchmark queries that run', async () => {
  const { readFileSync } = await import('node:fs')
  const text = readFileSync(new URL('../fixtures/nexmark.sql', import.meta.url), 'utf8')
  const prelude = text.slice(0, text.indexOf('CREATE LOOKUP'))
  const query = (n: number) => text.slice(text.indexOf(`/*q${n}*/`) + 7).split(/;/)[0]!
  expect(await optimized(`${prelude}${query(0)}`)).toMatchInlineSnapshot(`
    "output client
      project bid.auction AS auction, bid.bidder AS bidder, bid.price AS price, row_time AS dateTime, bid.extra AS extra
        filter (event_type = 2)
          watermark row_time delay=4s
            project event_type, bid.auction, bid.bidder, bid.price, bid.extra, COALESCE(person.dateTime, auction.dateTime, bid.dateTime) AS row_time
              source nexmark://events?events=100000&rate=1000 columns=[event_type, person.dateTime, auction.dateTime, bid.auction, bid.bidder, bid.price, bid.dateTime, bid.extra]"
  `)
  expect(await optimized(`${prelude}INSERT INTO 'blackhole:' ${query(12)}`)).toMatchInlineSnapshot(`
    "output blackhole: key=[bidder, window_start, window_end]
      project bidder, count AS bid_count, window_start, window_end
        aggregate keys=[bidder] window=tumble(PROCTIME(), 10s) aggregates=[COUNT(*)] emit=close
          project bid.bidder AS bidder
            filter (event_type = 2)
              watermark row_time delay=4s
                project event_type, bid.bidder, COALESCE(person.dateTime, auction.dateTime, bid.dateTime) AS row_time
                  source nexmark://events?events=100000&rate=1000 columns=[event_type, person.dateTime, auction.dateTime, bid.bidder, bid.dateTime]"
  `)
})
