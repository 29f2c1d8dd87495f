import { bool, integer, type ValuesOf } from '../../core/options.ts'

export const blackholeOptions = {
  rate_limit: integer('Rows taken per second.', { min: 1, side: 'sink', later: true }),
  hash: bool('Keep an order-independent hash and a count of the rows.', { default: true, side: 'sink' }),
} as const

export type BlackholeOptions = ValuesOf<typeof blackholeOptions>
