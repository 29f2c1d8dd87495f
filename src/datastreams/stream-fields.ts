import { parseBytes, parseDuration } from '../core/option-text.ts'
import { ValidationError } from './errors.ts'
import { booleanField, choiceField, cutField, Faults, metadataField, textField } from './field-checks.ts'
import { type Retention, STREAM_DEFAULTS, STREAM_STATUSES, type StreamFields } from './stream.ts'

/** Fields of a stream as a caller gives them: nothing of their types is known. */
export type StreamInput = { readonly [N in keyof StreamFields]?: unknown }

const NAME_MAX = 200
const SYMBOL_MAX = 100
const DESCRIPTION_MAX = 2000
const FREQUENCY_MAX = 100

/**
 * Checked and normalised fields (streams-service.md §1.1); absent ones take the value that they have in `before`.
 *
 * @throws ValidationError with all fields that are not valid.
 */
export function streamFields(input: StreamInput, before: Partial<StreamFields> = STREAM_DEFAULTS): StreamFields {
  const faults = new Faults()
  const given = (name: keyof StreamFields): unknown => (input[name] === undefined ? before[name] : input[name])
  const fields: StreamFields = {
    name: textField(faults, 'name', given('name'), { most: NAME_MAX, required: true }) ?? '',
    symbol: (textField(faults, 'symbol', given('symbol'), { most: SYMBOL_MAX, required: true }) ?? '').toUpperCase(),
    description: textField(faults, 'description', given('description'), { most: DESCRIPTION_MAX }) ?? '',
    frequency: textField(faults, 'frequency', given('frequency'), { most: FREQUENCY_MAX }) ?? '',
    slaMs: cutField(faults, 'sla_ms', given('slaMs')),
    status: choiceField(faults, 'status', given('status'), { choices: STREAM_STATUSES, fallback: 'inactive' }),
    metadata: metadataField(faults, 'metadata', given('metadata')),
    sequenceMode: choiceField(faults, 'sequence_mode', given('sequenceMode'), {
      choices: ['any', 'dense'],
      fallback: 'any',
    }),
    observedPath: pointerField(faults, given('observedPath')),
    onPaused: choiceField(faults, 'on_paused', given('onPaused'), {
      choices: ['reject', 'buffer'],
      fallback: 'reject',
    }),
    autoActivate: booleanField(faults, 'auto_activate', given('autoActivate'), true),
    retention: retentionField(faults, given('retention')),
  }
  if (faults.list.length > 0) throw new ValidationError(faults.list)
  return fields
}

/**
 * A change of single fields: those that are given replace, in `metadata` entry by entry; an entry of `null` goes, and
 * `metadata: null` clears it.
 */
export function patchedFields(before: StreamFields, patch: StreamInput): StreamFields {
  const { metadata } = patch
  if (metadata === null) return streamFields({ ...patch, metadata: {} }, before)
  if (typeof metadata !== 'object' || Array.isArray(metadata)) return streamFields(patch, before)
  const gone = Object.entries(metadata).filter(([, value]) => value === null)
  const left = new Set(gone.map(([key]) => key.trim().toLowerCase()))
  const kept = Object.entries(before.metadata).filter(([key]) => !left.has(key))
  return streamFields({ ...patch, metadata: { ...Object.fromEntries(kept), ...metadata } }, before)
}

function pointerField(faults: Faults, value: unknown): string | null {
  if (value === undefined || value === null) return null
  const text = textField(faults, 'observed_path', value, { most: 1024 })
  if (text === undefined || text === '') return null
  if (/^(?:\/(?:[^~]|~[01])*)+$/.test(text)) return text
  faults.field('observed_path', 'format', 'must be a JSON pointer such as /measured/at')
  return null
}

function retentionField(faults: Faults, value: unknown): Retention {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) {
    faults.field('retention', 'type', 'must be an object')
    return {}
  }
  const { maxAgeMs, maxFrames, maxBytes } = value as Readonly<Record<keyof Retention, unknown>>
  const limit = (name: string, limited: unknown, parse: (text: string) => number | undefined): number | undefined => {
    if (limited === undefined || limited === null) return undefined
    const number = typeof limited === 'string' ? parse(limited.trim()) : limited
    if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 1) return number
    faults.field(`retention/${name}`, 'range', 'must be a whole number from 1 on')
    return undefined
  }
  return {
    maxAgeMs: limit('max_age', maxAgeMs, parseDuration),
    maxFrames: limit('max_frames', maxFrames, Number),
    maxBytes: limit('max_bytes', maxBytes, parseBytes),
  }
}
