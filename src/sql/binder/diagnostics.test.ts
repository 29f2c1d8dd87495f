import { expect, test } from 'vitest'
import { codes, faults } from '../fixtures/stages.ts'

const s = `CREATE STREAM s (k STRING, ts TIMESTAMP, v BIGINT, d DATE, st STRUCT<a INT, b STRING>, WATERMARK FOR ts AS ts) FROM 'memory://s';
`

/** One line per fault of queries over the stream above. */
const lines = async (...queries: readonly string[]) => (await codes(`${s}${queries.join(';\n')}`)).split('\n')

test('a misspelt column is shown with its place, a near name and a list', async () => {
  expect(await faults(`SELECT pge, COUNT(*) FROM 'memory://clicks' GROUP BY pge`)).toMatchInlineSnapshot(`
    "error[sql_column_not_found]: column "pge" does not exist in 'memory://clicks'
      --> a.sql:1:8
     1 | SELECT pge, COUNT(*) FROM 'memory://clicks' GROUP BY pge
       |        ^^^
    hint: did you mean "page"? 'memory://clicks' has page, user, ts"
  `)
  expect(await faults(`CREATE STREAM clicks FROM 'memory://clicks';\nSELECT pge FROM clicks`)).toMatchInlineSnapshot(`
    "error[sql_column_not_found]: column "pge" does not exist in stream "clicks"
      --> a.sql:2:8
     2 | SELECT pge FROM clicks
       |        ^^^
    hint: did you mean "page"? "clicks" has page, user, ts"
  `)
})

test('names', async () => {
  expect(
    await lines(
      'SELECT x FROM strem',
      'SELECT x FROM nexmark',
      "SELECT x FROM 'nowhere://x'",
      'SELECT COUNTT(v) FROM s',
      'SELECT LEVENSHTEIN(k, k) FROM s',
      'SELECT st.c FROM s',
      'SELECT k.a FROM s',
      'SELECT v[1] FROM s',
      "SELECT l.id FROM 'file:///in.jsonl' l, UNNEST([1]) AS u(id) WHERE id > 1",
      'SELECT * EXCEPT (zz) FROM s',
      'SELECT nn.* FROM s',
      'SELECT k FROM s ORDER BY 3',
      'SELECT k, v FROM s GROUP BY 9',
    ),
  ).toMatchInlineSnapshot(`
    [
      "sql_source_not_found at strem: stream, table or view "strem" does not exist (make it: CREATE STREAM strem FROM 'uri', or read a file: FROM 'strem.jsonl')",
      "sql_source_not_found at nexmark: stream, table or view "nexmark" does not exist (write it as a URI: 'nexmark:…')",
      "sql_schema_unknown at 'nowhere://x': the columns of "nowhere://x" are not known (declare the columns)",
      "sql_function_not_found at COUNTT: function "COUNTT" does not exist (did you mean "COUNT"?)",
      "sql_feature_unsupported at LEVENSHTEIN: the function LEVENSHTEIN is not supported by this version (leave it out; the README lists what this version runs)",
      "sql_field_not_found at c: field "c" does not exist in "st" (did you mean "a" or "b"? "st" has a, b)",
      "sql_type_mismatch at a: "k" is STRING and has no fields (only STRUCT and JSON values have fields)",
      "sql_type_mismatch at v[1]: "v" is BIGINT and has no elements (only ARRAY, MAP and JSON values have elements)",
      "sql_ambiguous_column at id: column "id" fits 2 columns (qualify it: l.id or u.id)",
      "sql_field_not_found at zz: field "zz" does not exist in "*" ("*" has k, ts, v, d, st)",
      "sql_column_not_found at nn: column "nn" does not exist in stream "s" ("s" has k, ts, v, d, st)",
      "sql_column_not_found at 3: ORDER BY 3: the SELECT list has 1 column (write a number from 1 to 1, or the name of a column)",
      "sql_column_not_found at 9: GROUP BY 9: the SELECT list has 2 columns (write a number from 1 to 2, or the name of a column)",
    ]
  `)
  expect(
    await lines(
      'SELECT *',
      'SELECT a',
      'SELECT xyz FROM (SELECT k FROM s) q',
      'CREATE STREAM dup AS SELECT k, v AS k FROM s',
      "SELECT k, v AS k FROM s INTO 'file:x'",
      'SELECT :p',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the dialect
      "SELECT x FROM 'file:${NOPE}/x'",
    ),
  ).toMatchInlineSnapshot(`
    [
      "sql_column_not_found at *: "*" needs a FROM clause (add FROM s, or FROM 'uri')",
      "sql_column_not_found at a: column "a" does not exist; there is no FROM (add a FROM clause, or quote text as 'text')",
      "sql_column_not_found at xyz: column "xyz" does not exist in "q" ("q" has k)",
      "sql_duplicate_column at SELECT k, v AS k FROM s: two output columns are named "k" (give one of them another name: k AS k_2)",
      "sql_duplicate_column at SELECT k, v AS k FROM s INTO 'file:x': two output columns are named "k" (give one of them another name: k AS k_2)",
      "sql_parameter_unbound at :p: parameter "p" has no value (bind it where the script is started: --param p=value)",
      "sql_env_missing at 'file:\${NOPE}/x': variable "NOPE" has no value (set it: NOPE=… headrace run …, or give a default: \${NOPE:-value})",
    ]
  `)
})

test('two spellings of a name', async () => {
  expect(
    await codes(`CREATE STREAM c (Price INT, price INT, N INT) FROM 'memory://c'; SELECT PRICE, n, Price FROM c`),
  ).toMatchInlineSnapshot(
    `"sql_ambiguous_column at PRICE: column "PRICE" fits 2 columns (quote the exact spelling: "Price" or "price")"`,
  )
})

test('types', async () => {
  expect(
    await lines(
      'SELECT k + 1 FROM s',
      'SELECT k > 1 FROM s',
      "SELECT v = 'abc' FROM s",
      "SELECT ts > 'yesterday' FROM s",
      'SELECT v FROM s WHERE v',
      'SELECT CASE WHEN v > 1 THEN k ELSE v END FROM s',
      'SELECT COALESCE(k, v) FROM s',
      'SELECT v IN (1, k) FROM s',
      'SELECT v LIKE 1 FROM s',
      'SELECT SUM(k) FROM s GROUP BY v',
      'SELECT COALESCE() FROM s',
      'SELECT CAST(d AS BIGINT) FROM s',
      'SELECT STRING_AGG(k, k) FROM s GROUP BY v',
      'SELECT k FROM s UNION ALL SELECT v FROM s',
      'SELECT k FROM s UNION ALL SELECT k, v FROM s',
      'VALUES (1), (1, 2)',
      "SELECT k FROM s LIMIT 'x'",
      'SELECT x FROM s, UNNEST(v) AS t(x)',
    ),
  ).toMatchInlineSnapshot(`
    [
      "sql_type_mismatch at k + 1: STRING + BIGINT has no meaning (write CAST(k AS BIGINT))",
      "sql_type_mismatch at k > 1: STRING > BIGINT has no meaning (write CAST(k AS BIGINT))",
      "sql_invalid_literal at 'abc': 'abc' is no valid BIGINT (write a number without quotes, or CAST another value AS BIGINT)",
      "sql_invalid_literal at 'yesterday': 'yesterday' is no valid TIMESTAMP (write '2026-01-31 10:00:00')",
      "sql_type_mismatch at v: a condition is wanted, but "v" is BIGINT (compare it, as in v <> 0, or write CAST(v AS BOOLEAN))",
      "sql_no_common_type at v: STRING and BIGINT have no common type (write CAST(v AS STRING))",
      "sql_no_common_type at v: STRING and BIGINT have no common type (write CAST(v AS STRING))",
      "sql_no_common_type at k: BIGINT and STRING have no common type (write CAST(k AS BIGINT))",
      "sql_type_mismatch at v LIKE 1: LIKE compares strings, but "v" is BIGINT (write CAST(v AS STRING))",
      "sql_argument_mismatch at SUM(k): SUM does not accept (STRING) (accepted: SUM(num); SUM(INTERVAL))",
      "sql_argument_mismatch at COALESCE(): COALESCE takes 1 or more arguments, not 0 (accepted: COALESCE(any, …))",
      "sql_type_mismatch at CAST(d AS BIGINT): DATE cannot be cast to BIGINT (cast over STRING or JSON, or take a field or an element first)",
      "sql_argument_mismatch at k: this argument of STRING_AGG must be a constant (accepted: STRING_AGG(x, sep [ORDER BY …]); STRING_AGG(x))",
      "sql_no_common_type at v: STRING and BIGINT have no common type (write CAST(v AS STRING))",
      "sql_no_common_type at SELECT k, v FROM s: this branch has 2 columns, the first has 1 (select the same number of columns in every branch)",
      "sql_no_common_type at (1, 2): this row has 2 values, the first has 1 (give every row the same number of values)",
      "sql_type_mismatch at 'x': LIMIT takes a whole number that is not negative (write LIMIT 10)",
      "sql_type_mismatch at v: UNNEST takes an ARRAY, a MAP or JSON, not BIGINT (name a column that holds a list)",
    ]
  `)
})

test('constant patterns and paths', async () => {
  expect(
    await lines(
      "SELECT k ~ 'a(' FROM s",
      "SELECT REGEXP_EXTRACT(k, '(a+)+b', 1) FROM s",
      "SELECT REGEXP_REPLACE(k, 'a', 'b', 'q') FROM s",
      "SELECT JSON_VALUE(k, '$.a[x]') FROM s",
    ),
  ).toMatchInlineSnapshot(`
    [
      "sql_regex_invalid at 'a(': regular expression: Unterminated group (correct the pattern; the syntax is that of ECMAScript with the flag u)",
      "sql_regex_unsafe at +: regular expression: nested unbounded repetition can take exponential time (rewrite the pattern without it, or SET unsafe_regex = true)",
      "sql_regex_invalid at 'a': regular expression: unknown flag "q" (correct the pattern; the syntax is that of ECMAScript with the flag u)",
      "sql_json_path_invalid at [: JSON path: a step such as .name, ['name'], [0] or [*] is expected (write $.a.b[0], $['x y'] or $.items[*].sku)",
    ]
  `)
  expect(await codes("SET unsafe_regex = true; SELECT page ~ '(a+)+b' FROM 'memory://clicks'")).toBe('')
})

test('grouping and aggregates', async () => {
  expect(
    await lines(
      'SELECT k, v, COUNT(*) FROM s GROUP BY k',
      'SELECT k FROM s WHERE COUNT(*) > 1',
      'SELECT SUM(COUNT(*)) FROM s',
      'SELECT COUNT(*) FROM s GROUP BY COUNT(*)',
      'SELECT ROW_NUMBER() OVER (ORDER BY ts) FROM s',
      'SELECT UPPER(DISTINCT k) FROM s',
    ),
  ).toMatchInlineSnapshot(`
    [
      "sql_column_not_grouped at v: column "v" is neither grouped nor aggregated (add it to GROUP BY, or take FIRST(v))",
      "sql_aggregate_misplaced at COUNT(*): the aggregate COUNT may not stand in WHERE (use HAVING, or aggregate in a subquery)",
      "sql_aggregate_misplaced at COUNT(*): the aggregate COUNT may not stand in an aggregate (aggregate in a subquery first)",
      "sql_aggregate_misplaced at COUNT(*): the aggregate COUNT may not stand in GROUP BY (aggregate in a subquery first)",
      "sql_feature_unsupported at ROW_NUMBER() OVER (ORDER BY ts): OVER is not supported by this version (GROUP BY a window instead)",
      "sql_argument_mismatch at UPPER(DISTINCT k): UPPER is not an aggregate (DISTINCT, FILTER, ORDER BY and * belong to aggregates)",
    ]
  `)
})

test('windows and emission', async () => {
  expect(
    await lines(
      "SELECT COUNT(*) FROM 'memory://raw' GROUP BY TUMBLE(amount, 10s)",
      'SELECT COUNT(*) FROM (SELECT k FROM (VALUES (1)) AS t(k)) WINDOW TUMBLING(10s)',
      'SELECT COUNT(*) FROM s GROUP BY TUMBLE(d, 10s)',
      'SELECT COUNT(*) FROM s GROUP BY TUMBLE(ts, 10s), TUMBLE(ts, 20s)',
      'SELECT COUNT(*) FROM s GROUP BY TUMBLE(ts, 0s)',
      'SELECT COUNT(*) FROM s GROUP BY TUMBLE(ts, v)',
      "SELECT COUNT(*) FROM s GROUP BY TUMBLE(ts, INTERVAL '1' MONTH)",
      'SELECT COUNT(*) FROM s GROUP BY TUMBLE(ts)',
      'SELECT COUNT(*) FROM s GROUP BY HOP(ts, 1s, 2s)',
      'SELECT TUMBLE_START(ts, 10s) FROM s',
    ),
  ).toMatchInlineSnapshot(`
    [
      "sql_type_mismatch at amount: the time of a window must be a TIMESTAMP, but "amount" is DOUBLE (declare the column as TIMESTAMP, or add a computed column: t AS CAST(amount AS TIMESTAMP))",
      "sql_window_needs_time at TUMBLING(10s): the window has no event time: its input declares none (add WATERMARK FOR c to the CREATE STREAM, or the option event_time = 'c')",
      "sql_time_column_mismatch at d: the window uses "d", but the event time is "ts" (use the declared column: "ts")",
      "sql_window_mismatch at TUMBLE(ts, 20s): one GROUP BY holds two windows (stack the windows: group the result of one query in another)",
      "sql_window_size_invalid at 0s: "0s" is no positive constant length of time (write 5m or INTERVAL '5' MINUTE)",
      "sql_window_size_invalid at v: "v" is no positive constant length of time (write 5m or INTERVAL '5' MINUTE)",
      "sql_feature_unsupported at INTERVAL '1' MONTH: a window of calendar months is not supported by this version (write a size in days)",
      "sql_window_size_invalid at TUMBLE(ts): TUMBLE takes a time column and a size (write TUMBLE(ts, 5m))",
      "sql_feature_unsupported at HOP(ts, 1s, 2s): the window HOP is not supported by this version (use TUMBLE)",
      "sql_window_mismatch at TUMBLE_START(ts, 10s): TUMBLE_START stands where there is no window (write GROUP BY TUMBLE(ts, 5m), then TUMBLE_START() in the SELECT list)",
    ]
  `)
  expect(
    await lines(
      'SELECT k, COUNT(*) FROM s GROUP BY k EMIT FINAL',
      'SELECT k FROM s EMIT FINAL',
      'SELECT k, COUNT(*) FROM s GROUP BY k EMIT ON WINDOW CLOSE',
      'SELECT k FROM s EMIT ON WINDOW CLOSE',
      'SELECT COUNT(*) FROM s EMIT ON UPDATE',
      'SELECT k FROM s ALLOW LATENESS 5s',
      "SELECT k, COUNT(*) FROM s GROUP BY k LATE DATA TO 'memory://l'",
      'SELECT COUNT(*) FROM s GROUP BY TUMBLE(PROCTIME(), 10s) ALLOW LATENESS 1s',
      'SELECT k FROM s ORDER BY v',
      'SELECT COUNT(*) FROM s WINDOW TUMBLING(10s) EMIT EVERY 5s',
      'SELECT k, COUNT(*), NOW() FROM s GROUP BY k',
      'SELECT APPROX_COUNT_DISTINCT(n) FROM (SELECT COUNT(*) AS n FROM s GROUP BY k) EMIT CHANGES',
    ),
  ).toMatchInlineSnapshot(`
    [
      "sql_emit_final_unbounded at EMIT FINAL: EMIT FINAL would never emit: GROUP BY k has no window and its input never ends (add a window, or write EMIT CHANGES)",
      "sql_emit_final_unbounded at EMIT FINAL: EMIT FINAL would never emit: there is no window and the input never ends (add a window, or write EMIT CHANGES)",
      "sql_emit_needs_window at EMIT ON WINDOW CLOSE: EMIT ON WINDOW CLOSE stands where there is no window (add a window: GROUP BY TUMBLE(ts, 5m))",
      "sql_emit_needs_window at EMIT ON WINDOW CLOSE: the EMIT clause stands where there is no window (add a window: GROUP BY TUMBLE(ts, 5m))",
      "sql_sink_needs_key at EMIT ON UPDATE: EMIT ON UPDATE needs a key, but the result has none (mark the key: SELECT c PRIMARY KEY, or GROUP BY a column)",
      "sql_late_clause_unused at ALLOW LATENESS 5s: nothing can be late here: there is no window over event time (remove the clause, or add a window over an event-time column)",
      "sql_late_clause_unused at LATE DATA TO 'memory://l': nothing can be late here: there is no window over event time (remove the clause, or add a window over an event-time column)",
      "sql_late_clause_unused at ALLOW LATENESS 1s: nothing can be late here: there is no window over event time (remove the clause, or add a window over an event-time column)",
      "sql_order_by_unbounded at v: ORDER BY would never emit: its input never ends (add LIMIT, or order by the event time)",
      "sql_feature_unsupported at EMIT EVERY 5s: EMIT EVERY is not supported by this version (leave it out; the README lists what this version runs)",
      "sql_feature_unsupported at NOW(): NOW() over rows that are revised is not supported by this version (add a window with EMIT FINAL below it)",
      "sql_state_grows at k: GROUP BY k keeps a row for every key of an input that never ends (group by a window: its groups are forgotten when it closes)",
      "sql_aggregate_not_retractable at APPROX_COUNT_DISTINCT(n): APPROX_COUNT_DISTINCT cannot take rows back, but its input revises rows (use the exact aggregate, or EMIT FINAL in the query below)",
      "sql_state_grows at k: GROUP BY k keeps a row for every key of an input that never ends (group by a window: its groups are forgotten when it closes)",
    ]
  `)
})

test('sinks', async () => {
  expect(
    await lines(
      "INSERT INTO 'file:out.jsonl' SELECT k, COUNT(*) AS n FROM s GROUP BY k",
      "INSERT INTO 'file:out.jsonl' SELECT COUNT(*) AS n FROM s",
      "INSERT INTO 'postgresql:x' SELECT COUNT(*) AS n FROM s",
      "SELECT k, v FROM s ORDER BY v LIMIT 3 INTO 'file:x'",
      "SELECT k, COUNT(*) AS n FROM s GROUP BY k, TUMBLE(ts, 1m) EMIT CHANGES INTO 'file:x'",
      "INSERT INTO 'file:out.jsonl' SELECT k FROM s INTO 'file:other'",
      "SELECT k FROM s INTO 'postgresql:x' WITH (key = ['zz'])",
      "INSERT INTO 'postgresql:x' SELECT k, v PRIMARY KEY, COUNT(*) AS n FROM s GROUP BY k, v",
      "INSERT INTO 'postgresql:x' SELECT k, window_start, window_end, COUNT(*) AS n FROM s GROUP BY k, TUMBLE(ts, 1m) EMIT CHANGES WITH (key = ['k', 'window_end'])",
      "INSERT INTO 'postgresql:x' SELECT k, window_start, COUNT(*) AS n FROM s GROUP BY k, TUMBLE(ts, 1m) EMIT CHANGES WITH (key = ['k'])",
      'INSERT INTO s SELECT k FROM s',
      'INSERT INTO nowhere SELECT k FROM s',
      'INSERT INTO blackhole SELECT k FROM s',
      "INSERT INTO 'file:x' (a) SELECT k, v FROM s",
    ),
  ).toMatchInlineSnapshot(`
    [
      "sql_sink_rejects_updates at 'file:out.jsonl': sink file (jsonl) accepts appends only, but this query revises rows (GROUP BY k without a window) (add a window with EMIT FINAL, or WITH (changelog = 'columns') behind the query of the INSERT, or use an upsert sink such as postgresql)",
      "sql_state_grows at k: GROUP BY k keeps a row for every key of an input that never ends (group by a window: its groups are forgotten when it closes)",
      "sql_sink_rejects_updates at 'file:out.jsonl': sink file (jsonl) accepts appends only, but this query revises rows (an aggregate without a window) (add a window with EMIT FINAL, or WITH (changelog = 'columns') behind the query of the INSERT, or use an upsert sink such as postgresql)",
      "sql_sink_needs_key at 'postgresql:x': sink postgresql (jsonl) writes by key, but the result has none (mark it: SELECT c PRIMARY KEY, or WITH (key = ['c']))",
      "sql_state_grows at v: ORDER BY … LIMIT keeps a row for every key of an input that never ends (group by a window: its groups are forgotten when it closes)",
      "sql_sink_rejects_updates at 'file:x': sink file (jsonl) accepts appends only, but this query revises rows (ORDER BY … LIMIT) (add a window with EMIT FINAL, or WITH (changelog = 'columns'), or use an upsert sink such as postgresql)",
      "sql_sink_rejects_updates at 'file:x': sink file (jsonl) accepts appends only, but this query revises rows (a window with EMIT CHANGES) (add a window with EMIT FINAL, or WITH (changelog = 'columns'), or use an upsert sink such as postgresql)",
      "sql_duplicate_clause at INTO 'file:other': the target is given twice (leave out INTO)",
      "sql_column_not_found at 'postgresql:x': the key column "zz" of the sink is no output column (select it, or name another key; the query gives k)",
      "sql_sink_needs_key at 'postgresql:x': the key of sink postgresql (jsonl) does not hold the key of the result (k, v) (name these columns as key, or more: key = ['k', 'v'])",
      "sql_state_grows at k, v: GROUP BY k, v keeps a row for every key of an input that never ends (group by a window: its groups are forgotten when it closes)",
      "sql_sink_needs_key at 'postgresql:x': the key of sink postgresql (jsonl) does not hold the key of the result (k, window_start) (name these columns as key, or more: key = ['k', 'window_start'])",
      "sql_wrong_object_kind at s: "s" is a stream and takes no rows (write to a sink: CREATE SINK k INTO 'uri', or INSERT INTO 'uri')",
      "sql_source_not_found at nowhere: sink "nowhere" does not exist (make it: CREATE SINK nowhere INTO 'uri', or write INTO 'uri')",
      "sql_source_not_found at blackhole: sink "blackhole" does not exist (write it as a URI: 'blackhole:')",
      "sql_column_not_found at a: the query gives 2 columns, but 1 are named (name every column, or leave out the list)",
    ]
  `)
})

test('what a sink accepts', async () => {
  expect(
    await codes(`${s}
      INSERT INTO 'memory:x' SELECT k, COUNT(*) AS n FROM s GROUP BY k;
      INSERT INTO 'postgresql:x' SELECT k, COUNT(*) AS n FROM s GROUP BY k;
      SELECT k, COUNT(*) AS n FROM s GROUP BY k INTO 'file:x' WITH (changelog = 'columns');
      INSERT INTO 'file:x' SELECT k, COUNT(*) AS n FROM s GROUP BY k, TUMBLE(ts, 1m)`),
  ).toMatchInlineSnapshot(`
    "sql_state_grows at k: GROUP BY k keeps a row for every key of an input that never ends (group by a window: its groups are forgotten when it closes)
    sql_state_grows at k: GROUP BY k keeps a row for every key of an input that never ends (group by a window: its groups are forgotten when it closes)
    sql_state_grows at k: GROUP BY k keeps a row for every key of an input that never ends (group by a window: its groups are forgotten when it closes)"
  `)
})

test('objects, options and annotations', async () => {
  expect(
    await codes(`-- @nmae x
${s}
CREATE STREAM s (a INT) FROM 'memory://x';
CREATE STREAM IF NOT EXISTS s (a INT) FROM 'memory://x';
CREATE VIEW v AS SELECT k FROM s INTO 'file:x';
CREATE SINK k INTO 'file:x';
SELECT * FROM k;
SET stat_ttl = '1h';
SELECT k FROM s WITH (formt = 'json');
CREATE STREAM w (a INT, a STRING) FROM 'memory://x';
CREATE STREAM w2 (a INT PRIMARY KEY) FROM 'memory://x';
CREATE STREAM w3 (a INT, WATERMARK FOR a) FROM 'memory://x';
CREATE STREAM w4 (a INT, b AS zz + 1) FROM 'memory://x';
CREATE STREAM w5 (a INT METADATA FROM 'nope') FROM 'memory://x';
SELECT a FROM w4;
SELECT COUNT(*) FROM s GROUP BY k WITH (state_ttl = '1h');`),
  ).toMatchInlineSnapshot(`
    "sql_annotation_unknown at -- @nmae x: annotation "@nmae" is not known (did you mean "name"?)
    sql_object_exists at s: stream "s" exists (use CREATE OR REPLACE, IF NOT EXISTS, or another name)
    sql_unexpected_token at INTO 'file:x': a view has no INTO (use INSERT INTO)
    sql_wrong_object_kind at k: "k" is a sink and cannot be read (read the stream that feeds it)
    sql_option_unknown at SET stat_ttl = '1h': option "stat_ttl" is not known (did you mean "state_ttl"?)
    sql_option_unused at formt = 'json': option "formt" has no effect here: the rows go to the client (remove it, or write source.formt if the source is meant)
    sql_duplicate_column at a: column "a" is declared twice (give one of them another name)
    sql_feature_unsupported at a: PRIMARY KEY on a stream is not supported by this version (mark the key in the query: SELECT c PRIMARY KEY)
    sql_type_mismatch at a: the event time "a" must be a TIMESTAMP (declare it as TIMESTAMP, or add a computed column: t AS CAST(a AS TIMESTAMP))
    sql_column_not_found at zz: column "zz" does not exist in stream "w4" ("w4" has a)
    sql_schema_unknown at 'memory://x': the columns of "memory://x" are not known (declare the columns)
    sql_feature_unsupported at state_ttl = '1h': the option state_ttl is not supported by this version (group by a window: its groups are forgotten when it closes)"
  `)
})

test('faults of the outside world are placed at the option that they name', async () => {
  expect(
    await codes(`CREATE STREAM c (a INT) FROM 'memory://c' WITH (formt = 'json', idle_timeout = 5s, evnt_time = 'a');
      SELECT a FROM c INTO 'file:x' WITH (sink.formt = 'json', dlq.location = 'file:d')`),
  ).toMatchInlineSnapshot(`
    "connector_option_unknown at formt = 'json': source has no option "formt" (did you mean "format"?)
    connector_option_unknown at evnt_time = 'a': source has no option "evnt_time" (did you mean "event_time"?)"
  `)
})

test('what this version does not run is refused by name', async () => {
  expect(
    await lines(
      'CREATE TABLE t (a INT PRIMARY KEY)',
      'SELECT t.a FROM t',
      'UPDATE s SET k = 1',
      'DROP STREAM s',
      'SHOW STREAMS',
      'START JOB j',
      "CREATE FUNCTION f LANGUAGE typescript FROM './f.ts'",
      'SELECT f(k) FROM s',
      'SELECT a.k FROM s a JOIN s b ON a.k = b.k',
      'SELECT a.k FROM s a, s b',
      'SELECT a.k FROM s a LEFT JOIN s b ON a.k = b.k',
      'SELECT k FROM s WHERE v IN (SELECT v FROM s)',
      'SELECT (SELECT 1)',
      'SELECT k FROM s WHERE EXISTS (SELECT 1)',
      'SELECT k FROM s EXCEPT SELECT k FROM s',
      'SELECT DISTINCT ON (k) k FROM s',
      'SELECT k FROM s QUALIFY ROW_NUMBER() OVER (ORDER BY k) = 1',
      'SELECT COUNT(*) FROM s GROUP BY ALL',
      'WITH RECURSIVE r AS (SELECT 1) SELECT * FROM r',
      'SELECT * FROM JSON_EACH(k)',
      'EXPLAIN ANALYZE SELECT 1',
    ),
  ).toMatchInlineSnapshot(`
    [
      "sql_feature_unsupported at CREATE TABLE t (a INT PRIMARY KEY): CREATE TABLE is not supported by this version (leave it out; the README lists what this version runs)",
      "sql_feature_unsupported at UPDATE s SET k = 1: UPDATE is not supported by this version (leave it out; the README lists what this version runs)",
      "sql_feature_unsupported at DROP STREAM s: DROP STREAM is not supported by this version (leave it out; the README lists what this version runs)",
      "sql_feature_unsupported at SHOW STREAMS: SHOW STREAMS is not supported by this version (leave it out; the README lists what this version runs)",
      "sql_feature_unsupported at START JOB j: START JOB is not supported by this version (leave it out; the README lists what this version runs)",
      "sql_feature_unsupported at CREATE FUNCTION f LANGUAGE typescript FROM './f.ts': CREATE FUNCTION is not supported by this version (leave it out; the README lists what this version runs)",
      "sql_feature_unsupported at s b: JOIN is not supported by this version (only CROSS JOIN UNNEST(…) and LEFT JOIN UNNEST(…) ON TRUE run)",
      "sql_feature_unsupported at s b: JOIN is not supported by this version (only UNNEST may follow another input)",
      "sql_feature_unsupported at s b: LEFT JOIN is not supported by this version (only CROSS JOIN UNNEST(…) and LEFT JOIN UNNEST(…) ON TRUE run)",
      "sql_feature_unsupported at v IN (SELECT v FROM s): a subquery behind IN is not supported by this version (list the values)",
      "sql_feature_unsupported at (SELECT 1): a subquery outside FROM is not supported by this version (put the query into FROM)",
      "sql_feature_unsupported at EXISTS (SELECT 1): EXISTS is not supported by this version (put the query into FROM)",
      "sql_feature_unsupported at SELECT k FROM s EXCEPT SELECT k FROM s: EXCEPT is not supported by this version (leave it out; the README lists what this version runs)",
      "sql_feature_unsupported at k: DISTINCT ON is not supported by this version (leave it out; the README lists what this version runs)",
      "sql_feature_unsupported at ROW_NUMBER() OVER (ORDER BY k) = 1: QUALIFY is not supported by this version (leave it out; the README lists what this version runs)",
      "sql_feature_unsupported at SELECT COUNT(*) FROM s GROUP BY ALL: GROUP BY ALL is not supported by this version (list the columns)",
      "sql_feature_unsupported at WITH RECURSIVE r AS (SELECT 1) SELECT * FROM r: WITH RECURSIVE is not supported by this version (leave it out; the README lists what this version runs)",
      "sql_feature_unsupported at JSON_EACH(k): the table function JSON_EACH is not supported by this version (leave it out; the README lists what this version runs)",
      "sql_feature_unsupported at EXPLAIN ANALYZE SELECT 1: EXPLAIN ANALYZE is not supported by this version (leave it out; the README lists what this version runs)",
    ]
  `)
})

test('a broken definition is reported once', async () => {
  expect(
    await lines('CREATE VIEW v AS SELECT zz FROM s', 'SELECT * FROM v', 'INSERT INTO v SELECT 1'),
  ).toMatchInlineSnapshot(`
    [
      "sql_column_not_found at zz: column "zz" does not exist in stream "s" ("s" has k, ts, v, d, st)",
    ]
  `)
})

test('a definition that does not parse has no further faults', async () => {
  expect(
    await codes("CREATE STREAM c (a INTT) FROM 'memory://c'; CREATE FUNCTION f LANGUAGE sql; SELECT f(a) FROM c"),
  ).toMatchInlineSnapshot(`
    "sql_unexpected_token at INTT: "INTT" is not a type (did you mean "INT" or "INT2" or "INT4"?)
    sql_feature_unsupported at sql: LANGUAGE SQL is not supported by this version (write the function in TypeScript)"
  `)
})

test('several faults of one query are reported together', async () => {
  expect(
    await lines('SELECT aa, v + 1, bb FROM s WHERE cc > 1 GROUP BY dd HAVING ee ORDER BY ff'),
  ).toMatchInlineSnapshot(`
    [
      "sql_column_not_found at aa: column "aa" does not exist in stream "s" ("s" has k, ts, v, d, st)",
      "sql_column_not_found at bb: column "bb" does not exist in stream "s" ("s" has k, ts, v, d, st)",
      "sql_column_not_found at cc: column "cc" does not exist in stream "s" ("s" has k, ts, v, d, st)",
      "sql_column_not_found at dd: column "dd" does not exist in stream "s" (did you mean "d"? "s" has k, ts, v, d, st)",
      "sql_column_not_found at ee: column "ee" does not exist in stream "s" ("s" has k, ts, v, d, st)",
      "sql_column_not_found at ff: column "ff" does not exist in stream "s" ("s" has k, ts, v, d, st)",
    ]
  `)
})
