import { appendFileSync, closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { Random } from '../../src/core/random.ts'

// A process of its own that appends records to files and keeps a synced list of those it has appended. It writes while
// its standard input last said "go", and stops at "stop" or when all records are written.
// Arguments: seed, records, first event time (ms), ledger, files…

interface GeneratorMessage {
  readonly acked: number
  readonly done: boolean
}

const [, , seedText, countText, startText, ledgerPath, ...paths] = process.argv as unknown as [
  string,
  string,
  string,
  string,
  string,
  string,
  ...string[],
]
const random = new Random(Number(seedText))
const count = Number(countText)
const start = Number(startText)
const KEYS = 50
/** Records of one append; 25 of them a second at the least. */
const CHUNK = 400
const PAUSE_MS = 15

const files = paths.map((path) => openSync(path, 'a'))
const ledger = openSync(ledgerPath, 'a')
const sequences = new Array<number>(KEYS).fill(0)
let next = 0
let going = false
let stopped = false

/** One record: dense id, key, sequence of the key, event time, amount, checksum over all of it. */
function record(id: number): string {
  const key = random.below(KEYS)
  const seq = sequences[key]!++
  const ts = start + id
  const amount = random.below(100_000) / 100
  const check = crc32(`${id}|k${key}|${seq}|${ts}|${amount}`)
  return `{"id":${id},"key":"k${key}","seq":${seq},"ts":${ts},"amount":${amount},"check":${check}}\n`
}

function append(): void {
  const texts = files.map(() => '')
  const from = next
  for (; next < count && next < from + CHUNK; next++) texts[next % files.length] += record(next)
  for (const [i, text] of texts.entries()) writeSync(files[i]!, text)
  // Acknowledged only when it is in the file for good.
  for (const file of files) fsyncSync(file)
  appendFileSync(ledger, `${next}\n`)
  fsyncSync(ledger)
}

const say = (message: GeneratorMessage): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

process.stdin.on('data', (chunk: Buffer) => {
  for (const word of chunk.toString().split('\n')) {
    if (word === 'go') going = true
    if (word === 'wait') going = false
    if (word === 'stop') stopped = true
  }
})
process.stdin.on('end', () => {
  stopped = true
})

while (!stopped && next < count) {
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  if (!going) continue
  append()
  say({ acked: next, done: next === count })
}
for (const file of files) closeSync(file)
closeSync(ledger)
process.stdin.destroy()
