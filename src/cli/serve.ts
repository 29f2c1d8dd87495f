import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../core/clock.ts'
import { HeadraceError } from '../core/errors.ts'
import { didYouMean } from '../core/suggest.ts'
import { type ReadSettings, readSettings } from '../service/config/read-settings.ts'
import { environmentName, type SettingName, settingSpec } from '../service/config/spec.ts'
import type { Io } from './io.ts'
import { reportError } from './report.ts'

export interface ServeOptions {
  readonly host?: string
  readonly port?: string
  readonly dev?: boolean
  readonly store?: string
  readonly config?: string
  readonly profile?: string
  readonly set?: readonly string[]
  readonly dataDir?: string
  readonly printSettings?: boolean
}

const CONFIG_FILE = 'headrace.yaml'

/** Runs until the process is told to stop. Returns the exit code. */
export async function serve(options: ServeOptions, io: Io, json: boolean): Promise<number> {
  const read = await readSettings({
    flags: flagsOf(options),
    environment: process.env,
    file: options.config ?? process.env['HEADRACE_CONFIG'] ?? (existsSync(CONFIG_FILE) ? CONFIG_FILE : undefined),
    profile: options.profile ?? process.env['HEADRACE_PROFILE'],
  })
  if (options.printSettings === true) {
    io.out(settingsText(read, json))
    return 0
  }
  const { settings } = read
  const [{ Server }, { createLog }] = await Promise.all([
    import('../service/server.ts'),
    import('../service/pino-log.ts'),
  ])
  const format = settings['log.format'] ?? (io.errIsTerminal ? 'pretty' : 'json')
  const log = createLog({ level: settings['log.level'], format, clock: systemClock, write: io.err })
  const server = await Server.open(settings, { log })
  log.info({ url: server.url, dev: settings.dev, pid: process.pid }, 'ready')
  if (json) io.out(`${JSON.stringify({ url: server.url })}\n`)
  await stopped(io.signal)
  log.info({}, 'stopping')
  try {
    await server.stop(settings['server.shutdown_timeout'])
  } catch (error) {
    return reportError(error, io, json)
  }
  log.info({}, 'stopped')
  return 0
}

const stopped = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

function flagsOf({
  host,
  port,
  dev,
  store,
  dataDir,
  set = [],
}: ServeOptions): Partial<Record<SettingName, string | boolean>> {
  const flags: Partial<Record<SettingName, string | boolean>> = {}
  for (const entry of set) {
    const at = entry.indexOf('=')
    const name = at < 0 ? entry : entry.slice(0, at)
    if (!Object.hasOwn(settingSpec, name)) {
      throw new HeadraceError('config_invalid', `--set: no setting "${name}"`, {
        hint: didYouMean(name, Object.keys(settingSpec)) ?? 'headrace serve --print-settings lists them',
      })
    }
    flags[name as SettingName] = at < 0 ? true : entry.slice(at + 1)
  }
  if (host !== undefined) flags['server.host'] = host
  if (port !== undefined) flags['server.port'] = port
  if (dev !== undefined) flags.dev = dev
  if (store !== undefined) flags['streams.store'] = store
  if (dataDir !== undefined) flags.data_dir = dataDir
  return flags
}

/** Every setting with its origin; secrets are masked. */
function settingsText({ settings, origins }: ReadSettings, json: boolean): string {
  const names = Object.keys(settingSpec) as SettingName[]
  const shown = (name: SettingName): unknown =>
    settingSpec[name].secret && settings[name] !== undefined ? '***' : (settings[name] ?? null)
  if (json) {
    const entries = names.map((name) => [
      name,
      { value: shown(name), origin: origins[name], env: environmentName(name) },
    ])
    return `${JSON.stringify(Object.fromEntries(entries))}\n`
  }
  const width = Math.max(...names.map(({ length }) => length))
  return names.map((name) => `${name.padEnd(width)}  ${JSON.stringify(shown(name))}  (${origins[name]})\n`).join('')
}

/** Where the data folder of a command is, as `serve` finds it. */
export const streamsFolder = (dataDir: string | undefined): string =>
  join(dataDir ?? process.env['HEADRACE_DATA_DIR'] ?? '.headrace', 'streams')
