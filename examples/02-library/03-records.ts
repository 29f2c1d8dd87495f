import { readFileSync, writeFileSync } from 'node:fs'
import { createSink, createSource } from 'headrace'

writeFileSync('clicks.jsonl', '{"page":"a","at":"2026-01-31T10:00:00Z"}\n{"page":"b","at":"2026-01-31T10:00:05Z"}\n')

// Reading: typed rows, each with the offset from which reading goes on behind it.
await using source = createSource('clicks.jsonl', { eventTime: 'at' })
await using reader = await source.createReader()
const [first] = await reader.read(1)
console.log(first?.value, first?.eventTime)
const position = reader.position()

await using again = await source.createReader({ from: position })
for await (const { value } of again) console.log(value)

// Writing: what a transaction wrote is there when it is committed, and never if it is not.
{
  await using writer = await createSink('counts.jsonl', { writeMode: 'append' }).createWriter({
    schema: 'page STRING, n BIGINT',
  })
  await writer.beginTransaction()
  await writer.write({ value: { page: 'a', n: 1 } })
  await writer.rollback()
  await writer.beginTransaction()
  await writer.writeBatch([{ value: { page: 'a', n: 2n } }, { value: { page: 'b', n: 3 } }])
  await writer.commitTransaction()
}
console.log(readFileSync('counts.jsonl', 'utf8').trim())
