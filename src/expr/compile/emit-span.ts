import { textAt } from '../../core/column-read.ts'
import type { Scratch } from '../../core/scratch.ts'
import type { BoundExpr } from '../bound.ts'
import type { Operand } from '../loop.ts'
import type { Source } from './source.ts'
import { codePointsBetween, inCase, PACK, partBetween, withoutBlanks } from './text-parts.ts'

type Call = Extract<BoundExpr, { kind: 'call' }>
type Place = NonNullable<Operand['span']>

const encoder = new TextEncoder()

/**
 * Calls over a text in memory whose answer is a part of it (SPLIT_INDEX, SUBSTRING, LEFT, TRIM with constants) or its
 * bytes in another case: no JavaScript string is made. Undefined when the call is not of that kind.
 */
export function emitTextSpan(
  call: Call,
  args: readonly Operand[],
  source: Source,
  scratch: Scratch | undefined,
): Operand | undefined {
  const [subject] = args
  const place = subject?.type.kind === 'string' ? subject.span : undefined
  if (subject === undefined || place === undefined) return undefined
  const { name } = call.overload
  if ((name === 'LOWER' || name === 'UPPER') && scratch !== undefined) {
    return emitCase(call, { place, isNull: subject.isNull }, source, scratch)
  }
  const part = partText(call, place, source)
  if (part === undefined) return undefined
  const packed = source.local(part)
  // Where there is no part the text is empty: whoever looks at it before the NULL reads nothing.
  const guard = call.overload.nullable ? `${packed} < 0 ? 0 : ` : ''
  const offset = source.local(`${guard}Math.floor(${packed} / ${PACK})`)
  const length = source.local(`${guard}${packed} - ${offset} * ${PACK}`)
  const start = source.local(`${place.start} + ${offset}`)
  const missing = call.overload.nullable ? `${packed} < 0` : 'false'
  const isNull =
    subject.isNull === 'false' ? missing : missing === 'false' ? subject.isNull : `${subject.isNull} || ${missing}`
  return operandAt(call, { start, length, bytes: place.bytes }, isNull, source)
}

const operandAt = (call: Call, span: Place, isNull: string, source: Source): Operand => ({
  type: call.type,
  value: `${source.constant(textAt)}(${span.bytes}, ${span.start}, ${span.length})`,
  isNull,
  span,
})

function emitCase(
  call: Call,
  subject: { readonly place: Place; readonly isNull: string },
  source: Source,
  scratch: Scratch,
): Operand {
  const { start, length, bytes } = subject.place
  const memory = source.constant(scratch)
  const upper = call.overload.name === 'UPPER'
  const address = source.local(`${source.constant(inCase)}(${memory}, ${bytes}, ${start}, ${length}, ${upper})`)
  const span = {
    start: address,
    length: source.local(`0 + ${memory}.lastLength`),
    // The memory may have grown while the text was written.
    bytes: source.local(`(${memory}.memory.bytes)`),
  }
  return operandAt(call, span, subject.isNull, source)
}

/** The constants behind the first argument; undefined when one is none, or NULL. */
function constantsOf(call: Call): (string | number)[] | undefined {
  const values = call.args.slice(1).map((arg) => (arg.kind === 'literal' ? arg.value : null))
  return values.every((value) => typeof value === 'string' || typeof value === 'number') ? values : undefined
}

function partText(call: Call, { bytes, start, length }: Place, source: Source): string | undefined {
  const constants = constantsOf(call)
  if (constants === undefined) return undefined
  const [first, second] = constants
  const text = `${bytes}, ${start}, ${length}`
  switch (call.overload.name) {
    case 'SPLIT_INDEX':
      if (typeof first !== 'string' || first === '' || typeof second !== 'number' || second < 0) return undefined
      return `${source.constant(partBetween)}(${text}, ${source.constant(encoder.encode(first))}, ${second})`
    case 'SUBSTRING': {
      if (typeof first !== 'number' || (second !== undefined && (typeof second !== 'number' || second < 0)))
        return undefined
      const to = second === undefined ? Number.POSITIVE_INFINITY : Math.max(0, first - 1 + (second as number))
      return between(text, Math.max(0, first - 1), to, source)
    }
    case 'LEFT':
      return typeof first === 'number' && first >= 0 ? between(text, 0, first, source) : undefined
    case 'TRIM':
      return constants.length === 0 ? `${source.constant(withoutBlanks)}(${text})` : undefined
    default:
      return undefined
  }
}

const between = (text: string, from: number, to: number, source: Source): string =>
  `${source.constant(codePointsBetween)}(${text}, ${from}, ${to})`
