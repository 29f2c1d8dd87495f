import { ProcessingError } from './errors.ts'

/** Why a message is passed over; its JSON form is itself. */
export type SkipReason =
  | { readonly type: 'Duplicate' }
  | { readonly type: 'Filtered'; readonly details: { readonly reason: string } }
  | { readonly type: 'Invalid'; readonly details: { readonly reason: string } }
  | { readonly type: 'OutOfWindow'; readonly details: { readonly reason: string } }
  | { readonly type: 'RateLimited' }
  | { readonly type: 'Custom'; readonly details: { readonly category: string; readonly details: string } }

export const SkipReason = {
  duplicate: { type: 'Duplicate' },
  rateLimited: { type: 'RateLimited' },
  filtered: (reason: string): SkipReason => ({ type: 'Filtered', details: { reason } }),
  invalid: (reason: string): SkipReason => ({ type: 'Invalid', details: { reason } }),
  outOfWindow: (reason: string): SkipReason => ({ type: 'OutOfWindow', details: { reason } }),
  custom: (category: string, details: string): SkipReason => ({ type: 'Custom', details: { category, details } }),
} as const

/** `{"decision":"Process"}`, or `{"decision":"Skip","reason":{…}}`. */
export type DecisionJson = { readonly decision: 'Process' } | { readonly decision: 'Skip'; readonly reason: SkipReason }

/** What a processor says of a message. */
export class ProcessingDecision {
  readonly #reason: SkipReason | undefined

  private constructor(reason: SkipReason | undefined) {
    this.#reason = reason
  }

  /** The message goes on to the sink. */
  static readonly process: ProcessingDecision = new ProcessingDecision(undefined)

  /** The message is done without being sent. */
  static skip(reason: SkipReason): ProcessingDecision {
    return new ProcessingDecision(reason)
  }

  isProcess(): boolean {
    return this.#reason === undefined
  }

  /** Undefined for Process. */
  get reason(): SkipReason | undefined {
    return this.#reason
  }

  toJSON(): DecisionJson {
    return this.#reason === undefined ? { decision: 'Process' } : { decision: 'Skip', reason: this.#reason }
  }

  /** From the JSON form, as text or parsed. Throws `ProcessingError` `UnexpectedState` for anything else. */
  static fromJSON(json: string | DecisionJson): ProcessingDecision {
    const form = (typeof json === 'string' ? parse(json) : json) as Partial<Record<string, unknown>> | null
    if (form?.['decision'] === 'Process') return ProcessingDecision.process
    const reason = form?.['decision'] === 'Skip' ? reasonOf(form['reason']) : undefined
    if (reason !== undefined) return ProcessingDecision.skip(reason)
    throw new ProcessingError('UnexpectedState', { message: 'the JSON is no decision' })
  }
}

/** The fields of each reason. */
const FIELDS: Readonly<Record<SkipReason['type'], readonly string[]>> = {
  Duplicate: [],
  Filtered: ['reason'],
  Invalid: ['reason'],
  OutOfWindow: ['reason'],
  RateLimited: [],
  Custom: ['category', 'details'],
}

function reasonOf(json: unknown): SkipReason | undefined {
  const { type, details } = (json ?? {}) as { readonly type?: unknown; readonly details?: Record<string, unknown> }
  if (typeof type !== 'string' || !Object.hasOwn(FIELDS, type)) return undefined
  const fields = FIELDS[type as SkipReason['type']]
  if (fields.length === 0) return { type } as SkipReason
  if (fields.some((field) => typeof details?.[field] !== 'string')) return undefined
  return { type, details: Object.fromEntries(fields.map((field) => [field, details![field]])) } as unknown as SkipReason
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ProcessingError('UnexpectedState', { message: 'the text is not JSON' }, { cause })
  }
}
