import { copy, createSink, createSource } from '../../../src/headrace/headrace.ts'

// Copies what its arguments name; the test kills it.
const [from = '', to = '', checkpoint = ''] = process.argv.slice(2)
const counts = await copy(createSource(from), createSink(to), { checkpoint })
process.stdout.write(`${JSON.stringify(counts)}\n`)
