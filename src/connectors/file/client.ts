import { type Stats, statSync } from 'node:fs'
import type { ErrorCode } from '../../core/error-kinds.ts'
import { HeadraceError } from '../../core/errors.ts'

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'connector_not_found',
  ENOTDIR: 'connector_not_found',
  ELOOP: 'connector_not_found',
  ENAMETOOLONG: 'connector_uri_invalid',
  EEXIST: 'connector_not_found',
  EACCES: 'connector_forbidden',
  EPERM: 'connector_forbidden',
  EROFS: 'connector_forbidden',
  ENOSPC: 'connector_capacity',
  EDQUOT: 'connector_capacity',
  EIO: 'connector_unreachable',
  EISDIR: 'connector_uri_invalid',
  EXDEV: 'connector_uri_invalid',
  ESPIPE: 'connector_uri_invalid',
  EPIPE: 'sink_closed',
}

const HINTS: Partial<Record<ErrorCode, string>> = {
  connector_not_found: 'check the path; relative paths start at the folder of the script',
  connector_forbidden: 'grant the right to it, or run as a user who may',
  connector_capacity: 'make room on the disk and run again',
}

/** Maps a system error to the catalogue; `code` decides where the system says nothing. */
export function fileError(code: ErrorCode | 'open', message: string, cause: unknown): HeadraceError {
  const system = (cause as NodeJS.ErrnoException | undefined)?.code
  const known = system === undefined ? undefined : CODES[system]
  const final = known ?? (code === 'open' ? 'connector_unreachable' : code)
  return new HeadraceError(final, system === undefined ? message : `${message}: ${system}`, {
    hint: system === 'ESPIPE' ? 'a pipe is read as standard input: FROM stdin' : HINTS[final],
    cause,
  })
}

/** What is at a path; undefined when nothing is. `doing` is what is wanted of it: "read", "write". */
export function statOf(path: string, doing: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    throw fileError('open', `cannot ${doing} "${path}"`, error)
  }
}
