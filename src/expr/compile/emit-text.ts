import type { BoundExpr } from '../bound.ts'
import { IN_ITEMS_INLINE } from '../functions/comparison.ts'
import { likePattern } from '../functions/like.ts'
import type { Operand } from '../loop.ts'
import type { Source } from './source.ts'
import { codePointsIn, compareSpans, occursIn, sameSpan, standsAt } from './text-tests.ts'

/** Constants up to this long are compared byte by byte in the text of the loop. */
const UNROLLED_BYTES = 16

const encoder = new TextEncoder()

type Call = Extract<BoundExpr, { kind: 'call' }>

/** A text that still lies in memory: `bytes` names the array that its span points into. */
interface Placed {
  readonly bytes: string
  readonly start: string
  readonly length: string
}

/**
 * Calls over strings that need no JavaScript string: comparisons with constants or other columns, IN, LIKE with simple
 * patterns, prefix, suffix, containment, length. Undefined when the call is not of that kind.
 */
export function emitTextCall(call: Call, args: readonly Operand[], source: Source): Operand | undefined {
  const [subject, ...others] = args
  const place = subject && placeOf(subject)
  if (subject === undefined || place === undefined) return undefined
  const value = textTest(call, place, others, source)
  return value === undefined ? undefined : { type: call.type, value, isNull: nullOf(args) }
}

const nullOf = (args: readonly Operand[]): string => {
  const nulls = args.map((arg) => arg.isNull).filter((text) => text !== 'false')
  return nulls.length === 0 ? 'false' : nulls.join(' || ')
}

/** JSON is compared by value, not by its bytes. */
const placeOf = (operand: Operand): Placed | undefined => (operand.type.kind === 'string' ? operand.span : undefined)

const textOf = (expr: BoundExpr | undefined): string | undefined =>
  expr?.kind === 'literal' && typeof expr.value === 'string' && expr.type.kind === 'string' ? expr.value : undefined

function textTest(call: Call, place: Placed, others: readonly Operand[], source: Source): string | undefined {
  const { name } = call.overload
  const constants = call.args.slice(1).map(textOf)
  const [first] = constants
  switch (name) {
    case '=':
    case '<>':
      return equality(name, place, others[0]!, first, source)
    case '<':
    case '<=':
    case '>':
    case '>=':
      return order(name, place, first === undefined ? placeOf(others[0]!) : constantPlace(first, source), source)
    case 'IN': {
      const all = constants.every((text) => text !== undefined) && constants.length <= IN_ITEMS_INLINE
      return all ? `(${constants.map((text) => whole(place, text, source)).join(' || ')})` : undefined
    }
    case 'LIKE':
      return first === undefined || constants.length !== 1 ? undefined : like(place, first, source)
    case 'STARTS_WITH':
      return first === undefined ? undefined : prefix(place, first, source)
    case 'ENDS_WITH':
      return first === undefined ? undefined : suffix(place, first, source)
    case 'CONTAINS':
      return first === undefined ? undefined : contained(place, first, source)
    case 'LENGTH':
      return call.args[0]!.type.kind === 'string' ? spanCall(source.constant(codePointsIn), place) : undefined
    case 'OCTET_LENGTH':
      return place.length
    default:
      return undefined
  }
}

const spanCall = (helper: string, place: Placed): string => `${helper}(${place.bytes}, ${place.start}, ${place.length})`

function equality(op: string, place: Placed, other: Operand, constant: string | undefined, source: Source) {
  const not = op === '<>' ? '!' : ''
  if (constant !== undefined) return `${not}(${whole(place, constant, source)})`
  const right = placeOf(other)
  return right && `${not}${pairCall(source.constant(sameSpan), place, right)}`
}

function constantPlace(text: string, source: Source): Placed {
  const bytes = encoder.encode(text)
  return { bytes: source.constant(bytes), start: '0', length: String(bytes.length) }
}

const order = (op: string, place: Placed, right: Placed | undefined, source: Source): string | undefined =>
  right && `(${pairCall(source.constant(compareSpans), place, right)} ${op} 0)`

const pairCall = (helper: string, a: Placed, b: Placed): string =>
  `${helper}(${a.bytes}, ${a.start}, ${a.length}, ${b.bytes}, ${b.start}, ${b.length})`

function whole(place: Placed, text: string, source: Source): string {
  const bytes = encoder.encode(text)
  return conjunction(`${place.length} === ${bytes.length}`, at(place, place.start, bytes, source))
}

function prefix(place: Placed, text: string, source: Source): string {
  const bytes = encoder.encode(text)
  return conjunction(`${place.length} >= ${bytes.length}`, at(place, place.start, bytes, source))
}

function suffix(place: Placed, text: string, source: Source): string {
  const bytes = encoder.encode(text)
  const start = `${place.start} + ${place.length} - ${bytes.length}`
  return conjunction(
    `${place.length} >= ${bytes.length}`,
    bytes.length === 0 ? '' : `${source.constant(standsAt)}(${place.bytes}, ${start}, ${source.constant(bytes)})`,
  )
}

const contained = (place: Placed, text: string, source: Source): string =>
  `${source.constant(occursIn)}(${place.bytes}, ${place.start}, ${place.length}, ${source.constant(encoder.encode(text))})`

const conjunction = (first: string, second: string): string =>
  second === '' ? `(${first})` : `(${first} && ${second})`

function at(place: Placed, start: string, bytes: Uint8Array, source: Source): string {
  if (bytes.length > UNROLLED_BYTES) {
    return `${source.constant(standsAt)}(${place.bytes}, ${start}, ${source.constant(bytes)})`
  }
  return [...bytes].map((byte, i) => `${place.bytes}[${start}${i === 0 ? '' : ` + ${i}`}] === ${byte}`).join(' && ')
}

/** `abc`, `abc%`, `%abc`, `%abc%`; other patterns are tested on the decoded text. */
function like(place: Placed, pattern: string, source: Source): string | undefined {
  if (pattern.endsWith('\\')) return undefined
  const { texts, wildcards } = likePattern(pattern, '\\', false)
  if (wildcards) return undefined
  if (texts.length === 1) return whole(place, texts[0]!, source)
  if (texts.length === 2 && texts[1] === '') return prefix(place, texts[0]!, source)
  if (texts.length === 2 && texts[0] === '') return suffix(place, texts[1]!, source)
  if (texts.length === 3 && texts[0] === '' && texts[2] === '') return contained(place, texts[1]!, source)
  return undefined
}
