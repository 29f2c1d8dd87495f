import { type Shape, type ShapeField, shapeFile } from '../lib/shapes.ts'
import type { Paths, PipelineBench } from './definition.ts'

const OURS = {
  time: 'TIMESTAMP',
  key: 'STRING',
  number: 'DOUBLE',
  integer: 'BIGINT',
  text: 'STRING',
  boolean: 'BOOLEAN',
} as const
const DUCKDB = {
  time: 'BIGINT',
  key: 'VARCHAR',
  number: 'DOUBLE',
  integer: 'BIGINT',
  text: 'VARCHAR',
  boolean: 'BOOLEAN',
} as const

const nestedRead = (shape: Shape): readonly ShapeField[] =>
  shape.fields.filter(({ path, read }) => read && path.length > 1)

/** Columns of the read fields; nested ones are the fields of one struct. */
function columnsOf(shape: Shape, types: typeof OURS | typeof DUCKDB, form: 'ours' | 'duckdb'): string {
  const flat = shape.fields.filter(({ path, read }) => read && path.length === 1)
  const nested = nestedRead(shape)
  const inner = nested.map(({ path, kind }) => `${path[1]} ${types[kind]}`).join(', ')
  if (form === 'ours') {
    const columns = flat.map(({ path, kind }) => `${path[0]} ${types[kind]}`)
    return [...columns, ...(nested.length > 0 ? [`data STRUCT<${inner}>`] : [])].join(', ')
  }
  const columns = flat.map(({ path, kind }) => `${path[0]}: '${types[kind]}'`)
  return `{${[...columns, ...(nested.length > 0 ? [`data: 'STRUCT(${inner})'`] : [])].join(', ')}}`
}

const valuesOf = (shape: Shape): readonly ShapeField[] =>
  shape.fields.filter(({ path }) => path.at(-1)!.startsWith('v'))

const aggregates = (shape: Shape): string =>
  ['count(*) AS n', ...valuesOf(shape).map(({ path }) => `sum(${path.join('.')}) AS ${path.at(-1)}`)].join(', ')

/** One-minute windows per key over a drawn shape: the tumble benchmark on other records. */
export function drawnTumble(base: PipelineBench, shape: Shape, csv: boolean): PipelineBench {
  const columns = csv
    ? `columns={${shape.fields.map(({ path, kind }) => `${path.join('_')}: '${DUCKDB[kind]}'`).join(', ')}}, header=true, delim=',', quote='"', auto_detect=false`
    : `format='newline_delimited', columns=${columnsOf(shape, DUCKDB, 'duckdb')}`
  const read = ({ input }: Paths): string =>
    csv ? `read_csv(${input}, ${columns})` : `read_json(${input}, ${columns})`
  return {
    ...base,
    name: `${base.name} ${shape.name}`,
    data: (records, directory) => shapeFile(shape, records, { directory, csv }),
    script: ({ input, output }) => `
CREATE STREAM s (${columnsOf(shape, OURS, 'ours')}, WATERMARK FOR at AS at - INTERVAL '2' SECOND) FROM ${input};
INSERT INTO ${output} SELECT window_start, who, ${aggregates(shape)} FROM s GROUP BY who, TUMBLE(at, INTERVAL '1' MINUTE);`,
    duckdb: [
      (paths) => `
COPY (SELECT make_timestamp(w * 60000000) AS window_start, * EXCLUDE (w) FROM (SELECT at // 60000 AS w, who, ${aggregates(shape)}
FROM ${read(paths)} GROUP BY 1, 2)) TO ${paths.output} (FORMAT json)`,
      (paths) => `
COPY (SELECT make_timestamp((at // 60000) * 60000000) AS window_start, who, ${aggregates(shape)}
FROM ${read(paths)} GROUP BY 1, 2) TO ${paths.output} (FORMAT json)`,
    ],
    key: ['window_start', 'who'],
    exact: [
      'n',
      ...valuesOf(shape)
        .filter(({ kind }) => kind === 'integer')
        .map(({ path }) => path.at(-1)!),
    ],
    doubles: valuesOf(shape)
      .filter(({ kind }) => kind === 'number')
      .map(({ path }) => path.at(-1)!),
  }
}

/** Filter and projection over a drawn shape. */
export function drawnProject(base: PipelineBench, shape: Shape): PipelineBench {
  const [value] = valuesOf(shape) as [ShapeField]
  const v = value.path.join('.')
  return {
    ...base,
    name: `${base.name} ${shape.name}`,
    data: (records, directory) => shapeFile(shape, records, { directory, csv: false }),
    script: ({ input, output }) => `
CREATE STREAM s (${columnsOf(shape, OURS, 'ours')}) FROM ${input};
INSERT INTO ${output} SELECT who, ${v} * 2 AS twice FROM s WHERE ${v} > 500;`,
    duckdb: [
      ({ input, output }) => `
COPY (SELECT who, ${v} * 2 AS twice FROM read_json(${input}, format='newline_delimited', columns=${columnsOf(shape, DUCKDB, 'duckdb')})
WHERE ${v} > 500) TO ${output} (FORMAT json)`,
    ],
    key: ['who', 'twice'],
    exact: [],
    doubles: [],
  }
}
