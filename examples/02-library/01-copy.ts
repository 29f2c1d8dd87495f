import { writeFileSync } from 'node:fs'
import { copy, createSink, createSource } from 'headrace'

writeFileSync('orders.csv', 'id,fruit,price\n1,pear,0.5\n2,fig,2\n3,plum,\n')

// Both are checked here and opened when they are used.
const source = createSource('file:orders.csv?format=csv&delimiter=,')
const sink = createSink('file:orders.jsonl', { writeMode: 'overwrite' })

const { read, written, failed, bytes } = await copy(source, sink)
console.log({ read, written, failed, bytes })
