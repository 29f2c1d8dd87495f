import { types } from '../../core/types.ts'
import type { ExactInteger } from '../../core/values.ts'
import { type Argument, RowFailure, type ScalarFunction, type ScalarOverload } from '../functions.ts'
import { checkTimestamp } from '../time/civil.ts'
import { instantText, localMicros, parseInstant, utcMicros } from '../time/zones.ts'
import { accepts, define, example, overload } from './define.ts'

/** TIMESTAMPTZ → the wall time of the zone; a wall time → its instant. */
function atTimeZone(args: readonly Argument[]): ScalarOverload | undefined {
  const [time, zone] = args
  if (args.length !== 2 || time === undefined || !accepts(zone, types.string)) return undefined
  const form = { name: 'AT TIME ZONE', fallible: true }
  if (time.type.kind === 'timestamptz') {
    return overload({
      ...form,
      parameters: [types.timestamptz, types.string],
      type: types.timestamp,
      call: (t, where) => checkTimestamp(localMicros(t as ExactInteger, where as string)),
    })
  }
  if (!accepts(time, types.timestamp)) return undefined
  return overload({
    ...form,
    parameters: [types.timestamp, types.string],
    type: types.timestamptz,
    call: (t, where) => checkTimestamp(utcMicros(t as ExactInteger, where as string)),
  })
}

/** CAST of a TIMESTAMPTZ to STRING in a session zone: (t, zone). */
export const textInZone: ScalarOverload = overload({
  name: 'TEXT AT TIME ZONE',
  parameters: [types.timestamptz, types.string],
  type: types.string,
  call: (t, zone) => instantText(t as ExactInteger, zone as string),
})

/** CAST of a STRING to TIMESTAMPTZ in a session zone: (text, zone); `safe` gives NULL for what is none. */
export const textToInstant = (safe: boolean): ScalarOverload =>
  overload({
    name: safe ? 'TRY_TIMESTAMPTZ AT TIME ZONE' : 'TIMESTAMPTZ AT TIME ZONE',
    parameters: [types.string, types.string],
    type: types.timestamptz,
    fallible: !safe,
    nullable: safe,
    call: (text, zone) => {
      const found = parseInstant(text as string, zone as string)
      if (found !== undefined) return found
      if (safe) return null
      throw new RowFailure('row_invalid_cast', `${JSON.stringify(text)} is not a TIMESTAMP WITH TIME ZONE`)
    },
  })

export const timeZoneFunctions: readonly ScalarFunction[] = [
  define({
    name: 'AT TIME ZONE',
    signatures: ['t AT TIME ZONE zone'],
    summary:
      'A TIMESTAMPTZ as the wall time of the zone, a TIMESTAMP as the instant of that wall time; one that occurs twice is the second, one that is skipped moves on by the gap.',
    examples: [
      example("TIMESTAMPTZ '2026-07-01 10:00:00Z' AT TIME ZONE 'Europe/Berlin'", '2026-07-01 12:00:00'),
      example("TIMESTAMP '2026-07-01 12:00:00' AT TIME ZONE 'Europe/Berlin'", '2026-07-01 10:00:00+00'),
    ],
    resolve: atTimeZone,
  }),
]
