import type { FieldFault } from './errors.ts'
import type { Metadata } from './stream.ts'

/** Takes what is wrong with the fields of one input, so that all of it is told at once. */
export class Faults {
  readonly list: FieldFault[] = []

  /** `name: detail`, as for fields that are missing or have a bad value. */
  field(name: string, code: FieldFault['code'], detail: string): void {
    this.list.push({ pointer: `/${name}`, code, detail, message: `${name}: ${detail}` })
  }

  /** A detail that is a sentence of its own. */
  sentence(name: string, code: FieldFault['code'], detail: string): void {
    this.list.push({ pointer: `/${name}`, code, detail, message: detail })
  }
}

const lengthOf = (text: string): number => {
  let length = 0
  for (const _ of text) length++
  return length
}

/** A trimmed text; undefined when it is not valid, which is noted. */
export function textField(
  faults: Faults,
  name: string,
  value: unknown,
  form: { readonly most: number; readonly required?: boolean },
): string | undefined {
  if (value === undefined || value === null) {
    if (form.required === true) faults.field(name, 'required', 'is required')
    return form.required === true ? undefined : ''
  }
  if (typeof value !== 'string') {
    faults.field(name, 'type', 'must be a text')
    return undefined
  }
  const text = value.trim()
  if (text === '' && form.required === true) faults.field(name, 'required', 'is required')
  else if (lengthOf(text) > form.most) faults.field(name, 'too_long', `has more than ${form.most} characters`)
  return text
}

/** One of the choices, trimmed and lower-cased; empty gives the fallback. */
export function choiceField<C extends string>(
  faults: Faults,
  name: string,
  value: unknown,
  form: { readonly choices: readonly C[]; readonly fallback: C; readonly aliases?: Readonly<Record<string, C>> },
): C {
  if (value === undefined || value === null) return form.fallback
  if (typeof value !== 'string') {
    faults.field(name, 'type', 'must be a text')
    return form.fallback
  }
  const text = value.trim().toLowerCase()
  if (text === '') return form.fallback
  const found = form.choices.find((choice) => choice === text) ?? form.aliases?.[text]
  if (found === undefined) faults.sentence(name, 'enum', `invalid ${name} ${value.trim()}`)
  return found ?? form.fallback
}

/** A whole number from 0 on: negative becomes 0, fractions are cut. */
export function cutField(faults: Faults, name: string, value: unknown): number {
  if (value === undefined || value === null) return 0
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    faults.field(name, 'type', 'must be a number')
    return 0
  }
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.trunc(value)))
}

export function booleanField(faults: Faults, name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined || value === null) return fallback
  if (typeof value === 'boolean') return value
  faults.field(name, 'type', 'must be true or false')
  return fallback
}

const ENTRIES_MAX = 64
const KEY_MAX = 64
const VALUE_MAX = 1024

/** Keys trimmed and lower-cased, empty ones dropped; values trimmed, others than texts dropped. */
export function metadataField(faults: Faults, name: string, value: unknown): Metadata {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) {
    faults.field(name, 'type', 'must be an object of texts')
    return {}
  }
  const metadata: Record<string, string> = {}
  for (const [key, text] of Object.entries(value)) {
    const trimmed = key.trim().toLowerCase()
    if (trimmed === '' || typeof text !== 'string') continue
    if (lengthOf(trimmed) > KEY_MAX) faults.field(name, 'too_long', `a key has more than ${KEY_MAX} characters`)
    else if (lengthOf(text.trim()) > VALUE_MAX)
      faults.field(name, 'too_long', `the value of "${trimmed}" has more than ${VALUE_MAX} characters`)
    // A key such as `__proto__` is a key like any other.
    else
      Object.defineProperty(metadata, trimmed, {
        value: text.trim(),
        enumerable: true,
        writable: true,
        configurable: true,
      })
  }
  const entries = Object.keys(metadata).length
  if (entries > ENTRIES_MAX) faults.field(name, 'too_long', `has ${entries} entries, at most ${ENTRIES_MAX}`)
  return metadata
}
