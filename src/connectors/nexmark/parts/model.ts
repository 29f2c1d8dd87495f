import { Draws } from '../../../core/draws.ts'
import { makePools, makePriceTables, type Pools, SMALL_CHANNELS, type TextTable } from './pools.ts'

export interface ModelOptions {
  readonly seed: number
  /** Microseconds. */
  readonly startMicros: number
  /** Events per second of event time. */
  readonly rate: number
  readonly active: number
  readonly inFlight: number
  readonly bidderBase: number
  /** Group size of the emission order. */
  readonly outOfOrder: number
}

export const PERSON = 0
export const AUCTION = 1
export const BID = 2
const FIRST_ID = 1000

/** The public auction workload, exactly (nexmark.md §3): everything about event n follows from its number. */
export class NexmarkModel {
  readonly options: ModelOptions
  readonly draws: Draws
  readonly pools: Pools
  readonly #high: Float64Array
  readonly #low: Float64Array
  /** Position and length in `pools.text` that the text methods leave behind. */
  at = 0
  length = 0

  constructor(options: ModelOptions) {
    this.options = options
    this.draws = new Draws(options.seed)
    this.pools = makePools(this.draws)
    const { high, low } = makePriceTables()
    this.#high = high
    this.#low = low
  }

  /** Number of the event at an emission index. */
  eventAt(index: number): number {
    const g = this.options.outOfOrder
    return g === 1 ? index : Math.floor(index / g) * g + (((index % g) * (953 % g)) % g)
  }

  kind(n: number): 0 | 1 | 2 {
    const place = n % 50
    return place === 0 ? PERSON : place < 4 ? AUCTION : BID
  }

  /** Microseconds; whole milliseconds. */
  time(n: number): number {
    const { rate, startMicros } = this.options
    return startMicros + (Math.floor(n / rate) * 1000 + Math.floor(((n % rate) * 1000) / rate)) * 1000
  }

  lastPerson(n: number): number {
    return Math.floor(n / 50)
  }

  lastAuction(n: number): number {
    const e = Math.floor(n / 50)
    const place = n % 50
    if (place === 0) return 3 * (e - 1) + 2
    return place >= 4 ? 3 * e + 2 : 3 * e + place - 1
  }

  personId(n: number): number {
    return FIRST_ID + this.lastPerson(n)
  }

  auctionId(n: number): number {
    return FIRST_ID + this.lastAuction(n)
  }

  price(n: number, lane: number): number {
    const r = this.draws.draw(n, lane)
    return Math.floor(100 * this.#high[r >>> 16]! * this.#low[r & 65535]! + 0.5)
  }

  #activePerson(n: number, lane: number): number {
    const count = this.lastPerson(n) + 1
    const active = Math.min(count, this.options.active)
    return count - active + this.draws.below(n, lane, active + 10)
  }

  #openAuction(n: number, lane: number): number {
    const last = this.lastAuction(n)
    const low = Math.max(last - this.options.inFlight, 0)
    return low + this.draws.below(n, lane, last - low + 1 + 10)
  }

  seller(n: number): number {
    const hot = this.draws.below(n, 0, 4) > 0
    return FIRST_ID + (hot ? Math.floor(this.lastPerson(n) / 100) * 100 : this.#activePerson(n, 1))
  }

  category(n: number): number {
    return 10 + this.draws.below(n, 2, 5)
  }

  initialBid(n: number): number {
    return this.price(n, 3)
  }

  reserve(n: number): number {
    return this.initialBid(n) + this.price(n, 4)
  }

  expires(n: number): number {
    const ahead = (this.time(n + Math.floor((this.options.inFlight * 50) / 3)) - this.time(n)) / 1000
    return this.time(n) + (1 + this.draws.below(n, 5, Math.max(2 * ahead, 1))) * 1000
  }

  bidAuction(n: number): number {
    const hot = this.draws.below(n, 0, 2) > 0
    return FIRST_ID + (hot ? Math.floor(this.lastAuction(n) / 100) * 100 : this.#openAuction(n, 1))
  }

  bidder(n: number): number {
    const hot = this.draws.below(n, 2, 4) > 0
    return this.options.bidderBase + (hot ? Math.floor(this.lastPerson(n) / 100) * 100 + 1 : this.#activePerson(n, 3))
  }

  bidPrice(n: number): number {
    return this.price(n, 4)
  }

  #channel(n: number): number {
    return this.draws.below(n, 5, 2) > 0 ? SMALL_CHANNELS + this.draws.below(n, 6, 4) : this.draws.below(n, 6, 10_000)
  }

  #entry(table: TextTable, index: number): void {
    this.at = table.start[index]!
    this.length = table.length[index]!
  }

  channel(n: number): void {
    this.#entry(this.pools.channels, this.#channel(n))
  }

  url(n: number): void {
    this.#entry(this.pools.urls, this.#channel(n))
  }

  personName(n: number): void {
    this.#entry(this.pools.names, 9 * this.draws.below(n, 0, 11) + this.draws.below(n, 1, 9))
  }

  city(n: number): void {
    this.#entry(this.pools.cities, this.draws.below(n, 10, 10))
  }

  state(n: number): void {
    this.#entry(this.pools.states, this.draws.below(n, 11, 6))
  }

  email(n: number): string {
    return `${this.#letters(n, 3, 3 + this.draws.below(n, 2, 4))}@${this.#letters(n, 5, 3 + this.draws.below(n, 4, 2))}.com`
  }

  #emailLength(n: number): number {
    return 3 + this.draws.below(n, 2, 4) + 1 + 3 + this.draws.below(n, 4, 2) + 4
  }

  #letters(n: number, lane: number, length: number): string {
    const at = this.pools.letters + this.draws.below(n, lane, 65_000)
    return this.pools.text.slice(at, at + length)
  }

  creditCard(n: number): string {
    return [6, 7, 8, 9].map((lane) => String(this.draws.below(n, lane, 10_000)).padStart(4, '0')).join(' ')
  }

  itemName(n: number): void {
    this.#trimmedWords(n, 7, 3 + this.draws.below(n, 6, 17))
  }

  description(n: number): void {
    this.#trimmedWords(n, 9, 3 + this.draws.below(n, 8, 97))
  }

  #trimmedWords(n: number, lane: number, length: number): void {
    const { text, words } = this.pools
    let start = words + this.draws.below(n, lane, 65_000)
    let end = start + length
    while (start < end && text.charCodeAt(start) === 32) start++
    while (end > start && text.charCodeAt(end - 1) === 32) end--
    this.at = start
    this.length = end - start
  }

  personExtra(n: number): void {
    this.personName(n)
    let size = 8 + this.length + this.#emailLength(n) + 19
    this.city(n)
    size += this.length
    this.state(n)
    size += this.length
    this.#extra(n, { size: 12, at: 13 }, size, 200)
  }

  auctionExtra(n: number): void {
    this.itemName(n)
    let size = 48 + this.length
    this.description(n)
    size += this.length
    this.#extra(n, { size: 10, at: 11 }, size, 500)
  }

  bidExtra(n: number): void {
    this.#extra(n, { size: 7, at: 8 }, 32, 100)
  }

  /** Letters that bring a record of `size` characters to `average`, give or take a fifth of the rest. */
  #extra(n: number, lanes: { readonly size: number; readonly at: number }, size: number, average: number): void {
    this.at = this.pools.letters
    this.length = 0
    if (size > average) return
    const rest = average - size
    const delta = Math.floor((2 * rest + 5) / 10)
    this.length = rest - delta + (delta === 0 ? 0 : this.draws.below(n, lanes.size, 2 * delta))
    this.at = this.pools.letters + this.draws.below(n, lanes.at, 65_000)
  }
}
