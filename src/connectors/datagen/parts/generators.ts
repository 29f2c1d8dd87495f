import type { Draws } from '../../../core/draws.ts'
import { HeadraceError } from '../../../core/errors.ts'
import { didYouMean } from '../../../core/suggest.ts'
import { type DataType, types } from '../../../core/types.ts'
import type { Value } from '../../../core/values.ts'

/** How one column is made: row `i` depends only on the seed and `i`. */
export interface Generator {
  readonly type: DataType
  readonly nullable: boolean
  make(i: number): Value
}

interface Context {
  readonly draws: Draws
  /** First lane of this column. */
  readonly lane: number
  readonly startMicros: number
  readonly stepMicros: number
}

type Builder = (args: readonly string[], context: Context) => Generator

const letters = 'abcdefghijklmnopqrstuvwxyz'
const plain = (type: DataType, make: (i: number) => Value): Generator => ({ type, nullable: false, make })

const unit = ({ draws, lane }: Context, i: number): number => draws.draw(i, lane) / 4294967296

const builders: Readonly<Record<string, Builder>> = {
  seq: ([start = '0', step = '1']) => plain(types.bigint, (i) => Number(start) + i * Number(step)),
  int: ([low = '0', high = '100'], context) => {
    const span = Number(high) - Number(low) + 1
    return plain(types.bigint, (i) => Number(low) + context.draws.below(i, context.lane, span))
  },
  float: ([low = '0', high = '1'], context) =>
    plain(types.double, (i) => Number(low) + unit(context, i) * (Number(high) - Number(low))),
  bool: ([share = '0.5'], context) => plain(types.boolean, (i) => unit(context, i) < Number(share)),
  text: ([min = '1', max = '10'], context) =>
    plain(types.string, (i) => {
      const length = Number(min) + context.draws.below(i, context.lane, Number(max) - Number(min) + 1)
      let text = ''
      for (let k = 0; k < length; k++) text += letters[context.draws.below(i * 1024 + k, context.lane + 1, 26)]
      return text
    }),
  choice: (args, context) => {
    const choices = args.join(',').split('|')
    return plain(types.string, (i) => choices[context.draws.below(i, context.lane, choices.length)]!)
  },
  weighted: (args, context) => {
    const pairs = args
      .join(',')
      .split('|')
      .map((pair) => pair.split(':') as [string, string])
    const total = pairs.reduce((sum, [, weight]) => sum + Number(weight), 0)
    return plain(types.string, (i) => {
      let at = unit(context, i) * total
      for (const [name, weight] of pairs) {
        at -= Number(weight)
        if (at < 0) return name
      }
      return pairs.at(-1)![0]
    })
  },
  zipf: ([count = '100', exponent = '1'], context) => {
    const shares = Array.from({ length: Number(count) }, (_, k) => 1 / (k + 1) ** Number(exponent))
    let sum = 0
    const cumulative = shares.map((share) => (sum += share))
    return plain(types.bigint, (i) => 1 + firstAbove(cumulative, unit(context, i) * sum))
  },
  uuid: (_, { draws, lane }) => plain(types.string, (i) => uuidOf(draws, lane, i)),
  time: (_, { startMicros, stepMicros }) => plain(types.timestamp, (i) => startMicros + i * stepMicros),
}

function firstAbove(cumulative: readonly number[], value: number): number {
  let low = 0
  let high = cumulative.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (cumulative[middle]! > value) high = middle
    else low = middle + 1
  }
  return low
}

function uuidOf(draws: Draws, lane: number, i: number): string {
  const hex = [0, 1, 2, 3]
    .map((k) =>
      draws
        .draw(i * 4 + k, lane)
        .toString(16)
        .padStart(8, '0'),
    )
    .join('')
  const variant = '89ab'[Number.parseInt(hex[16]!, 16) & 3]!
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** Parses `name(arguments)`; `null(p,generator)` makes a share of NULLs. */
export function parseGenerator(text: string, context: Context): Generator {
  const match = /^\s*([a-z]+)\s*\((.*)\)\s*$/s.exec(text)
  if (match === null) {
    throw bad(text, 'write name(arguments), such as seq(1,1)')
  }
  const [, name = '', inside = ''] = match
  if (name === 'null') {
    const comma = inside.indexOf(',')
    const share = Number(inside.slice(0, comma))
    if (comma < 0 || Number.isNaN(share)) throw bad(text, 'write null(0.1,int(0,9))')
    const inner = parseGenerator(inside.slice(comma + 1), { ...context, lane: context.lane + 2 })
    const make = (i: number): Value => (unit(context, i) < share ? null : inner.make(i))
    return { type: inner.type, nullable: true, make }
  }
  const builder = builders[name]
  if (builder === undefined) {
    const known = [...Object.keys(builders), 'null']
    throw bad(text, didYouMean(name, known) ?? `generators: ${known.join(', ')}`)
  }
  return builder(inside.trim() === '' ? [] : inside.split(',').map((arg) => arg.trim()), context)
}

const bad = (text: string, hint: string): HeadraceError =>
  new HeadraceError('connector_option_invalid', `"${text}" is not a generator`, { hint })
