import { type DataType, type Field, field, type Schema, struct, types } from '../../../core/types.ts'
import { AUCTION, BID, type NexmarkModel, PERSON } from './model.ts'

/** How a column of an event kind is made. */
export type Maker =
  | { readonly kind: 'number'; readonly make: (model: NexmarkModel, n: number) => number }
  /** Leaves position and length in the model. */
  | { readonly kind: 'cut'; readonly make: (model: NexmarkModel, n: number) => void }
  | { readonly kind: 'text'; readonly make: (model: NexmarkModel, n: number) => string }

export interface KindColumn {
  readonly name: string
  readonly type: DataType
  readonly maker: Maker
}

const number = (name: string, make: (model: NexmarkModel, n: number) => number, type: DataType = types.bigint) =>
  ({ name, type, maker: { kind: 'number', make } }) as const
const cut = (name: string, make: (model: NexmarkModel, n: number) => void) =>
  ({ name, type: types.string, maker: { kind: 'cut', make } }) as const
const text = (name: string, make: (model: NexmarkModel, n: number) => string) =>
  ({ name, type: types.string, maker: { kind: 'text', make } }) as const

/** Columns per event kind, in order (nexmark.md §1). */
export const kindColumns: readonly (readonly KindColumn[])[] = [
  [
    number('id', (m, n) => m.personId(n)),
    cut('name', (m, n) => m.personName(n)),
    text('emailAddress', (m, n) => m.email(n)),
    text('creditCard', (m, n) => m.creditCard(n)),
    cut('city', (m, n) => m.city(n)),
    cut('state', (m, n) => m.state(n)),
    number('dateTime', (m, n) => m.time(n), types.timestamp),
    cut('extra', (m, n) => m.personExtra(n)),
  ],
  [
    number('id', (m, n) => m.auctionId(n)),
    cut('itemName', (m, n) => m.itemName(n)),
    cut('description', (m, n) => m.description(n)),
    number('initialBid', (m, n) => m.initialBid(n)),
    number('reserve', (m, n) => m.reserve(n)),
    number('dateTime', (m, n) => m.time(n), types.timestamp),
    number('expires', (m, n) => m.expires(n), types.timestamp),
    number('seller', (m, n) => m.seller(n)),
    number('category', (m, n) => m.category(n)),
    cut('extra', (m, n) => m.auctionExtra(n)),
  ],
  [
    number('auction', (m, n) => m.bidAuction(n)),
    number('bidder', (m, n) => m.bidder(n)),
    number('price', (m, n) => m.bidPrice(n)),
    cut('channel', (m, n) => m.channel(n)),
    cut('url', (m, n) => m.url(n)),
    number('dateTime', (m, n) => m.time(n), types.timestamp),
    cut('extra', (m, n) => m.bidExtra(n)),
  ],
]

export const TABLES = ['person', 'auction', 'bid', 'events', 'side'] as const
export type Table = (typeof TABLES)[number]

const KIND_OF: Partial<Record<Table, number>> = { person: PERSON, auction: AUCTION, bid: BID }

/** The kind of event that a typed table holds; undefined for `events` and `side`. */
export const kindOf = (table: Table): number | undefined => KIND_OF[table]

const fieldsOf = (kind: number): Field[] => kindColumns[kind]!.map((column) => field(column.name, column.type, false))

export function tableSchema(table: Table): Schema {
  const kind = kindOf(table)
  if (kind !== undefined) return { fields: fieldsOf(kind) }
  if (table === 'side') return { fields: [field('key', types.bigint, false), field('value', types.string, false)] }
  return {
    fields: [
      field('event_type', types.int, false),
      field('person', struct(fieldsOf(PERSON))),
      field('auction', struct(fieldsOf(AUCTION))),
      field('bid', struct(fieldsOf(BID))),
    ],
  }
}
