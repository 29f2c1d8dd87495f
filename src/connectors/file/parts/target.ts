import { fstatSync, readlinkSync, realpathSync, type Stats } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { HeadraceError } from '../../../core/errors.ts'
import type { ConnectorContext } from '../../contract.ts'
import { statOf } from '../client.ts'

/** What is at the path of a sink. */
export interface Target {
  /** Links followed; the path itself where there is nothing yet. */
  readonly path: string
  readonly stat: Stats | undefined
  /** It takes bytes but cannot be replaced: a pipe, a socket, a device, or what this process has open already. */
  readonly isStream: boolean
  /** An open regular file of this process (`/dev/stdout`): written through this descriptor, behind what is there. */
  readonly descriptor: number | undefined
}

export function targetOf(path: string): Target {
  const descriptor = openFileOf(path)
  const real = followed(path)
  const stat = statOf(real, 'write')
  const isStream = descriptor !== undefined || (stat !== undefined && !stat.isFile() && !stat.isDirectory())
  return { path: real, stat, isStream, descriptor }
}

function followed(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

/** Reserves a plain path for one sink of this instance; what it gives lets it go. */
export function takePath({ shared }: Pick<ConnectorContext, 'shared'>, path: string): () => void {
  const taken = shared.get('file:targets', () => new Set<string>())
  if (taken.has(path)) {
    throw new HeadraceError('target_exists', `another output of this run writes "${path}"`, {
      hint: 'give each output a file of its own, or join the queries with UNION ALL',
    })
  }
  taken.add(path)
  return () => taken.delete(path)
}

/** Links that lead to a target at most. */
const LINKS_MAX = 40

/** The descriptor of this process that a path names, itself or by links, when a regular file is open there. */
function openFileOf(path: string): number | undefined {
  const own = new RegExp(`^/(?:dev|proc/${process.pid}(?:/task/\\d+)?)/fd/(\\d+)$`)
  let at = path
  try {
    for (let links = 0; links < LINKS_MAX; links++) {
      at = join(realpathSync(dirname(at)), basename(at))
      const found = own.exec(at)?.[1]
      if (found !== undefined) return fstatSync(Number(found)).isFile() ? Number(found) : undefined
      at = resolve(dirname(at), readlinkSync(at))
    }
  } catch {
    // It is no link, or nothing is there.
  }
  return undefined
}
