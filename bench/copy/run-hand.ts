import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { WorkerMemory } from '../../src/core/memory.ts'
import { createDecoder, createEncoder } from '../../src/formats/formats.ts'
import { compileScript } from '../../src/headrace/script.ts'
import { Kernels } from '../../src/kernels/kernels.ts'
import { copySchema } from './columns.ts'

// A loop by hand over the same kernels, with the numbers of the digest. The compiler is loaded like on the other side,
// so that the two processes differ in the runtime only.
if (typeof compileScript !== 'function') throw new Error('unreachable')
const [, , input, output] = process.argv as [string, string, string, string]
const memory = new WorkerMemory()
const kernels = new Kernels(memory)
const columns = copySchema.fields.map(({ name, type }) => ({ name, path: [name], required: false, type }))
const spec = { columns, split: input, batchRows: 8192, strict: false, kernels: 'on', nowMicros: () => 0 } as const
const decoder = createDecoder('jsonl', spec, { memory, kernels })
const encoder = createEncoder(
  'jsonl',
  { schema: copySchema, changes: false, kernels: 'on', decimalAs: 'number' },
  { memory, kernels },
)
const source = openSync(input, 'r')
const target = openSync(output, 'w')
const digest = { rowsIn: 0, rowsOut: 0, lateRows: 0, rejected: 0 }
const take = (pieces: ReturnType<typeof decoder.finish>): void => {
  for (const { batch, rejects } of pieces) {
    digest.rejected += rejects.length
    if (batch === undefined) continue
    digest.rowsIn += batch.rows
    const bytes = encoder.encode(batch)
    for (let at = 0; at < bytes.length; ) at += writeSync(target, bytes, at, bytes.length - at)
    digest.rowsOut += batch.rows
  }
}
for (;;) {
  const room = decoder.reserve(262_144)
  const length = readSync(source, room, 0, 262_144, null)
  if (length === 0) break
  take(decoder.commit(length, { kind: 'delimited' }))
}
take(decoder.finish())
fsyncSync(target)
closeSync(target)
closeSync(source)
process.stdout.write(`${JSON.stringify(digest)}\n`)
