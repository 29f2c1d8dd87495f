import { expect, test } from 'vitest'
import { stage } from '../fixtures/stages.ts'

const s = `CREATE STREAM s (k STRING, small SMALLINT, i INT, b BIGINT, d DOUBLE, m DECIMAL(10,2), f BOOLEAN, day DATE, ts TIMESTAMP,
  z TIMESTAMPTZ, iv INTERVAL, st STRUCT<a INT, n STRUCT<x STRING>>, arr ARRAY<INT>, mp MAP<STRING, BIGINT>, j JSON, bin BYTES,
  WATERMARK FOR ts AS ts) FROM 'memory://s';
`

/** The expression as bound and its type, NOT NULL where it can never be NULL. */
async function bound(...expressions: readonly string[]): Promise<string> {
  const lines: string[] = []
  for (const expression of expressions) {
    const text = await stage('bound', `${s}SELECT ${expression} AS r FROM s`)
    const [project = '', columns = ''] = text.split('\n')
    const shown = project
      .replace(/^project /, '')
      .replace(/ AS r, ts AS _event_time$/, '')
      .replace(/^r, .*/, 'r')
    lines.push(`${expression}  →  ${shown}  ${columns.replace('  : r ', '')}`)
  }
  return lines.join('\n')
}

test('literals', async () => {
  expect(
    await bound(
      '42',
      '0xFF',
      '1_000',
      '9223372036854775807',
      '-9223372036854775808',
      '9223372036854775808',
      '1.50',
      '0.908',
      '-.5',
      '1e3',
      "'it''s'",
      "X'0AFF'",
      'TRUE',
      'NULL',
      "DATE '2026-01-31'",
      "TIMESTAMP '2026-01-31 10:00:00.5'",
      "TIMESTAMP WITH TIME ZONE '2026-01-31T10:00:00+02:00'",
      "INTERVAL '5' MINUTE",
      'INTERVAL 5 MINUTES',
      "INTERVAL '1 day 02:30:00'",
      "INTERVAL '1h30m'",
      "INTERVAL '-2 weeks 3 months'",
      "INTERVAL 'P1DT2H'",
      'ARRAY[1, 2]',
      '[1, 2.5]',
      "MAP['k', 1]",
      "(1, 'a')",
      "STRUCT(1 AS a, 'x' AS b)",
    ),
  ).toMatchInlineSnapshot(`
    "42  →  42  BIGINT NOT NULL
    0xFF  →  255  BIGINT NOT NULL
    1_000  →  1000  BIGINT NOT NULL
    9223372036854775807  →  9223372036854775807  BIGINT NOT NULL
    -9223372036854775808  →  -9223372036854775808  BIGINT NOT NULL
    9223372036854775808  →  9223372036854775808  DECIMAL(38,0) NOT NULL
    1.50  →  1.50  DECIMAL(3,2) NOT NULL
    0.908  →  0.908  DECIMAL(3,3) NOT NULL
    -.5  →  -0.5  DECIMAL(1,1) NOT NULL
    1e3  →  1000  DOUBLE NOT NULL
    'it''s'  →  'it''s'  STRING NOT NULL
    X'0AFF'  →  X'0aff'  BYTES NOT NULL
    TRUE  →  TRUE  BOOLEAN NOT NULL
    NULL  →  NULL  STRING
    DATE '2026-01-31'  →  DATE '2026-01-31'  DATE NOT NULL
    TIMESTAMP '2026-01-31 10:00:00.5'  →  TIMESTAMP '2026-01-31 10:00:00.5'  TIMESTAMP NOT NULL
    TIMESTAMP WITH TIME ZONE '2026-01-31T10:00:00+02:00'  →  TIMESTAMPTZ '2026-01-31 08:00:00+00'  TIMESTAMP WITH TIME ZONE NOT NULL
    INTERVAL '5' MINUTE  →  INTERVAL '5m'  INTERVAL NOT NULL
    INTERVAL 5 MINUTES  →  INTERVAL '5m'  INTERVAL NOT NULL
    INTERVAL '1 day 02:30:00'  →  INTERVAL '1d2h30m'  INTERVAL NOT NULL
    INTERVAL '1h30m'  →  INTERVAL '1h30m'  INTERVAL NOT NULL
    INTERVAL '-2 weeks 3 months'  →  INTERVAL '3month-14d'  INTERVAL NOT NULL
    INTERVAL 'P1DT2H'  →  INTERVAL '1d2h'  INTERVAL NOT NULL
    ARRAY[1, 2]  →  [1, 2]  ARRAY<BIGINT> NOT NULL
    [1, 2.5]  →  [1.0, 2.5]  ARRAY<DECIMAL(20,1)> NOT NULL
    MAP['k', 1]  →  MAP['k', 1]  MAP<STRING, BIGINT> NOT NULL
    (1, 'a')  →  (1, 'a')  STRUCT<f1 BIGINT, f2 STRING> NOT NULL
    STRUCT(1 AS a, 'x' AS b)  →  (1, 'x')  STRUCT<a BIGINT, b STRING> NOT NULL"
  `)
})

test('arithmetic and precedence', async () => {
  expect(
    await bound(
      'i + 1',
      'small + i',
      'i / small',
      'b * m',
      '0.908 * b',
      'm / 3',
      'm + d',
      '-i',
      '1 + 2 * 3 - 4 % 3',
      '-i * 2',
      "k || 'x' || NULL",
      'i + b || k',
      'ts - ts',
      "ts + INTERVAL '1' DAY",
      'day - day',
      'day + 1',
      'iv * 2',
      '-d::INT',
    ),
  ).toMatchInlineSnapshot(`
    "i + 1  →  (CAST(i AS BIGINT) + 1)  BIGINT
    small + i  →  (CAST(small AS INT) + i)  INT
    i / small  →  (i / CAST(small AS INT))  INT
    b * m  →  (CAST(b AS DECIMAL(19,0)) * m)  DECIMAL(30,2)
    0.908 * b  →  (0.908 * CAST(b AS DECIMAL(19,0)))  DECIMAL(23,3)
    m / 3  →  (m / 3)  DECIMAL(24,16)
    m + d  →  (CAST(m AS DOUBLE) + d)  DOUBLE
    -i  →  -i  INT
    1 + 2 * 3 - 4 % 3  →  (7 - 1)  BIGINT NOT NULL
    -i * 2  →  (CAST(-i AS BIGINT) * 2)  BIGINT
    k || 'x' || NULL  →  ((k || 'x') || NULL)  STRING
    i + b || k  →  (CAST((CAST(i AS BIGINT) + b) AS STRING) || k)  STRING
    ts - ts  →  (ts - ts)  INTERVAL
    ts + INTERVAL '1' DAY  →  (ts + INTERVAL '1d')  TIMESTAMP
    day - day  →  (day - day)  BIGINT
    day + 1  →  (day + 1)  DATE
    iv * 2  →  (iv * 2)  INTERVAL
    -d::INT  →  -CAST(d AS INT)  INT"
  `)
})

test('comparisons take literals as they are needed', async () => {
  expect(
    await bound(
      'i > 5',
      'i = 5.5',
      'd < 5',
      'd < 1.5',
      'm >= 10',
      "ts > '2026-01-01'",
      "day = '2026-01-01'",
      'day < ts',
      'b IN (1, 2, NULL)',
      "k NOT IN ('a', 'b')",
      'i BETWEEN 1 AND 5',
      'i NOT BETWEEN SYMMETRIC 5 AND 1',
      "k LIKE 'a%'",
      "k NOT ILIKE 'a!_' ESCAPE '!'",
      'i IS DISTINCT FROM NULL',
      'f IS NOT TRUE',
      'f IS UNKNOWN',
      'k IS NOT NULL',
      'NOT f AND i > 1 OR f',
      'f AND f AND NOT f',
    ),
  ).toMatchInlineSnapshot(`
    "i > 5  →  (i > 5)  BOOLEAN
    i = 5.5  →  (CAST(i AS DECIMAL(11,1)) = 5.5)  BOOLEAN
    d < 5  →  (d < 5)  BOOLEAN
    d < 1.5  →  (d < 1.5)  BOOLEAN
    m >= 10  →  (m >= 10.00)  BOOLEAN
    ts > '2026-01-01'  →  (ts > TIMESTAMP '2026-01-01 00:00:00')  BOOLEAN
    day = '2026-01-01'  →  (day = DATE '2026-01-01')  BOOLEAN
    day < ts  →  (CAST(day AS TIMESTAMP) < ts)  BOOLEAN
    b IN (1, 2, NULL)  →  IN(b, 1, 2, NULL)  BOOLEAN
    k NOT IN ('a', 'b')  →  NOT(IN(k, 'a', 'b'))  BOOLEAN
    i BETWEEN 1 AND 5  →  ((i >= 1) AND (i <= 5))  BOOLEAN
    i NOT BETWEEN SYMMETRIC 5 AND 1  →  NOT(BETWEEN SYMMETRIC(CAST(i AS BIGINT), 5, 1))  BOOLEAN
    k LIKE 'a%'  →  (k LIKE 'a%')  BOOLEAN
    k NOT ILIKE 'a!_' ESCAPE '!'  →  NOT(ILIKE(k, 'a!_', '!'))  BOOLEAN
    i IS DISTINCT FROM NULL  →  (i IS DISTINCT FROM NULL)  BOOLEAN NOT NULL
    f IS NOT TRUE  →  NOT(IS TRUE(f))  BOOLEAN NOT NULL
    f IS UNKNOWN  →  f IS NULL  BOOLEAN NOT NULL
    k IS NOT NULL  →  k IS NOT NULL  BOOLEAN NOT NULL
    NOT f AND i > 1 OR f  →  ((NOT(f) AND (i > 1)) OR f)  BOOLEAN
    f AND f AND NOT f  →  (f AND f AND NOT(f))  BOOLEAN"
  `)
})

test('paths', async () => {
  expect(
    await bound(
      'st.a',
      'st.n.x',
      's.st.n.x',
      'arr[1]',
      'arr[-1]',
      "mp['k']",
      'j.a.items[0].sku',
      "j -> 'a' ->> 0",
      "j #> ['a', 'b']",
      'ST.A',
      's.K',
    ),
  ).toMatchInlineSnapshot(`
    "st.a  →  st.a  INT
    st.n.x  →  st.n.x  STRING
    s.st.n.x  →  st.n.x  STRING
    arr[1]  →  SUBSCRIPT(arr, 1)  INT
    arr[-1]  →  SUBSCRIPT(arr, -1)  INT
    mp['k']  →  SUBSCRIPT(mp, 'k')  BIGINT
    j.a.items[0].sku  →  ((((j -> 'a') -> 'items') -> 0) -> 'sku')  JSON
    j -> 'a' ->> 0  →  ((j -> 'a') ->> 0)  STRING
    j #> ['a', 'b']  →  (j #> ['a', 'b'])  JSON
    ST.A  →  st.a  INT
    s.K  →  k  STRING"
  `)
})

test('conditions', async () => {
  expect(
    await bound(
      "CASE WHEN i > 1 THEN 'a' WHEN f THEN k END",
      'CASE i WHEN 1 THEN 1.5 WHEN 2 THEN 2 ELSE b END',
      "COALESCE(k, 'none')",
      'COALESCE(i, 1.5)',
      'NULLIF(i, 0)',
      'IF(f, i, b)',
      'IFNULL(i, 0)',
      'CAST(k AS INT)',
      'TRY_CAST(k AS DECIMAL(5,1))',
      "CAST('12' AS INT)",
      "'2026-01-01'::DATE",
      'CAST(i AS STRING)',
      'TYPEOF(m)',
      'NOW()',
      'CURRENT_TIMESTAMP',
      'PROCTIME()',
      'CURRENT_DATE',
      'EVENT_TIME()',
      '_event_time',
      '_offset',
      '_topic',
    ),
  ).toMatchInlineSnapshot(`
    "CASE WHEN i > 1 THEN 'a' WHEN f THEN k END  →  CASE WHEN (i > 1) THEN 'a' WHEN f THEN k END  STRING
    CASE i WHEN 1 THEN 1.5 WHEN 2 THEN 2 ELSE b END  →  CASE WHEN (i = 1) THEN 1.5 WHEN (i = 2) THEN 2.0 ELSE CAST(b AS DECIMAL(20,1)) END  DECIMAL(20,1)
    COALESCE(k, 'none')  →  COALESCE(k, 'none')  STRING NOT NULL
    COALESCE(i, 1.5)  →  COALESCE(CAST(i AS DECIMAL(11,1)), 1.5)  DECIMAL(11,1) NOT NULL
    NULLIF(i, 0)  →  CASE WHEN (i = 0) THEN NULL ELSE i END  INT
    IF(f, i, b)  →  CASE WHEN f THEN CAST(i AS BIGINT) ELSE b END  BIGINT
    IFNULL(i, 0)  →  COALESCE(CAST(i AS BIGINT), 0)  BIGINT NOT NULL
    CAST(k AS INT)  →  CAST(k AS INT)  INT
    TRY_CAST(k AS DECIMAL(5,1))  →  TRY_CAST(k AS DECIMAL(5,1))  DECIMAL(5,1)
    CAST('12' AS INT)  →  12  INT NOT NULL
    '2026-01-01'::DATE  →  DATE '2026-01-01'  DATE NOT NULL
    CAST(i AS STRING)  →  CAST(i AS STRING)  STRING
    TYPEOF(m)  →  'DECIMAL(10,2)'  STRING NOT NULL
    NOW()  →  NOW()  TIMESTAMP WITH TIME ZONE NOT NULL
    CURRENT_TIMESTAMP  →  NOW()  TIMESTAMP WITH TIME ZONE NOT NULL
    PROCTIME()  →  PROCTIME()  TIMESTAMP NOT NULL
    CURRENT_DATE  →  CURRENT_DATE()  DATE NOT NULL
    EVENT_TIME()  →  ts AS r  TIMESTAMP
    _event_time  →  ts AS r  TIMESTAMP
    _offset  →  _offset  BIGINT
    _topic  →  NULL  STRING"
  `)
})

test('aggregates', async () => {
  expect(
    await bound(
      'COUNT(*)',
      'COUNT(DISTINCT k)',
      'COUNT_IF(f)',
      'SUM(i)',
      'SUM(b)',
      'SUM(m)',
      'AVG(b)',
      'MIN(k)',
      'SUM(b) FILTER (WHERE i > 1)',
      "STRING_AGG(k, '|' ORDER BY b DESC, k)",
      'PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY b)',
      'MODE() WITHIN GROUP (ORDER BY k)',
      'MEDIAN(i)',
      'FIRST(k)',
      'MAX(b) - MIN(b) + COUNT(*)',
    ),
  ).toMatchInlineSnapshot(`
    "COUNT(*)  →  count AS r  BIGINT NOT NULL
    COUNT(DISTINCT k)  →  count AS r  BIGINT NOT NULL
    COUNT_IF(f)  →  count_if AS r  BIGINT NOT NULL
    SUM(i)  →  sum AS r  BIGINT
    SUM(b)  →  sum AS r  DECIMAL(38,0)
    SUM(m)  →  sum AS r  DECIMAL(38,2)
    AVG(b)  →  avg AS r  DECIMAL(38,16)
    MIN(k)  →  min AS r  STRING
    SUM(b) FILTER (WHERE i > 1)  →  sum AS r  DECIMAL(38,0)
    STRING_AGG(k, '|' ORDER BY b DESC, k)  →  string_agg AS r  STRING
    PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY b)  →  percentile_cont AS r  DOUBLE
    MODE() WITHIN GROUP (ORDER BY k)  →  mode AS r  STRING
    MEDIAN(i)  →  median AS r  DOUBLE
    FIRST(k)  →  first AS r  STRING
    MAX(b) - MIN(b) + COUNT(*)  →  ((max - min) + count) AS r  BIGINT"
  `)
})

test('special spellings are plain calls', async () => {
  expect(
    await bound(
      'EXTRACT(HOUR FROM ts)',
      "POSITION('a' IN k)",
      'SUBSTRING(k FROM 2 FOR 3)',
      "TRIM(BOTH 'x' FROM k)",
      'TRIM(LEADING FROM k)',
      'FLOOR(ts TO HOUR)',
      'TIMESTAMPDIFF(DAY, ts, ts)',
      'DATE_BIN(15m, ts)',
      "JSON_VALUE(j, '$.a' RETURNING INT)",
      "JSON_OBJECT('a' VALUE i)",
      'LEFT(k, 2)',
      'j IS JSON',
      "k ~* 'a.b'",
      'TIMESTAMP()',
      'ABS(-3)',
    ),
  ).toMatchInlineSnapshot(`
    "EXTRACT(HOUR FROM ts)  →  EXTRACT('HOUR', ts)  BIGINT
    POSITION('a' IN k)  →  POSITION('a', k)  INT
    SUBSTRING(k FROM 2 FOR 3)  →  SUBSTRING(k, 2, 3)  STRING
    TRIM(BOTH 'x' FROM k)  →  TRIM(k, 'x')  STRING
    TRIM(LEADING FROM k)  →  LTRIM(k)  STRING
    FLOOR(ts TO HOUR)  →  FLOOR(ts, 'HOUR')  TIMESTAMP
    TIMESTAMPDIFF(DAY, ts, ts)  →  DATEDIFF('DAY', ts, ts)  BIGINT
    DATE_BIN(15m, ts)  →  DATE_BIN(INTERVAL '15m', ts)  TIMESTAMP
    JSON_VALUE(j, '$.a' RETURNING INT)  →  CAST(JSON_VALUE(j, '$.a') AS INT)  INT
    JSON_OBJECT('a' VALUE i)  →  JSON_OBJECT('a', i)  JSON NOT NULL
    LEFT(k, 2)  →  LEFT(k, 2)  STRING
    j IS JSON  →  IS JSON(j)  BOOLEAN
    k ~* 'a.b'  →  REGEXP_LIKE(k, 'a.b', 'i')  BOOLEAN
    TIMESTAMP()  →  PROCTIME()  TIMESTAMP NOT NULL
    ABS(-3)  →  ABS(-3)  BIGINT NOT NULL"
  `)
})
