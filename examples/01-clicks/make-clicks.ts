import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { click, publishedShape } from '../../bench/lib/click-records.ts'
import { Random } from '../../src/core/random.ts'

const RECORDS = 20_000
const SEED = 1

/** Writes `clicks.jsonl` beside this file, the same bytes every time; returns its path. */
export function makeClicks(): string {
  const path = join(import.meta.dirname, 'clicks.jsonl')
  if (existsSync(path)) return path
  const random = new Random(SEED)
  const shape = publishedShape(RECORDS)
  const lines = Array.from({ length: RECORDS }, (_, i) => `${JSON.stringify(click(random, i, shape))}\n`)
  writeFileSync(path, lines.join(''))
  return path
}

if (import.meta.main) process.stdout.write(`${makeClicks()}\n`)
