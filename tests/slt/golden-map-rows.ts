import type { ErrorCode } from '../../src/core/error-kinds.ts'

/** One domain error of each function that has some: its golden must count a row with that code. */
export const domainErrors: Readonly<Record<string, ErrorCode>> = {
  '+': 'row_numeric_overflow',
  '-': 'row_numeric_overflow',
  '*': 'row_numeric_overflow',
  '/': 'row_division_by_zero',
  '%': 'row_division_by_zero',
  ABS: 'row_numeric_overflow',
  MOD: 'row_division_by_zero',
  DIV: 'row_division_by_zero',
  POWER: 'row_invalid_argument',
  SQRT: 'row_invalid_argument',
  EXP: 'row_numeric_overflow',
  LN: 'row_invalid_argument',
  LOG: 'row_invalid_argument',
  LOG10: 'row_invalid_argument',
  LOG2: 'row_invalid_argument',
  LIKE: 'row_invalid_argument',
  REGEXP_EXTRACT: 'row_invalid_argument',
  SUBSTRING: 'row_invalid_argument',
  LPAD: 'row_invalid_argument',
  RPAD: 'row_invalid_argument',
  REPEAT: 'row_invalid_argument',
  CHR: 'row_invalid_argument',
  POSITION: 'row_invalid_argument',
  SPLIT_PART: 'row_invalid_argument',
  DATE_TRUNC: 'row_invalid_argument',
  DATE_BIN: 'row_invalid_argument',
  DATE_ADD: 'row_numeric_overflow',
  DATE_SUB: 'row_numeric_overflow',
  TO_TIMESTAMP: 'row_invalid_argument',
  TO_DATE: 'row_invalid_cast',
  FROM_UNIXTIME: 'row_numeric_overflow',
  TIMESTAMP: 'row_invalid_cast',
  DATE: 'row_invalid_cast',
  STRPTIME: 'row_invalid_argument',
  '->': 'row_invalid_argument',
  JSON_VALUE: 'row_invalid_argument',
  JSON_QUERY: 'row_invalid_argument',
  JSON_EXTRACT: 'row_invalid_argument',
  JSON_EXTRACT_STRING: 'row_invalid_argument',
  JSON_EXISTS: 'row_invalid_argument',
  PARSE_JSON: 'row_invalid_argument',
  FROM_JSON: 'row_invalid_cast',
  JSON_OBJECT: 'row_invalid_argument',
  MAP_FROM_ARRAYS: 'row_invalid_argument',
  SUM: 'row_numeric_overflow',
  GENERATE_SERIES: 'row_invalid_argument',
}

/** Functions without an argument that could be NULL. */
export const withoutArguments: ReadonlySet<string> = new Set([
  'NOW',
  'LOCALTIMESTAMP',
  'PROCTIME',
  'CURRENT_DATE',
  'EVENT_TIME',
])

/** Codes of the catalogue that no script of this version can raise: what raises them is not built. */
export const outOfScope: ReadonlySet<string> = new Set<ErrorCode>([
  'sql_job_not_found',
  'sql_secret_not_found',
  'sql_subquery_columns',
  'sql_window_function_misplaced',
  'sql_frame_invalid',
  'sql_unbounded_state',
  'sql_schema_changed',
  'sql_object_in_use',
  'sql_cross_join_filter',
  // Only the CSV of messages raises it.
  'connector_option_conflict',
  'row_subquery_many_rows',
  'row_udf_failed',
])

/** Operators that the binder writes as other functions are found in the text. */
export const syntax: Readonly<Record<string, RegExp>> = {
  'unary+': /[(,] ?\+[a-z]|SELECT \+|, \+/,
  'IS NOT DISTINCT FROM': /\bIS NOT DISTINCT FROM\b/,
  BETWEEN: /\bBETWEEN (?!SYMMETRIC)/,
  'IS UNKNOWN': /\bIS (NOT )?UNKNOWN\b/,
  '~': /[a-z)] ~ '/,
  '~*': /[a-z)] ~\* '/,
  '!~': /[a-z)] !~ '/,
  '!~*': /[a-z)] !~\* '/,
}
