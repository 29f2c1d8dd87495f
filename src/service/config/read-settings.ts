import { HeadraceError, HeadraceErrors } from '../../core/errors.ts'
import { parseOptionText } from '../../core/option-text.ts'
import type { Option } from '../../core/option-types.ts'
import { didYouMean } from '../../core/suggest.ts'
import { replaceVariables } from '../../core/variables.ts'
import { type FileValue, readConfigFile } from './read-file.ts'
import { environmentName, type Origin, type SettingName, type Settings, settingSpec } from './spec.ts'

export interface ReadSettings {
  readonly settings: Settings
  readonly origins: Readonly<Record<SettingName, Origin>>
}

type Environment = Readonly<Record<string, string | undefined>>
type Given = string | boolean | readonly unknown[]

/**
 * All settings: command line before environment before profile before file before default. All faults are told together,
 * as `config_invalid`.
 */
export async function readSettings({
  flags,
  environment,
  file,
  profile,
}: {
  readonly flags: Readonly<Partial<Record<SettingName, string | boolean>>>
  readonly environment: Environment
  readonly file?: string | undefined
  readonly profile?: string | undefined
}): Promise<ReadSettings> {
  const fromFile = file === undefined ? new Map<string, FileValue>() : await readConfigFile(file, profile)
  const faults: HeadraceError[] = []
  const names = Object.keys(settingSpec) as SettingName[]
  for (const [path, { file: where }] of fromFile) {
    if (path in settingSpec) continue
    const hint = didYouMean(path, names)
    faults.push(new HeadraceError('config_invalid', `${where}: no setting "${path}"`, { hint }))
  }
  const values: Record<string, unknown> = {}
  const origins: Record<string, Origin> = {}
  for (const name of names) {
    const option: Option<unknown> = settingSpec[name]
    const found = givenFor(name, { flags, environment, fromFile })
    origins[name] = found?.origin ?? 'default'
    values[name] = option.default
    if (found === undefined) continue
    const parsed = parseOptionText(option, substituted(found.value, environment, faults))
    if ('value' in parsed) values[name] = parsed.value
    else faults.push(fault(name, found.origin, parsed))
  }
  if (faults.length > 0) throw faults.length === 1 ? faults[0]! : new HeadraceErrors(faults)
  return { settings: values as Settings, origins: origins as Record<SettingName, Origin> }
}

function givenFor(
  name: SettingName,
  {
    flags,
    environment,
    fromFile,
  }: {
    readonly flags: Readonly<Partial<Record<SettingName, string | boolean>>>
    readonly environment: Environment
    readonly fromFile: ReadonlyMap<string, FileValue>
  },
): { readonly value: Given; readonly origin: Origin } | undefined {
  const flag = flags[name]
  if (flag !== undefined) return { value: flag, origin: 'command line' }
  const variable = environment[environmentName(name)]
  if (variable !== undefined && variable !== '') return { value: variable, origin: 'environment' }
  const entry = fromFile.get(name)
  if (entry === undefined) return undefined
  const { value } = entry
  const given = typeof value === 'string' || typeof value === 'boolean' || Array.isArray(value) ? value : String(value)
  return { value: given, origin: entry.from }
}

/** `${NAME}` in texts, once. */
function substituted(value: Given, environment: Environment, faults: HeadraceError[]): Given {
  if (typeof value !== 'string' || !value.includes('${')) return value
  const missing = (name: string): never => {
    throw new HeadraceError('config_invalid', `\${${name}} has no value`, { hint: 'set it in the environment' })
  }
  try {
    return replaceVariables(value, { value: (name) => environment[name], secret: missing, missing })
  } catch (error) {
    faults.push(error as HeadraceError)
    return value
  }
}

function fault(
  name: SettingName,
  origin: Origin,
  { fault: detail, hint }: { readonly fault: string; readonly hint?: string | undefined },
): HeadraceError {
  const option: Option<unknown> = settingSpec[name]
  const shown = option.secret ? 'the value is not valid' : detail
  return new HeadraceError('config_invalid', `setting ${name} (${origin}): ${shown}`, { hint })
}
