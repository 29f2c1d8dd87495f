import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { eventJson } from './event-json.ts'
import { NexmarkModel } from './model.ts'
import { kindColumns } from './tables.ts'

const START = Date.parse('2015-07-15T00:00:00Z') * 1000
const g1 = (rate = 1000): NexmarkModel =>
  new NexmarkModel({ seed: 0, startMicros: START, rate, active: 1000, inFlight: 100, bidderBase: 1000, outOfOrder: 1 })

const event = (model: NexmarkModel, n: number): Record<string, unknown> => {
  const line = JSON.parse(eventJson(model, n))
  return line.person ?? line.auction ?? line.bid
}

test('lanes and draws of seed 0', () => {
  const { draws } = g1()
  expect(draws.lanes[0]).toBe(0x92ca2f0e)
  expect(draws.lanes[1]).toBe(0x3cd6e3f3)
  expect(draws.draw(0, 0)).toBe(1680814304)
  expect(draws.draw(1, 0)).toBe(4162723709)
  expect(draws.draw(4, 4)).toBe(3602213070)
})

test('the first events', () => {
  const model = g1()
  expect(event(model, 0)).toMatchObject({
    id: 1000,
    name: 'Saul Abrams',
    emailAddress: 'ywcb@xbc.com',
    creditCard: '1879 5663 0681 1789',
    city: 'Redmond',
    state: 'CA',
  })
  expect(String(event(model, 0)['extra'])).toMatch(/^snrpcvafogejtnwm/)
  expect(event(model, 1)).toMatchObject({
    id: 1000,
    itemName: 'pfbb yycpg kc ti',
    initialBid: 7590,
    reserve: 56466448,
    dateTime: '2015-07-15T00:00:00.001Z',
    expires: '2015-07-15T00:00:01.684Z',
    seller: 1000,
    category: 11,
  })
  expect(event(model, 4)).toMatchObject({
    auction: 1000,
    bidder: 1001,
    price: 10770442,
    channel: 'Google',
    url: 'https://www.nexmark.com/okf/kbfb/bsgt/item.htm?query=1',
  })
  expect(event(model, 5)).toMatchObject({ auction: 1000, bidder: 1001, price: 5569, channel: 'channel-9548' })
  expect(event(model, 6)).toMatchObject({ auction: 1001, bidder: 1008, price: 203544, channel: 'Baidu' })
})

test('an event beyond 2³²', () => {
  expect(event(g1(), 4294967300)).toMatchObject({
    id: 85900346,
    name: 'Deiter Smith',
    emailAddress: 'mpskbg@dks.com',
    city: 'Cheyenne',
    state: 'ID',
    dateTime: '2015-09-02T17:02:47.300Z',
  })
})

test('the golden run as JSON lines', () => {
  const model = g1()
  let bytes = 0
  let crc = 0
  for (let n = 0; n < 100_000; n++) {
    const line = eventJson(model, n)
    bytes += line.length
    crc = crc32(line, crc)
    if (n === 999) expect([bytes, crc.toString(16).padStart(8, '0')]).toEqual([333_345, '0114ec07'])
  }
  expect([bytes, crc.toString(16).padStart(8, '0')]).toEqual([33_281_703, 'd5717b14'])
})

test('the golden run as sums', () => {
  const model = g1()
  const counts = [0, 0, 0]
  const sums: Record<string, number> = {}
  for (let n = 0; n < 100_000; n++) {
    const kind = model.kind(n)
    counts[kind]!++
    for (const { name, maker } of kindColumns[kind]!) {
      if (maker.kind === 'number') sums[`${kind}.${name}`] = (sums[`${kind}.${name}`] ?? 0) + maker.make(model, n)
    }
    if (kind === 1) sums['open'] = (sums['open'] ?? 0) + (model.expires(n) - model.time(n)) / 1000
    if (kind === 2) {
      model.bidExtra(n)
      sums['extra'] = (sums['extra'] ?? 0) + model.length
    }
  }
  expect(counts).toEqual([2000, 6000, 92_000])
  expect(sums).toMatchObject({
    '0.id': 3999000,
    '1.initialBid': 42391571779,
    '1.reserve': 84694817862,
    '2.price': 676614808144,
    '2.auction': 363724285,
    '2.bidder': 172053730,
    extra: 6208360,
    open: 10050602,
  })
})

test('out of order is a permutation of each group', () => {
  const model = new NexmarkModel({ ...g1().options, outOfOrder: 100 })
  const group = Array.from({ length: 100 }, (_, i) => model.eventAt(300 + i)).sort((a, b) => a - b)
  expect(group).toEqual(Array.from({ length: 100 }, (_, i) => 300 + i))
})
