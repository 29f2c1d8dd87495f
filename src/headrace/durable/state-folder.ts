import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { CheckpointError } from '../../checkpoint/error.ts'
import { HeadraceError } from '../../core/errors.ts'

/** Where a pipeline keeps what must survive it. */
export interface StateFolder {
  /** `<data_dir>/pipelines/<name>`. */
  readonly path: string
  /** The data directory, when it was made now: its path is printed once (rulings 9). */
  readonly made: string | undefined
}

/** What `pipeline.json` says of a state folder. */
export interface FolderFacts {
  readonly format: 1
  readonly name: string
  /** Absolute path of the script that may use it. */
  readonly script: string | null
  /** Absolute path of the place of its snapshots, when they are not in the folder (`checkpoint.store`). */
  readonly store?: string | undefined
}

/** `--data-dir`, `HEADRACE_DATA_DIR`, or `.headrace` of the working directory (rulings 68). */
export const dataDirectory = (
  given: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  workingDirectory: string,
): string => resolve(workingDirectory, given ?? environment['HEADRACE_DATA_DIR'] ?? '.headrace')

export const folderOf = (dataDir: string, pipeline: string): string =>
  join(dataDir, 'pipelines', encodeURIComponent(pipeline))

/**
 * The folder of a pipeline, made when it is not there. It belongs to one script: the same name from another path is
 * refused (rulings 2).
 */
export function openStateFolder(
  { dataDir, script }: { readonly dataDir: string; readonly script: string | undefined },
  { pipeline, store }: { readonly pipeline: string; readonly store: string | undefined },
): StateFolder {
  const path = folderOf(dataDir, pipeline)
  const made = existsSync(dataDir) ? undefined : dataDir
  const place = store === undefined ? undefined : resolve(store)
  try {
    const known = readFacts(path)
    if (known !== undefined) refuseOther(known, path, script)
    mkdirSync(path, { recursive: true })
    if (made !== undefined) writeFileSync(join(dataDir, '.gitignore'), '*\n')
    const next: FolderFacts = { format: 1, name: pipeline, script: known?.script ?? script ?? null, store: place }
    if (known === undefined || known.store !== next.store || known.script !== next.script) {
      writeFacts(path, next)
      for (const folder of [path, dirname(path), dataDir, dirname(dataDir)]) syncFolder(folder)
    }
    return { path, made }
  } catch (error) {
    if (error instanceof HeadraceError) throw error
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new HeadraceError('connector_forbidden', `cannot keep the state of "${pipeline}" in "${path}": ${code}`, {
      hint: 'give another place: --data-dir DIR, or HEADRACE_DATA_DIR',
      cause: error,
    })
  }
}

const factsFile = (path: string): string => join(path, 'pipeline.json')

/** Whose folder it is; undefined when it is no state folder. Throws `IoError` for a damaged `pipeline.json`. */
export function readFacts(path: string): FolderFacts | undefined {
  const file = factsFile(path)
  if (!existsSync(file)) return undefined
  const text = readFileSync(file, 'utf8')
  try {
    const { name, script, store } = JSON.parse(text) as FolderFacts
    const isText = (given: unknown): boolean => typeof given === 'string'
    if (isText(name) && (script === null || isText(script)) && (store === undefined || isText(store))) {
      return { format: 1, name, script, store }
    }
  } catch {
    // Told below: what is no JSON has no facts either.
  }
  throw new CheckpointError('IoError', `"${file}" is damaged: it does not tell whose state this is`, {
    hint: 'remove that one file: the next start writes it anew and goes on from the checkpoints beside it',
  })
}

/** Whole or not there, whenever this dies; and durable before a sink holds anything, or a start would begin anew. */
function writeFacts(path: string, facts: FolderFacts): void {
  const file = factsFile(path)
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(facts)}\n`, { flush: true })
  renameSync(`${file}.${process.pid}`, file)
}

function syncFolder(path: string): void {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'r')
    fsyncSync(descriptor)
  } catch (error) {
    // A folder that may not be read holds no name of ours.
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

function refuseOther(facts: FolderFacts, path: string, script: string | undefined): void {
  if (facts.script === null || script === undefined || facts.script === script) return
  throw new HeadraceError(
    'pipeline_name_taken',
    `the pipeline "${facts.name}" belongs to "${facts.script}", not to "${script}"`,
    { hint: `give this one a name of its own: -- @name other; or remove "${path}" to start anew` },
  )
}
