import { createSource, Headrace, registerConnector } from 'headrace'
import { BatchBuilder, type Connector, integer, types } from 'headrace/connector'

// The whole contract of a source that ends: splits, positions, columns.
const countdown: Connector = {
  name: 'countdown',
  schemes: ['countdown'],
  summary: 'Numbers down to one.',
  options: { from: integer('The first number.', { default: 10, min: 1, side: 'source' }) },
  capabilities: {
    source: {
      resume: 'offset',
      retention: 'kept',
      order: 'total',
      changes: 'append',
      bounded: 'always',
      pushdown: 'columns',
    },
  },
  bounded: () => true,
  discover: async () => ({
    columns: [
      {
        name: 'n',
        type: types.bigint,
        nullable: false,
        origin: 'catalogue',
        nullShare: 0,
        examples: [],
        confidence: 1,
      },
    ],
    key: [],
    eventTimeCandidates: [],
    rowsSeen: 0,
    bytesSeen: 0,
    warnings: [],
    format: undefined,
  }),
  openSource: async ({ schema, columns, memory, options }) => ({
    incarnation: async () => 'countdown',
    async *splits() {
      yield { kind: 'added', split: { id: 'all' } }
      yield { kind: 'complete' }
    },
    open: () => {
      const builder = new BatchBuilder(schema, 2, memory)
      return {
        // An offset says what is read next, and begins with its kind and version.
        async *read(offset) {
          for (let n = Number(offset?.slice(3) ?? options['from']); n > 0; n--) {
            builder.reset()
            builder.append(columns.map(() => n))
            yield { kind: 'batch', batch: builder.finish(), next: `c1:${n - 1}` }
          }
        },
        [Symbol.asyncDispose]: async () => builder[Symbol.dispose](),
      }
    },
    health: async () => ({ state: 'healthy', issues: [] }),
    [Symbol.asyncDispose]: async () => undefined,
  }),
}

registerConnector(countdown)
await using reader = await createSource('countdown:?from=3').createReader()
for await (const { value, offset } of reader) console.log(value, offset)

await using headrace = await Headrace.open({ state: false })
console.log(await (await headrace.sql("SELECT SUM(n) AS total FROM 'countdown:?from=4'")).all())
