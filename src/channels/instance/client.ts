import { HeadraceError } from '../../core/errors.ts'
import type { Uri } from '../../core/uri.ts'

/** The name of `instance:name`. */
export function streamName(uri: Uri): string {
  const name = uri.hosts[0]?.name ?? uri.path.join('/')
  if (/^[A-Za-z0-9_.-]{1,128}$/.test(name)) return name
  throw new HeadraceError('connector_uri_invalid', `"${name}" is not the name of a stream`, {
    hint: 'letters, digits, "_", "." and "-", at most 128',
  })
}
