import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Call } from './strace.ts'

/** A thread of the process: SQLite and rows write in the main one, everything else in the pool. */
export type Thread = 'main' | 'pool'

/** One call of a cycle that a kill or an error can be aimed at. */
export interface Point {
  readonly thread: Thread
  readonly call: Call
  /** The same for the same call of every run. */
  readonly line: string
  /** Which of the points with that line it is, from 1. */
  readonly ordinal: number
  /** The first path of the call, below the folder, by which it can be told; undefined where it has a random part. */
  readonly path: string | undefined
  /** Which call of its name it is: of those with the path, or of all of its thread. */
  readonly nth: number
}

const RANDOM_PART = /\.tmp-\d|\w\.json\.\d|-[0-9a-f]{8}-\d+-\d+-\d+\./

const listPath = join(import.meta.dirname, '../points.txt')

/** Calls that only read, and calls on what is no file of the run, are no points. */
function isPoint({ name, text, result }: Call, folder: string, written: Set<string>): boolean {
  const place = text.replaceAll(/<unfinished.*/g, '')
  if (!place.includes(folder)) return false
  if (name === 'openat') {
    const writes = /O_WRONLY|O_RDWR|O_CREAT/.test(place)
    const opened = /^(\d+)</.exec(result)?.[1]
    if (opened !== undefined) {
      if (writes) written.add(opened)
      else written.delete(opened)
    }
    return writes
  }
  if (name !== 'close') return true
  const descriptor = /^(\d+)</.exec(place)?.[1] ?? ''
  return written.has(descriptor)
}

/** The call without descriptors, lengths and everything that differs from run to run. */
function normalised(thread: Thread, call: Call, folder: string): string {
  const paths = pathsOf(call, folder).map((path) =>
    path
      .replace(/\.tmp-\d+-\d+-\w+/, '.tmp-<id>-<incarnation>-<random>')
      .replace(/\d{20}/, '<id>')
      .replace(/(owner|pipeline)\.json\.\d+/, '$1.json.<pid>')
      .replace(/-(\d+)-\d+-\d+-(\d+|list|ledger)$/, '-$1-<incarnation>-<epoch>-$2')
      .replace(/-[0-9a-f]{8}-(\d+)-\d+-(\d+)\./, '-<lineage>-$1-<epoch>-$2.'),
  )
  return [thread, call.name, ...paths].join(' ')
}

/** Paths of a call below the folder; the folder itself is `.`. */
function pathsOf({ name, text }: Call, folder: string): string[] {
  const names = [...text.matchAll(/"([^"]*)"|<([^<>]*)>/g)]
    .map((match) => match[1] ?? match[2]!)
    .filter((path) => path.startsWith(`${folder}/`) || path === folder)
  const own = name === 'link' || name === 'rename' ? names : names.slice(-1)
  return own.map((path) => (path === folder ? '.' : path.slice(folder.length + 1)))
}

/** The points among the calls of one thread. */
export function pointsOf(thread: Thread, calls: readonly Call[], folder: string): Point[] {
  const written = new Set<string>()
  const counts = new Map<string, number>()
  const count = (key: string): number => {
    const next = (counts.get(key) ?? 0) + 1
    counts.set(key, next)
    return next
  }
  const points: Point[] = []
  for (const call of calls) {
    const first = pathsOf(call, folder)[0] ?? ''
    const ofPath = count(`${call.name} ${first}`)
    if (!isPoint(call, folder, written)) continue
    const line = normalised(thread, call, folder)
    const path = RANDOM_PART.test(first) ? undefined : first
    const nth = path === undefined ? call.nth : ofPath
    const ordinal = count(line)
    // Heartbeats come by the clock: a run has as many as it is slow. The first is the same as all others.
    if (line.includes('owner.json.<pid>') && ordinal > 1) continue
    points.push({ thread, call, line, ordinal, path, nth })
  }
  return points
}

/** The list that is kept with the tests: every call that a cycle is known to make. */
export const savedPoints = (): ReadonlySet<string> =>
  new Set(
    readFileSync(listPath, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#')),
  )

export function savePoints(points: readonly Point[]): void {
  const title =
    '# System calls of three cycles, one start, one stop. Written by: npm run test:crash -- --save-points R2\n'
  writeFileSync(listPath, `${title}${[...new Set(points.map(({ line }) => line))].join('\n')}\n`)
}
