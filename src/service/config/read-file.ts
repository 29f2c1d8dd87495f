import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { HeadraceError } from '../../core/errors.ts'

/** A value of the file under its path. */
export interface FileValue {
  readonly value: unknown
  readonly file: string
  readonly from: 'file' | 'profile'
}

const EXTENDS_MAX = 10

/**
 * The values of a configuration file, those of the files that it extends below them, those of the profile above. Throws
 * `config_invalid`.
 */
export async function readConfigFile(
  path: string,
  profile: string | undefined,
): Promise<ReadonlyMap<string, FileValue>> {
  const { parse } = await import('yaml')
  const values = new Map<string, FileValue>()
  const read = (file: string, trail: readonly string[]): Record<string, unknown> => {
    if (trail.includes(file)) throw invalid(file, `extends itself: ${[...trail, file].join(' → ')}`)
    if (trail.length >= EXTENDS_MAX) throw invalid(file, `more than ${EXTENDS_MAX} files extend each other`)
    let document: unknown
    try {
      document = parse(readFileSync(file, 'utf8')) ?? {}
    } catch (error) {
      throw invalid(file, (error as Error).message.split('\n')[0]!)
    }
    if (!isMap(document)) throw invalid(file, 'must be a map of settings')
    const { extends: bases = [], ...own } = document
    for (const base of Array.isArray(bases) ? bases : [bases]) {
      const below = read(resolve(dirname(file), String(base)), [...trail, file])
      put(values, below, { file: String(base), from: 'file' })
    }
    return own
  }
  const { profiles = {}, ...own } = read(resolve(path), [])
  put(values, own, { file: path, from: 'file' })
  if (profile === undefined) return values
  const chosen = isMap(profiles) ? profiles[profile] : undefined
  if (!isMap(chosen)) throw invalid(path, `has no profile "${profile}"`)
  put(values, chosen, { file: path, from: 'profile' })
  return values
}

function put(
  values: Map<string, FileValue>,
  tree: Readonly<Record<string, unknown>>,
  { file, from, below = '' }: { readonly file: string; readonly from: FileValue['from']; readonly below?: string },
): void {
  for (const [name, value] of Object.entries(tree)) {
    if (name === 'profiles' && below === '') continue
    const path = `${below}${name}`
    if (isMap(value)) put(values, value, { file, from, below: `${path}.` })
    else if (value !== null && value !== undefined) values.set(path, { value, file, from })
  }
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const invalid = (file: string, detail: string) => new HeadraceError('config_invalid', `${file}: ${detail}`)
