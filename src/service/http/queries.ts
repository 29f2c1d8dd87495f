import type { Static, TObject, TSchema } from 'typebox'
import type { ProblemField } from './problem.ts'
import { refusal } from './problem.ts'

/** The parameters of a query text; of a repeated name only the first value counts (streams-service.md §3.3). */
export function queryOf(text: string): Record<string, string> {
  const query = Object.create(null) as Record<string, string>
  if (text === '') return query
  for (const [name, value] of new URLSearchParams(text)) query[name] ??= value
  return query
}

/** The schema of one parameter, as far as it is checked here. */
interface Parameter {
  readonly type?: string
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: string
  readonly maxLength?: number
  readonly description?: string
}

/** Parameters by their schema: whole numbers and booleans are read; empty is absent. Unknown ones are left out. */
export function readQuery<Q extends TObject>(schema: Q, raw: Readonly<Record<string, string>>): Static<Q> {
  const values: Record<string, unknown> = {}
  const faults: ProblemField[] = []
  for (const [name, property] of Object.entries(schema.properties as Readonly<Record<string, TSchema>>)) {
    const text = raw[name]
    if (text === undefined || text === '') continue
    const read = readParameter(property as Parameter, text)
    if ('fault' in read) {
      if (name === 'limit') throw refusal('invalid_limit', 'limit must be a positive integer')
      faults.push({ pointer: `/query/${name}`, code: 'format', detail: read.fault })
    } else values[name] = read.value
  }
  if (faults.length > 0) {
    const [{ pointer, detail }] = faults as [ProblemField]
    throw refusal('bad_request', `${pointer.slice('/query/'.length)}: ${detail}`, { errors: faults })
  }
  return values as Static<Q>
}

function readParameter(parameter: Parameter, text: string): { readonly value: unknown } | { readonly fault: string } {
  const { type, enum: choices, minimum = 0, maximum = Number.MAX_SAFE_INTEGER, pattern, maxLength = 1024 } = parameter
  if (type === 'integer') {
    const number = /^\d{1,20}$/.test(text) ? Number(text) : Number.NaN
    // A large limit is clamped by whoever uses it.
    if (number >= minimum) return { value: Math.min(number, maximum) }
    return { fault: minimum > 0 ? 'must be a positive integer' : 'must be a whole number' }
  }
  if (type === 'boolean') {
    if (text === 'true' || text === 'false') return { value: text === 'true' }
    return { fault: 'must be true or false' }
  }
  if (choices !== undefined && !choices.includes(text)) return { fault: `must be one of ${choices.join(', ')}` }
  if (text.length > maxLength) return { fault: `has more than ${maxLength} characters` }
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(text)) return { fault: 'has no valid form' }
  return { value: text }
}
