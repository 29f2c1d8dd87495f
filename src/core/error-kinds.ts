import { chainErrorKinds } from './chain-error-kinds.ts'
import { datastreamsErrorKinds } from './datastreams-error-kinds.ts'
import { type ErrorKind, invalid, row, transient } from './error-kind.ts'
import { httpErrorKinds } from './http-error-kinds.ts'
import { messageErrorKinds } from './message-error-kinds.ts'

export type { ErrorClass, ErrorKind } from './error-kind.ts'

const missing = { class: 'permanent', httpStatus: 404, exitCode: 2 } as const
const environment = { class: 'permanent', httpStatus: 502, exitCode: 3 } as const
const warning = { class: 'permanent', httpStatus: 200, exitCode: 0 } as const

/** Every code there is. Codes are public, never reused, and each has a golden or a test that raises it. */
const kinds = {
  // SQL text
  sql_unexpected_token: { ...invalid, when: 'The text does not parse.', fix: 'Write what the hint expects there.' },
  sql_reserved_word: { ...invalid, when: 'A reserved word is used as a name.', fix: 'Quote the name.' },
  sql_unterminated_string: {
    ...invalid,
    when: 'The text ends inside a literal.',
    fix: 'Close the quote that the place names.',
  },
  sql_unterminated_comment: {
    ...invalid,
    when: 'The text ends inside a comment.',
    fix: 'Close the comment that the place names.',
  },
  sql_invalid_literal: { ...invalid, when: 'A literal has no valid form.', fix: 'Write the form that the hint shows.' },
  sql_literal_overflow: {
    ...invalid,
    when: 'A number has more than 38 digits or does not fit its type.',
    fix: 'Use a number within the range.',
  },
  sql_duplicate_clause: {
    ...invalid,
    when: 'A trailing clause, an option or a CTE name is given twice.',
    fix: 'Keep one of the two.',
  },
  // names
  sql_source_not_found: {
    ...missing,
    when: 'A stream, table or view of that name does not exist.',
    fix: "Use a name that exists, or CREATE STREAM … FROM 'uri'.",
  },
  sql_function_not_found: { ...missing, when: 'No function has that name.', fix: 'Use the nearest name of the hint.' },
  sql_job_not_found: { ...missing, when: 'No job has that name.', fix: 'List the jobs and use a name that exists.' },
  sql_column_not_found: { ...invalid, when: 'No input has a column of that name.', fix: 'Use a column that exists.' },
  sql_field_not_found: { ...invalid, when: 'A STRUCT has no field of that name.', fix: 'Use a field that exists.' },
  sql_ambiguous_column: {
    ...invalid,
    when: 'A name fits two inputs or two spellings.',
    fix: 'Qualify the name with its input, or quote the exact spelling.',
  },
  sql_duplicate_column: {
    ...invalid,
    when: 'Two output columns share a name where a schema is stored.',
    fix: 'Give one of them another name with AS.',
  },
  sql_parameter_unbound: { ...invalid, when: 'A parameter has no value.', fix: 'Bind the parameter.' },
  sql_env_missing: { ...invalid, when: 'An environment variable has no value.', fix: 'Set it or give a default.' },
  sql_secret_not_found: { ...invalid, when: 'A secret has no value.', fix: 'Create the secret.' },
  // types
  sql_type_mismatch: { ...invalid, when: 'Operands or an assignment do not fit.', fix: 'Write the CAST of the hint.' },
  sql_no_common_type: {
    ...invalid,
    when: 'Branches have no common type.',
    fix: 'Cast the branches to one type.',
  },
  sql_argument_mismatch: {
    ...invalid,
    when: 'A function gets the wrong number or types of arguments.',
    fix: 'Use one of the accepted signatures.',
  },
  sql_subquery_columns: {
    ...invalid,
    when: 'A scalar or IN subquery has the wrong number of columns.',
    fix: 'Select exactly one column.',
  },
  // grouping, windows, emission
  sql_column_not_grouped: {
    ...invalid,
    when: 'A selected column is neither grouped nor aggregated.',
    fix: 'Add it to GROUP BY, or take FIRST(column).',
  },
  sql_aggregate_misplaced: {
    ...invalid,
    when: 'An aggregate stands in WHERE or inside another aggregate.',
    fix: 'Use HAVING or a subquery.',
  },
  sql_window_function_misplaced: {
    ...invalid,
    when: 'OVER stands outside SELECT, QUALIFY or ORDER BY.',
    fix: 'Use a subquery or QUALIFY.',
  },
  sql_frame_invalid: {
    ...invalid,
    when: 'A frame ends before it starts, or a RANGE interval lacks one time ordering.',
    fix: 'Order the bounds, or ORDER BY one time column.',
  },
  sql_window_needs_time: {
    ...invalid,
    when: 'A window names no time column and the source declares none.',
    fix: "Declare WATERMARK FOR c, or the option event_time = 'c'.",
  },
  sql_time_column_mismatch: {
    ...invalid,
    when: 'A window uses a column that is not the event time.',
    fix: 'Use the declared event-time column.',
  },
  sql_window_mismatch: {
    ...invalid,
    when: 'One GROUP BY holds two windows.',
    fix: 'Stack the windows or align them.',
  },
  sql_window_size_invalid: {
    ...invalid,
    when: 'A window size is not a positive constant.',
    fix: 'Write a positive constant interval.',
  },
  sql_emit_final_unbounded: {
    ...invalid,
    when: 'EMIT FINAL without a window on an endless input would never emit.',
    fix: 'Add a window, or EMIT CHANGES.',
  },
  sql_emit_needs_window: {
    ...invalid,
    when: 'ON WINDOW CLOSE stands where there is no window.',
    fix: 'Add a window.',
  },
  sql_late_clause_unused: {
    ...invalid,
    when: 'ALLOW LATENESS or LATE DATA TO stands where nothing can be late.',
    fix: 'Remove it, or add a window.',
  },
  sql_order_by_unbounded: {
    ...invalid,
    when: 'ORDER BY on endless input is neither by event time nor a Top-N.',
    fix: 'Add LIMIT or order by event time.',
  },
  sql_unbounded_state: {
    ...invalid,
    when: 'A join can never forget its rows.',
    fix: "Add WITHIN, a window or state_ttl, or SET state = 'unbounded'.",
  },
  sql_state_grows: {
    ...warning,
    when: 'A grouping or DISTINCT over endless input has no limit of its state.',
    fix: 'Set state_ttl or retention.',
  },
  sql_aggregate_not_retractable: {
    ...invalid,
    when: 'An aggregate that cannot retract reads an input that revises rows.',
    fix: 'Use the exact aggregate, or EMIT FINAL first.',
  },
  // sinks and delivery
  sql_sink_rejects_updates: {
    ...invalid,
    when: 'A sink that accepts appends only is given a query that revises rows.',
    fix: "Add a window with EMIT FINAL, or WITH (changelog = 'columns'), or use an upsert sink.",
  },
  sql_sink_needs_key: {
    ...invalid,
    when: 'An upsert has no key.',
    fix: 'Mark expr PRIMARY KEY, or set key = [...].',
  },
  delivery_not_provable: {
    ...invalid,
    when: 'The asked guarantee does not hold on a path.',
    fix: "Use another sink, an upsert key, or delivery = 'at_least_once'.",
  },
  // options and objects
  sql_option_unknown: { ...invalid, when: 'An option name is not known.', fix: 'Use the nearest name of the hint.' },
  sql_option_unused: { ...warning, when: 'A known option has no effect here.', fix: 'Remove it.' },
  sql_schema_unknown: {
    ...invalid,
    when: 'No schema can be found for a source.',
    fix: 'Declare the columns.',
  },
  sql_schema_changed: {
    ...invalid,
    when: 'Data differ from the locked schema.',
    fix: 'ALTER STREAM, or choose on_schema_change.',
  },
  sql_regex_invalid: { ...invalid, when: 'A constant pattern does not compile.', fix: 'Correct the pattern.' },
  sql_regex_unsafe: {
    ...invalid,
    when: 'A pattern has nested unbounded repetition or a back-reference.',
    fix: 'Rewrite the pattern, or SET unsafe_regex = true.',
  },
  sql_json_path_invalid: { ...invalid, when: 'A constant JSON path does not parse.', fix: 'Correct the path.' },
  sql_object_exists: {
    ...invalid,
    when: 'CREATE names an object that exists.',
    fix: 'Use OR REPLACE or IF NOT EXISTS, or another name.',
  },
  sql_object_in_use: { ...invalid, when: 'DROP names an object in use.', fix: 'Stop the jobs, or use CASCADE.' },
  sql_wrong_object_kind: {
    ...invalid,
    when: 'A statement does not fit the kind of the object.',
    fix: 'Use the statement of the hint.',
  },
  sql_feature_unsupported: {
    ...invalid,
    when: 'Valid SQL that this version does not run.',
    fix: 'Use the rewrite of the hint, if one exists.',
  },
  sql_annotation_unknown: { ...warning, when: 'An annotation name is not known.', fix: 'Use the nearest name.' },
  sql_cross_join_filter: { ...warning, when: 'A join has no equality.', fix: 'Add an equality.' },
  // connectors
  connector_scheme_unknown: { ...invalid, when: 'No connector has that scheme.', fix: 'Use the nearest scheme.' },
  connector_uri_invalid: { ...invalid, when: 'A URI does not parse.', fix: 'Correct the URI at the column named.' },
  connector_side_unsupported: {
    ...invalid,
    when: 'A source-only system is used as sink, or the reverse.',
    fix: 'Use a system that has that side.',
  },
  connector_option_unknown: { ...invalid, when: 'A connector has no such option.', fix: 'Use the nearest name.' },
  connector_option_invalid: { ...invalid, when: 'An option has a bad value.', fix: 'Use a value within the range.' },
  connector_option_missing: { ...invalid, when: 'A required option is missing.', fix: 'Give the option.' },
  connector_option_conflict: { ...invalid, when: 'Two options exclude each other.', fix: 'Keep one of them.' },
  connector_unreachable: { ...transient, when: 'A name, route or handle failed.', fix: 'Check that the system runs.' },
  connector_timeout: { ...transient, when: 'A deadline passed.', fix: 'Raise the time limit or check the system.' },
  connector_throttled: {
    class: 'throttled',
    httpStatus: 429,
    exitCode: 3,
    when: 'The target asked to slow down.',
    fix: 'Wait; lower the rate if it persists.',
  },
  connector_auth_failed: { ...environment, when: 'Credentials were refused.', fix: 'Correct the credentials.' },
  connector_forbidden: { ...environment, when: 'A right is lacking.', fix: 'Grant the right that the message names.' },
  connector_not_found: { ...environment, when: 'The file, table or topic is absent.', fix: 'Check the name.' },
  connector_offset_gone: {
    ...environment,
    when: 'A stored position has expired.',
    fix: 'Seek to a position that exists.',
  },
  connector_offset_invalid: { ...invalid, when: 'A stored position is unreadable.', fix: 'Seek to a valid position.' },
  connector_incarnation_changed: {
    ...environment,
    when: 'The upstream was replaced.',
    fix: "Start anew, or set on_incarnation_change = 'restart'.",
  },
  connector_schema_mismatch: { ...invalid, when: 'The target differs from the rows.', fix: 'Align the schemas.' },
  connector_record_invalid: {
    ...row,
    when: 'A record does not decode.',
    fix: 'See the dead letter; correct the data.',
  },
  connector_record_too_large: { ...row, when: 'A record is over a limit.', fix: 'Raise the limit that is named.' },
  connector_data_corrupt: {
    ...row,
    class: 'permanent',
    when: 'A compressed or framed file is damaged or cut off.',
    fix: 'Replace the file; the rows before the damage were read.',
  },
  connector_commit_ambiguous: {
    class: 'ambiguous',
    httpStatus: 502,
    exitCode: 1,
    when: 'The outcome of a commit cannot be established.',
    fix: 'Look at the target, then resolve the epoch.',
  },
  connector_fenced: {
    class: 'fenced',
    httpStatus: 409,
    exitCode: 4,
    when: 'A newer owner has the target.',
    fix: 'Stop this instance.',
  },
  connector_capacity: {
    class: 'transient',
    httpStatus: 507,
    exitCode: 1,
    when: 'Disk, quota or channel is full.',
    fix: 'Make room.',
  },
  connector_operation_unsupported: {
    ...invalid,
    when: 'A source or sink is asked for what its connector cannot do.',
    fix: 'Use what metadata() lists, or another connector.',
  },
  connector_driver_missing: { ...environment, when: 'A driver package is not installed.', fix: 'Install the package.' },
  connector_policy_denied: {
    class: 'permanent',
    httpStatus: 403,
    exitCode: 2,
    when: 'The URI is not allowed to this tenant.',
    fix: 'Ask the administrator.',
  },
  // chain batches
  ...chainErrorKinds,
  target_exists: {
    ...invalid,
    httpStatus: 409,
    when: 'The target already holds data.',
    fix: "Set write_mode = 'overwrite' or 'append'.",
  },
  sink_closed: {
    class: 'permanent',
    httpStatus: 200,
    exitCode: 0,
    when: 'The reader of a pipe went away.',
    fix: 'Nothing: the pipeline ends as if its work were done.',
  },
  sink_locked: {
    ...environment,
    httpStatus: 409,
    when: 'Another process writes the target.',
    fix: 'Stop that process.',
  },
  // rows
  row_division_by_zero: { ...row, when: 'A row divides by zero.', fix: 'Guard the divisor with CASE or NULLIF.' },
  row_numeric_overflow: { ...row, when: 'A result does not fit its type.', fix: 'Cast to a wider type first.' },
  row_invalid_cast: { ...row, when: 'A value does not fit the type of a CAST.', fix: 'Use TRY_CAST.' },
  row_invalid_argument: { ...row, when: 'A function gets a value outside its domain.', fix: 'Guard the argument.' },
  row_subquery_many_rows: { ...row, when: 'A scalar subquery gives more than one row.', fix: 'Aggregate or LIMIT 1.' },
  row_null_event_time: { ...row, when: 'The event time of a row is NULL.', fix: 'Give a time, or filter the rows.' },
  row_future_timestamp: {
    ...row,
    when: 'A row lies too far ahead of the clock.',
    fix: 'Correct the clock, or max_future_skew.',
  },
  row_late: { ...row, when: 'A row came after its window had closed.', fix: 'Allow more lateness, or a longer delay.' },
  row_not_null_violated: { ...row, when: 'A NOT NULL column gets NULL.', fix: 'Give a value or a DEFAULT.' },
  row_check_violated: { ...row, when: 'A CHECK is false.', fix: 'Correct the row.' },
  row_udf_failed: { ...row, when: 'A user function threw.', fix: 'See the file and line of the function.' },
  // checkpoints
  checkpoint_disabled: {
    ...invalid,
    httpStatus: 409,
    when: 'A checkpoint is asked of a manager that is off.',
    fix: 'Correct the configuration that its disabledReason() names, or enable checkpoints.',
  },
  checkpoint_data_dir_required: {
    ...invalid,
    when: 'A durable checkpoint is asked for where no place is set.',
    fix: 'Set data_dir, or a persistent storage.',
  },
  checkpoint_wal_requires_checkpoint: {
    ...invalid,
    when: 'The write-ahead log is asked for where checkpoints are off.',
    fix: 'Enable checkpoints, or leave wal_mode unset.',
  },
  checkpoint_no_checkpoint: {
    ...missing,
    when: 'Nothing is stored, or not under that id.',
    fix: 'List the checkpoints and use an id that exists.',
  },
  checkpoint_timeout: {
    ...transient,
    exitCode: 1,
    when: 'A phase of a checkpoint passed its limit.',
    fix: 'Raise the limit of that phase, or find what slows it down.',
  },
  checkpoint_invalid_config: {
    ...invalid,
    when: 'A setting or a value lies outside its range.',
    fix: 'Correct the setting that the message names.',
  },
  checkpoint_io_error: {
    ...transient,
    exitCode: 1,
    when: 'A snapshot is damaged, or its store failed or has a newer owner.',
    fix: 'See the detail; the class of the error tells whether trying again can help.',
  },
  // dead letters
  dlq_full: {
    class: 'transient',
    httpStatus: 507,
    exitCode: 1,
    when: 'The queue of dead letters is full or cannot be written.',
    fix: 'Replay or purge entries, raise dlq.max_entries or dlq.max_bytes, or make room on the disk.',
  },
  dlq_rate_exceeded: {
    class: 'permanent',
    httpStatus: 422,
    exitCode: 1,
    when: 'Too large a share of the rows became dead letters.',
    fix: 'Correct the schema or the source, or raise dlq.rate_max; the next start goes on from the checkpoint.',
  },
  dlq_entry_not_found: {
    ...missing,
    when: 'No dead letter has that id.',
    fix: 'headrace dlq list shows the ids.',
  },
  dlq_replay_refused: {
    ...invalid,
    httpStatus: 409,
    when: 'The dead letters of a pipeline cannot run again as its rows did.',
    fix: 'See the message: it names what stands in the way.',
  },
  // savepoints
  savepoint_exists: {
    ...invalid,
    httpStatus: 409,
    when: 'A savepoint, or a file to export one to, is there already.',
    fix: 'Choose another name, or delete the old one.',
  },
  // pipelines and their state
  pipeline_running: {
    ...environment,
    httpStatus: 409,
    when: 'Another process runs the pipeline.',
    fix: 'Stop it first, or take it over with --takeover.',
  },
  pipeline_name_taken: {
    ...invalid,
    httpStatus: 409,
    when: 'The state of that name belongs to another script.',
    fix: 'Give the pipeline a name of its own: -- @name other.',
  },
  pipeline_not_found: {
    ...missing,
    when: 'No pipeline of that name has a state folder.',
    fix: 'headrace pipelines list shows them; --data-dir names another place.',
  },
  pipeline_not_running: {
    class: 'permanent',
    httpStatus: 409,
    exitCode: 1,
    when: 'A command needs a pipeline that runs.',
    fix: 'Start it: headrace run.',
  },
  pipeline_refused: {
    class: 'permanent',
    httpStatus: 409,
    exitCode: 1,
    when: 'A running pipeline did not do what a command asked of it.',
    fix: 'See the message; headrace status shows what it does.',
  },
  pipeline_plan_changed: {
    ...invalid,
    httpStatus: 409,
    when: 'The query is not the one whose state is stored.',
    fix: 'Bring the query back, allow the loss with --allow-dropped-state, or use another name.',
  },
  // messages and channels in code
  ...messageErrorKinds,
  ...datastreamsErrorKinds,
  ...httpErrorKinds,
  // command line and process
  cli_usage: { ...invalid, when: 'The command line does not parse.', fix: 'See headrace help.' },
  library_usage: {
    ...invalid,
    when: 'A handle, reader or writer of the library is used in a way it does not have.',
    fix: 'Do what the hint says.',
  },
  not_implemented: {
    ...invalid,
    httpStatus: 501,
    when: 'A part that is not built yet was used.',
    fix: 'See the status table.',
  },
  environment_node_version: { ...environment, when: 'Node is older than 24.', fix: 'Install Node 24 or newer.' },
  internal_assertion: {
    class: 'internal',
    httpStatus: 500,
    exitCode: 1,
    when: 'A broken assertion: a bug in Headrace.',
    fix: 'Report it with the message.',
  },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof kinds

export const errorKinds: Readonly<Record<ErrorCode, ErrorKind>> = kinds

export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(kinds, text)
