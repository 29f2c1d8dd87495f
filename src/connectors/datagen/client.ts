import { Draws } from '../../core/draws.ts'
import { HeadraceError } from '../../core/errors.ts'
import type { DatagenOptions } from './options.ts'
import { type Generator, parseGenerator } from './parts/generators.ts'

const LANES_PER_COLUMN = 4

/** The columns that the options describe, in order. */
export function generatorsOf(options: DatagenOptions): ReadonlyMap<string, Generator> {
  if (options.field.size === 0) {
    throw new HeadraceError('connector_option_missing', 'datagen makes no column', {
      hint: 'add one: field.id=seq(1,1)',
    })
  }
  const draws = new Draws(options.seed)
  return new Map(
    [...options.field].map(([name, text], i) => [
      name,
      parseGenerator(text, {
        draws,
        lane: (i * LANES_PER_COLUMN) % 60,
        startMicros: options.start,
        stepMicros: options.step * 1000,
      }),
    ]),
  )
}
