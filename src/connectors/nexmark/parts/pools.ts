import type { Draws } from '../../../core/draws.ts'

const POOL = 65_536

const FIRST = ['Peter', 'Paul', 'Luke', 'John', 'Saul', 'Vicky', 'Kate', 'Julie', 'Sarah', 'Deiter', 'Walter']
const LAST = ['Shultz', 'Abrams', 'Spencer', 'White', 'Bartels', 'Walton', 'Smith', 'Jones', 'Noris']
const STATES = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY']
const CITIES = [
  'Phoenix',
  'Los Angeles',
  'San Francisco',
  'Boise',
  'Portland',
  'Bend',
  'Redmond',
  'Seattle',
  'Kent',
  'Cheyenne',
]
const BIG_CHANNELS = ['Google', 'Facebook', 'Baidu', 'Apple']
/** Channels `channel-c` before the four big ones. */
export const SMALL_CHANNELS = 10_000

/** Entries of a table of texts inside the one text. */
export interface TextTable {
  readonly start: Uint32Array
  readonly length: Uint32Array
}

/** All texts that events are cut from, end to end in one ASCII text; tables and pools are positions in it. */
export interface Pools {
  readonly text: string
  readonly letters: number
  readonly words: number
  /** Index first · 9 + last. */
  readonly names: TextTable
  readonly cities: TextTable
  readonly states: TextTable
  readonly channels: TextTable
  readonly urls: TextTable
}

export function makePools(draws: Draws): Pools {
  const letter = (code: number): string => String.fromCharCode(97 + code)
  let words = ''
  let letters = ''
  for (let j = 0; j < POOL; j++) {
    words += draws.below(j, 60, 13) === 0 ? ' ' : letter(draws.below(j, 61, 26))
    letters += letter(draws.below(j, 62, 26))
  }
  const parts = [letters, words]
  let end = 2 * POOL
  const table = (entries: readonly string[]): TextTable => {
    const start = new Uint32Array(entries.length)
    const length = new Uint32Array(entries.length)
    entries.forEach((entry, i) => {
      start[i] = end
      length[i] = entry.length
      end += entry.length
      parts.push(entry)
    })
    return { start, length }
  }
  const links = words.replaceAll(' ', '_')
  const small = Array.from({ length: SMALL_CHANNELS }, (_, c) => `channel-${c}`)
  const urls = Array.from({ length: SMALL_CHANNELS + BIG_CHANNELS.length }, (_, c) => urlOf(draws, links, c))
  const tables = {
    names: table(FIRST.flatMap((first) => LAST.map((last) => `${first} ${last}`))),
    cities: table(CITIES),
    states: table(STATES),
    channels: table([...small, ...BIG_CHANNELS]),
    urls: table(urls),
  }
  return { text: parts.join(''), letters: 0, words: POOL, ...tables }
}

function urlOf(draws: Draws, links: string, c: number): string {
  const cut = (at: number, size: number): string => {
    const start = draws.below(c, at, 65_000)
    return links.slice(start, start + 3 + draws.below(c, size, 2))
  }
  const url = `https://www.nexmark.com/${cut(41, 40)}/${cut(43, 42)}/${cut(45, 44)}/item.htm?query=1`
  if (c >= SMALL_CHANNELS || draws.below(c, 46, 10) === 0) return url
  const reversed = reverseBits(c)
  return `${url}&channel_id=${reversed < 2 ** 31 ? reversed : 2 ** 32 - reversed}`
}

function reverseBits(word: number): number {
  let reversed = 0
  for (let bit = 0; bit < 32; bit++) reversed = reversed * 2 + ((word >>> bit) & 1)
  return reversed
}

const STEPS = 16

/** Tables of the log-uniform price: price = ⌊(100 · high[r >>> 16]) · low[r & 65535] + 0.5⌋ cents. */
export function makePriceTables(): { high: Float64Array; low: Float64Array } {
  const roots: number[] = []
  for (let j = 0, root = 1_000_000; j < 2 * STEPS; j++) {
    root = Math.sqrt(root)
    roots.push(root)
  }
  return { high: products(roots.slice(0, STEPS)), low: products(roots.slice(STEPS)) }
}

function products(roots: readonly number[]): Float64Array {
  return Float64Array.from({ length: POOL }, (_, k) => {
    let product = 1
    for (let j = 0; j < STEPS; j++) if ((k >>> (STEPS - 1 - j)) & 1) product *= roots[j]!
    return product
  })
}
