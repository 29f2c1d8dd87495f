import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Random } from '../../core/random.ts'
import { errorJson, renderError, SourceText, toError } from '../diagnostics.ts'
import { lex } from '../lexer.ts'
import { parseScript } from './script.ts'

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8')

/** All diagnostics of a script, as people read them. */
const faults = (text: string) =>
  parseScript(text)
    .diagnostics.map((diagnostic) => renderError(toError(diagnostic, new SourceText('a.sql', text))))
    .join('\n')

test('all benchmark queries and all worked examples parse', () => {
  for (const [name, count] of [
    ['nexmark.sql', 30],
    ['examples.sql', 19],
  ] as const) {
    const text = fixture(name)
    expect(faults(text)).toBe('')
    expect(parseScript(text).statements).toHaveLength(count)
  }
})

test('statements of every kind parse', () => {
  const text = `
    CREATE OR REPLACE STREAM IF NOT EXISTS s (a INT NOT NULL DEFAULT 1, b STRING METADATA FROM '_key', c AS a + 1,
      d ARRAY<ARRAY<STRUCT<x INT, y MAP<STRING, DECIMAL(10, 2)>>>>, CHECK (a > 0), PRIMARY KEY (a)) FROM kafka('h/t');
    CREATE STREAM s (a INT) WITH (uri = 'file:x', 'a.b' = [1, 'x', TRUE], delay = 5 MINUTES);
    CREATE TABLE t (id BIGINT PRIMARY KEY, v DECIMAL(12,2) CHECK (v >= 0));
    CREATE TABLE t AS SELECT * FROM s;
    CREATE MATERIALIZED VIEW v (a, b) AS SELECT 1, 2;
    CREATE SINK k FROM s INTO 'file:out' WITH (format = 'json');
    CREATE SINK k AS SELECT * FROM s INTO 'file:out';
    CREATE LOOKUP TABLE l FROM 'postgresql://h/d' PRIMARY KEY (a) WITH (cache_rows = 10);
    CREATE SECRET x FROM ENV 'VAR';
    CREATE AGGREGATE FUNCTION f (a DOUBLE) RETURNS DOUBLE LANGUAGE typescript FROM './f.ts' AS 'g';
    INSERT INTO t (id, v) VALUES (1, 2), (3, 4);
    UPDATE t SET v = v + 1, id = 2 WHERE id = 1;
    DELETE FROM t WHERE id = 1;
    DROP LOOKUP TABLE IF EXISTS l CASCADE;
    START JOB j AS INSERT INTO 'x' SELECT 1 FROM s;
    START JOB j FROM CHECKPOINT latest;
    STOP JOB j WITH CHECKPOINT 'c';
    CHECKPOINT JOB j AS 'c';
    SHOW STREAMS LIKE 'p%'; SHOW CREATE STREAM s FORMAT JSON; SHOW JOB STATUS j; SHOW timezone;
    DESCRIBE EXTENDED s;
    EXPLAIN ANALYZE streaming FORMAT json SELECT 1;
    SET state = 'unbounded'; SET checkpoint.interval = 10s; RESET state;
    SELECT a FROM x LEFT SEMI JOIN y ON x.a = y.a ASOF LEFT JOIN z ON x.a = z.a AND x.t >= z.t TOLERANCE 5s;
    SELECT a FROM x JOIN y WITHIN (1m, INTERVAL '2' HOUR) ON x.a = y.a NATURAL JOIN z;
    SELECT SUM(a) OVER w FROM x WINDOW w AS (PARTITION BY b ORDER BY t ROWS BETWEEN 2 PRECEDING AND CURRENT ROW);
    SELECT * FROM TABLE(TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '5' MINUTE)) AS w;
    SELECT * FROM HOP('file:x', ts, 1m, 5m) h WINDOW SLIDING(SIZE 5m ADVANCE BY 1m);
    SELECT x FROM s, UNNEST(s.l) WITH ORDINALITY AS u(x, n) WHERE x IN (SELECT 1) AND EXISTS (SELECT 1);
    (SELECT 1 UNION ALL SELECT 2) EXCEPT SELECT 3 ORDER BY 1 DESC NULLS LAST LIMIT 5 OFFSET 2;
    SELECT DISTINCT ON (a) a, b PRIMARY KEY, c AS _EVENT_TIME FROM s QUALIFY ROW_NUMBER() OVER (ORDER BY a) = 1;
    SELECT a.* EXCEPT (x) REPLACE (1 AS y) FROM s a EMIT ON WINDOW CLOSE INTO 'file:a', k WITH (x = -1);
    SELECT x = ANY (SELECT 1), x <> ALL (ARRAY[1,2]), j.items[*].sku FROM s EMIT EVERY 5s`
  expect(faults(text)).toBe('')
  expect(parseScript(text).statements.length).toBe(37)
})

test('parser faults carry a place and a hint, and the next statement is read', () => {
  expect(
    faults(`SELECT a FORM b;
SELEC 1;
SELECT order FROM t;
SELECT a AS group FROM t;
SELECT a FROM t WHERE;
SELECT 5m;
SELECT DATE '2026-13-01';
SELECT 123456789012345678901234567890123456789;
SELECT a FROM t EMIT CHANGES EMIT FINAL;
SELECT a FROM t WITH (x = 1, X = 2);
WITH c AS (SELECT 1), c AS (SELECT 2) SELECT * FROM c;
CREATE STREAM s (a INTT) FROM 'x';
CREATE STREAM s (a INT;
SELECT INTERVAL '5 parsecs';
SELECT INTERVAL '5';
ALTER STREAM s PAUSE;
SELECT a FROM t WINDOW ROLLING(5m);
SELECT CASE WHEN a THEN 1;
SELECT a ° b;
SELECT E'\\q', 'open`),
  ).toMatchInlineSnapshot(`
    "error[sql_unexpected_token]: unexpected "FORM"
      --> a.sql:1:10
     1 | SELECT a FORM b;
       |          ^^^^
    hint: did you mean FROM?
    error[sql_unexpected_token]: unexpected "SELEC"
      --> a.sql:2:1
     2 | SELEC 1;
       | ^^^^^
    hint: did you mean SELECT?
    error[sql_reserved_word]: "order" is a reserved word and cannot be a name here
      --> a.sql:3:8
     3 | SELECT order FROM t;
       |        ^^^^^
    hint: quote it: "order", or choose another name
    error[sql_reserved_word]: "group" is a reserved word and cannot be a column name here
      --> a.sql:4:13
     4 | SELECT a AS group FROM t;
       |             ^^^^^
    hint: quote it: "group", or choose another name
    error[sql_unexpected_token]: unexpected ";"
      --> a.sql:5:22
     5 | SELECT a FROM t WHERE;
       |                      ^
    hint: expected an expression
    error[sql_invalid_literal]: the number "5m" runs into letters
      --> a.sql:6:8
     6 | SELECT 5m;
       |        ^^
    hint: put a blank behind the number; a length of time is INTERVAL '5m'
    error[sql_invalid_literal]: '2026-13-01' is no valid date
      --> a.sql:7:8
     7 | SELECT DATE '2026-13-01';
       |        ^^^^^^^^^^^^^^^^^
    hint: write DATE '2026-01-31', year 1 to 9999
    error[sql_literal_overflow]: the number 123456789012345678901234567890123456789 is too large
      --> a.sql:8:8
     8 | SELECT 123456789012345678901234567890123456789;
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: a whole number has at most 38 digits
    error[sql_duplicate_clause]: EMIT is given twice
      --> a.sql:9:30
     9 | SELECT a FROM t EMIT CHANGES EMIT FINAL;
       |                              ^^^^^^^^^^
    hint: the first one is on line 9; keep one of the two
    error[sql_duplicate_clause]: option "X" is given twice
      --> a.sql:10:30
    10 | SELECT a FROM t WITH (x = 1, X = 2);
       |                              ^^^^^
    hint: the first one is on line 10; keep one of the two
    error[sql_duplicate_clause]: WITH names "c" twice
      --> a.sql:11:23
    11 | WITH c AS (SELECT 1), c AS (SELECT 2) SELECT * FROM c;
       |                       ^
    hint: the first one is on line 11; rename one of the two
    error[sql_unexpected_token]: "INTT" is not a type
      --> a.sql:12:20
    12 | CREATE STREAM s (a INTT) FROM 'x';
       |                    ^^^^
    hint: did you mean "INT" or "INT2" or "INT4"?
    error[sql_unexpected_token]: unexpected ";"
      --> a.sql:13:23
    13 | CREATE STREAM s (a INT;
       |                       ^
    hint: expected ",", ")", NOT NULL, DEFAULT or PRIMARY KEY
    error[sql_invalid_literal]: "5 parsecs" is no valid interval
      --> a.sql:14:8
    14 | SELECT INTERVAL '5 parsecs';
       |        ^^^^^^^^^^^^^^^^^^^^
    hint: write INTERVAL '5' MINUTE, INTERVAL '1 day 02:30:00' or INTERVAL '5m'
    error[sql_invalid_literal]: "5" is no valid interval
      --> a.sql:15:8
    15 | SELECT INTERVAL '5';
       |        ^^^^^^^^^^^^
    hint: name the unit: INTERVAL '5' SECOND
    error[sql_feature_unsupported]: ALTER is not supported by this version
      --> a.sql:16:1
    16 | ALTER STREAM s PAUSE;
       | ^^^^^
    hint: leave it out; the README lists what this version runs
    error[sql_unexpected_token]: unexpected "ROLLING"
      --> a.sql:17:24
    17 | SELECT a FROM t WINDOW ROLLING(5m);
       |                        ^^^^^^^
    hint: expected TUMBLING, SLIDING or SESSION
    error[sql_unexpected_token]: unexpected ";"
      --> a.sql:18:26
    18 | SELECT CASE WHEN a THEN 1;
       |                          ^
    hint: expected WHEN, ELSE or END
    error[sql_unexpected_token]: "°" is no part of SQL
      --> a.sql:19:10
    19 | SELECT a ° b;
       |          ^
    hint: remove it, or quote it
    error[sql_unterminated_string]: the string that starts here is never closed
      --> a.sql:20:15
    20 | SELECT E'\\q', 'open
       |               ^
    hint: close it with '"
  `)
})

test('mistakes that people make get a hint that helps', () => {
  const hints = (text: string) => parseScript(text).diagnostics.map((diagnostic) => diagnostic.hint)
  expect(hints('SELECT a FROM clicks.jsonl')).toEqual(["quote a path: 'clicks.jsonl'"])
  expect(hints('SELECT a FROM ./in/a.csv WHERE b')).toEqual(["quote a path: './in/a.csv'"])
  expect(hints('SELECT a FROM t WHERE a == 1')).toEqual(['write = once'])
  expect(hints('SELECT a FROM t WHERE a && b')).toEqual(['write AND'])
  expect(hints('INSERT INTO SELECT 1')).toEqual(['expected a target name'])
  expect(hints('SELECT a FROM t ORDR BY a')).toEqual(['did you mean ORDER?'])
})

test('a comment that never closes is named at its start', () => {
  expect(faults('SELECT 1;\n/* a /* b */')).toMatchInlineSnapshot(`
    "error[sql_unterminated_comment]: this comment is never closed
      --> a.sql:2:1
     2 | /* a /* b */
       | ^^
    hint: close it with */"
  `)
})

test('at most twenty errors are reported', () => {
  expect(parseScript('SELECT;'.repeat(50)).diagnostics).toHaveLength(20)
})

test('the JSON form counts code points', () => {
  const text = "SELECT '😀' AS a, DATE 'x'"
  const [diagnostic] = parseScript(text).diagnostics
  expect(errorJson(toError(diagnostic!, new SourceText('a.sql', text)))).toMatchInlineSnapshot(`
    {
      "code": "sql_invalid_literal",
      "column": 18,
      "endColumn": 26,
      "endLine": 1,
      "file": "a.sql",
      "hint": "write DATE '2026-01-31', year 1 to 9999",
      "line": 1,
      "message": "'x' is no valid date",
      "severity": "error",
      "suggestions": [],
    }
  `)
})

test('annotations belong to the file, and to the statement directly below', () => {
  const script = parseScript('-- @name file\n\n-- @batch_size 5\n-- note\nSELECT 1;\n-- @tags b\nSELECT 2')
  expect(script.annotations.map((annotation) => annotation.name)).toEqual(['name', 'batch_size'])
  expect(script.statements.map((statement) => statement.annotations.map((annotation) => annotation.name))).toEqual([
    ['batch_size'],
    ['tags'],
  ])
})

test('deep nesting is refused, not a stack overflow', () => {
  for (const [open, close] of [
    ['(', ')'],
    ['[', ']'],
    ['-', ''],
    ['NOT ', ''],
    ['CASE WHEN ', ''],
    ['f(', ')'],
  ] as const) {
    const { diagnostics } = parseScript(`SELECT ${open.repeat(5000)}1${close.repeat(5000)}`)
    expect(diagnostics).toHaveLength(1)
  }
  for (const chain of ['1 + ', 'a.', 'a::INT || ']) {
    expect(parseScript(`SELECT ${chain.repeat(5000)}b`).diagnostics).toHaveLength(1)
    expect(parseScript(`SELECT ${chain.repeat(700)}b`).diagnostics).toEqual([])
  }
  expect(parseScript(`SELECT ${'a AND '.repeat(4000)}b`).diagnostics).toEqual([])
})

test('whatever the text, there are diagnostics and no exception', () => {
  const seed = 20260131
  console.log(`seed ${seed}`)
  const random = new Random(seed)
  const texts = [fixture('nexmark.sql'), fixture('examples.sql')]
  const pool = texts.flatMap((text) => lex(text).tokens.map((token) => text.slice(token.span.start, token.span.end)))
  for (let round = 0; round < 600; round++) {
    const source = random.pick(texts)
    const from = random.below(source.length)
    const cut = source.slice(from, from + random.below(600))
    const soup = Array.from({ length: random.below(60) }, () => random.pick(pool)).join(' ')
    const bytes = String.fromCharCode(...Array.from({ length: random.below(40) }, () => random.below(0x250)))
    for (const text of [cut, soup, cut + bytes + soup]) {
      const { diagnostics } = parseScript(text)
      for (const diagnostic of diagnostics) {
        const error = toError(diagnostic, new SourceText('f', text))
        expect(error.hint, renderError(error)).not.toBe(undefined)
      }
    }
  }
})
