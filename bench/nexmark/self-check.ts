import { AUCTION, BID, NexmarkModel, PERSON } from '../../src/connectors/nexmark/parts/model.ts'

// The analytic checks of nexmark.md §5 over 10 250 000 events: a failure means a broken generator, not a broken query.
const EVENTS = 10_250_000
const model = new NexmarkModel({
  seed: 0,
  startMicros: 1_436_918_400_000_000,
  rate: 10_000,
  active: 1000,
  inFlight: 100,
  bidderBase: 1000,
  outOfOrder: 1,
})
const counts = [0, 0, 0]
const seen = { cheap: 0, dear: 0, q2: 0, q14: 0, q21: 0, category10: 0, q3: 0, sizes: [0, 0, 0] }
const lengthOf = (make: () => void): number => {
  make()
  return model.length
}

for (let n = 0; n < EVENTS; n++) {
  const kind = model.kind(n)
  counts[kind]!++
  if (kind === BID) {
    const price = model.bidPrice(n)
    if (price < 10_000) seen.cheap++
    if (price >= 1_000_000) seen.dear++
    if (model.bidAuction(n) % 123 === 0) seen.q2++
    const converted = 908 * price
    if (converted > 1_000_000_000 && converted < 50_000_000_000) seen.q14++
    model.url(n)
    const at = model.pools.text.slice(model.at, model.at + model.length)
    if (at.includes('channel_id=') || isBig(n)) seen.q21++
    seen.sizes[BID]! += 32 + lengthOf(() => model.bidExtra(n))
  } else if (kind === AUCTION) {
    if (model.category(n) === 10) seen.category10++
    const texts = lengthOf(() => model.itemName(n)) + lengthOf(() => model.description(n))
    seen.sizes[AUCTION]! += 48 + texts + lengthOf(() => model.auctionExtra(n))
  } else {
    const state = textOf(() => model.state(n))
    if (state === 'OR' || state === 'ID' || state === 'CA') seen.q3++
    const texts =
      lengthOf(() => model.personName(n)) + model.email(n).length + 19 + lengthOf(() => model.city(n)) + state.length
    seen.sizes[PERSON]! += 8 + texts + lengthOf(() => model.personExtra(n))
  }
}

function textOf(make: () => void): string {
  make()
  return model.pools.text.slice(model.at, model.at + model.length)
}

function isBig(n: number): boolean {
  return ['Google', 'Facebook', 'Baidu', 'Apple'].includes(textOf(() => model.channel(n)))
}

const [persons, auctions, bids] = counts as [number, number, number]
const checks: readonly (readonly [string, number, number, number])[] = [
  ['bids under 10 000 cents', seen.cheap / bids, 1 / 3, 0.002],
  ['bids of 1 000 000 cents and more', seen.dear / bids, 1 / 3, 0.002],
  ['bids kept by q2', seen.q2 / bids, 1 / 123, 0.03],
  ['bids kept by q14', seen.q14 / bids, Math.log10(50) / 6, 0.002],
  ['bids kept by q21', seen.q21 / bids, 0.95, 0.002],
  ['auctions in category 10', seen.category10 / auctions, 0.2, 0.01],
  ['people in the states of q3', seen.q3 / persons, 0.5, 0.05],
  ['mean size of a person', seen.sizes[PERSON]! / persons, 200, 0.005],
  ['mean size of an auction', seen.sizes[AUCTION]! / auctions, 500, 0.005],
  ['mean size of a bid', seen.sizes[BID]! / bids, 99.5, 0.005],
]
let failed = 0
for (const [name, found, expected, tolerance] of checks) {
  const good = Math.abs(found / expected - 1) <= tolerance
  if (!good) failed++
  process.stdout.write(
    `${good ? 'ok  ' : 'FAIL'} ${name}: ${found.toPrecision(6)}, expected ${expected.toPrecision(6)} ± ${tolerance * 100} %\n`,
  )
}
process.exit(failed === 0 ? 0 : 1)
