import { encodeCheckpoint } from '../../src/checkpoint/encode.ts'
import { WorkerMemory } from '../../src/core/memory.ts'
import { BatchBuilder } from '../../src/core/row-batch.ts'
import { Scratch } from '../../src/core/scratch.ts'
import { field, type Schema, schema, types } from '../../src/core/types.ts'
import type { Value } from '../../src/core/values.ts'
import { columnExpr } from '../../src/expr/testing/batches.ts'
import { Checksum } from '../../src/kernels/crc32c.ts'
import { Kernels } from '../../src/kernels/kernels.ts'
import { GroupAggregate } from '../../src/operators/aggregate/group-aggregate.ts'
import type { GroupSpec } from '../../src/operators/aggregate/spec.ts'
import type { OperatorContext } from '../../src/operators/operator.ts'
import { tryCallOf } from '../../src/operators/testing/aggregate-calls.ts'
import { StatePages } from '../../src/state/state-pages.ts'
import { StateReader } from '../../src/state/state-reader.ts'
import { StateWriter } from '../../src/state/state-writer.ts'
import type { Bench } from '../lib/bench.ts'
import { median, percentile } from '../lib/pairs.ts'

const KEYS = 1_000_000
const CAPTURES = 20
const RESTORES = 5
const BATCH_ROWS = 8192
const PAUSE_MS = 200
const RESTORE_MS = 2000
const ENCODE_SHARE = 0.5

/** A grouping of a million keys; what it emits and what its keys are. */
interface Form {
  readonly name: string
  readonly emission: GroupSpec['emission']
  readonly keyType: Schema['fields'][number]['type']
  readonly keyOf: (i: number) => Value
}

const forms: readonly Form[] = [
  { name: 'BIGINT keys', emission: 'end', keyType: types.bigint, keyOf: (i) => i * 7919 },
  { name: 'STRING keys', emission: 'end', keyType: types.string, keyOf: (i) => `customer-${i * 7919}` },
  { name: 'BIGINT keys, EMIT CHANGES', emission: 'changes', keyType: types.bigint, keyOf: (i) => i * 7919 },
]

function specOf({ emission, keyType }: Form): GroupSpec {
  const input = schema([field('k', keyType, false), field('v', types.bigint, false)])
  const aggregates = [
    tryCallOf('COUNT', [])!,
    tryCallOf('SUM', [types.bigint], {}, [1])!,
    tryCallOf('AVG', [types.bigint], {}, [1])!,
  ]
  return {
    input,
    output: schema([field('k', keyType), ...aggregates.map((call, i) => field(`a${i}`, call.type))]),
    filters: [],
    keys: [columnExpr(input, 0)],
    window: undefined,
    aggregates,
    retracts: false,
    emission,
    latenessMicros: 0,
    late: undefined,
  }
}

function contextOf(): OperatorContext {
  const memory = new WorkerMemory()
  return {
    memory,
    kernels: new Kernels(memory),
    mode: 'compiled',
    onExprError: 'drop',
    batchRows: BATCH_ROWS,
    batchRowsMax: BATCH_ROWS,
    current: { nowMicros: 0, split: '' },
    scratch: new Scratch(memory),
    onRowError: ({ detail }) => {
      throw new Error(detail)
    },
    counters: { lateRows: 0, lateWindowMisses: 0 },
  }
}

/** Gives every key two rows, so that means are no whole numbers. */
function fill(operator: GroupAggregate, spec: GroupSpec, form: Form, keys: number, context: OperatorContext): void {
  using builder = new BatchBuilder(spec.input, BATCH_ROWS, context.memory)
  const flush = (): void => {
    for (const _output of operator.process(builder.finish()));
    builder.reset()
    context.scratch.reset()
  }
  for (let i = 0; i < 2 * keys; i++) {
    builder.append([form.keyOf(i >> 1), i])
    if (builder.full) flush()
  }
  if (builder.rows > 0) flush()
}

function milliseconds<T>(task: () => T): { readonly ms: number; readonly result: T } {
  const before = performance.now()
  const result = task()
  return { ms: performance.now() - before, result }
}

function capture(operator: GroupAggregate, pages = new StatePages()): StateWriter {
  const out = new StateWriter(pages)
  operator.snapshot(out)
  return out
}

/** Encoding of a whole checkpoint, and the checksum alone over the same bytes: milliseconds of each, in turns. */
function encodings(state: StateWriter, crc: Checksum['crc32c']): { readonly encode: number; readonly crcOnly: number } {
  const operatorStates = new Map([['op/bench/0-255', state]])
  const none = new Map<string, bigint>()
  const body = encodeCheckpoint(
    { id: 1n, epoch: 1n, createdAt: 0n, sourceSequences: none, sinkPositions: none, watermarks: none, operatorStates },
    crc,
  )
  const encode: number[] = []
  const crcOnly: number[] = []
  for (let pair = -1; pair < RESTORES; pair++) {
    const whole = milliseconds(() => {
      let bytes = 0
      for (const chunk of body.chunks()) bytes += chunk.length
      if (bytes !== body.byteLength) throw new Error(`${bytes} bytes of ${body.byteLength}`)
    })
    const alone = milliseconds(() => {
      let sum = 0
      for (const chunk of state.chunks()) sum = crc(chunk, sum)
      return sum
    })
    if (pair < 0) continue
    encode.push(whole.ms)
    crcOnly.push(alone.ms)
  }
  return { encode: median(encode), crcOnly: median(crcOnly) }
}

function measure(form: Form, keys: number, captures: number): boolean {
  const context = contextOf()
  const spec = specOf(form)
  using operator = new GroupAggregate(spec, context)
  fill(operator, spec, form, keys, context)
  const pages = new StatePages()
  capture(operator, pages)[Symbol.dispose]()
  const pauses = Array.from({ length: captures }, () => {
    const { ms, result } = milliseconds(() => capture(operator, pages))
    result[Symbol.dispose]()
    return ms
  })
  const state = capture(operator, pages)
  using crc = new Checksum(context.kernels)
  const { encode, crcOnly } = encodings(state, crc.crc32c)
  const bytes = Buffer.concat([...state.chunks()])
  const restores = Array.from({ length: RESTORES }, () => {
    using restored = new GroupAggregate(spec, contextOf())
    const { ms } = milliseconds(() => restored.restore(new StateReader(bytes, 'bench')))
    if (!Buffer.concat([...capture(restored).chunks()]).equals(bytes)) throw new Error('the restored state differs')
    return ms
  })
  const [pause, restore] = [percentile(pauses, 0.99), percentile(restores, 0.99)]
  const share = crcOnly / encode
  const speed = (ms: number): string => `${(bytes.length / 1000 / ms).toFixed(0)} MB/s`
  process.stdout.write(
    [
      `${form.name}: ${keys} keys, ${(bytes.length / 1e6).toFixed(1)} MB`,
      `  capture p50 ${median(pauses).toFixed(1)} ms, p99 ${pause.toFixed(1)} ms of ${captures} (bar ${PAUSE_MS})`,
      `  encode ${speed(encode)}, CRC only ${speed(crcOnly)}: ${share.toFixed(2)} (bar ${ENCODE_SHARE})`,
      `  restore median ${median(restores).toFixed(0)} ms, worst ${restore.toFixed(0)} ms of ${RESTORES} (bar ${RESTORE_MS})\n`,
    ].join('\n'),
  )
  return pause <= PAUSE_MS && restore <= RESTORE_MS && share >= ENCODE_SHARE
}

/** COUNT, SUM and AVG of a million keys: how long a barrier stops the grouping, and how fast its state is stored and read. */
export const snapshotBench: Bench = {
  name: 'snapshot',
  run({ check, records = KEYS, pairs = CAPTURES }): boolean {
    const passed = forms.map((form) => measure(form, records, pairs))
    return passed.every((each) => each) || !check
  },
}
