import { systemClock } from '../../core/clock.ts'
import { HeadraceError } from '../../core/errors.ts'
import { commandChecksum as checksum, queueState } from '../../headrace/dlq/commands.ts'
import { purgeEntries } from '../../headrace/dlq/purge.ts'
import { listed, pageOf, type QueueStats, selectEntries, statsOf } from '../../headrace/dlq/select.ts'
import { type WholeEntry, wholeEntry } from '../../headrace/dlq/whole-entry.ts'
import type { Io } from '../io.ts'
import { reportError } from '../report.ts'
import type { DlqFilter, ListOptions, PurgeOptions, ShowOptions } from './options.ts'
import { filterOf, placesOf, timeOf } from './places.ts'

/** Runs a query; its error is printed. */
function answer(task: () => void, io: Io, json: boolean): number {
  try {
    task()
    return 0
  } catch (error) {
    return reportError(error, io, json)
  }
}

export function listEntries(options: ListOptions, io: Io, json: boolean): number {
  return answer(
    () => {
      const { limit, cursor } = options
      const from = cursor === undefined ? undefined : cursorOf(cursor)
      let left = limit
      let next: string | undefined
      for (const { pipeline, directory } of placesOf(options)) {
        if (from !== undefined && pipeline < from.pipeline) continue
        const behind = from?.pipeline === pipeline ? from.position : undefined
        const state = queueState(directory)
        const page = pageOf(selectEntries(state, filterOf(options)), { limit: left, cursor: behind })
        if (page === undefined) throw badCursor(cursor!)
        for (const entry of page.entries) {
          const line = listed(pipeline, entry, { schedule: state.schedule, checksum })
          io.out(json ? `${JSON.stringify(line)}\n` : `${listLine(line)}\n`)
        }
        left -= page.entries.length
        if (page.cursor !== undefined) {
          next = `${encodeURIComponent(pipeline)}@${page.cursor}`
          break
        }
      }
      if (next === undefined) return
      if (json) io.out(`${JSON.stringify({ cursor: next })}\n`)
      else io.err(`more: --cursor ${next}\n`)
    },
    io,
    json,
  )
}

function cursorOf(text: string): { readonly pipeline: string; readonly position: string } {
  const at = text.lastIndexOf('@')
  if (at < 1) throw badCursor(text)
  return { pipeline: decodeURIComponent(text.slice(0, at)), position: text.slice(at + 1) }
}

const badCursor = (text: string): HeadraceError =>
  new HeadraceError('cli_usage', `"${text}" is no cursor`, { hint: 'use the one that the page before printed' })

function listLine(entry: ReturnType<typeof listed>): string {
  const { id, first, state, code, stage, split, source, offset, message } = entry
  const row = offset === null ? '' : `:${offset + 1}`
  return `${id}  ${first}  ${state.padEnd(8)}  ${code}  ${stage}  ${split ?? source}${row}  ${message}`
}

export function printStats(options: DlqFilter, io: Io, json: boolean): number {
  return answer(
    () => {
      for (const { pipeline, directory } of placesOf(options)) {
        const stats = statsOf(pipeline, queueState(directory), filterOf(options))
        io.out(json ? `${JSON.stringify(stats)}\n` : statsText(stats))
      }
    },
    io,
    json,
  )
}

function statsText({ pipeline, entries, bytes, resolved, dropped, oldest, fill, causes }: QueueStats): string {
  const more = [
    ...(fill === null ? [] : [`${(100 * fill).toFixed(fill < 0.1 ? 2 : 0)} % full`]),
    ...(oldest === null ? [] : [`oldest ${oldest}`]),
    ...(resolved === 0 ? [] : [`${resolved} resolved`]),
    ...(dropped === 0 ? [] : [`${dropped} dropped`]),
  ]
  const head = [`${pipeline}: ${entries} pending`, `${bytes} bytes`, ...more].join(', ')
  const lines = causes.map(({ category, code, stage, entries: count, first, last }) => {
    const span = first === last ? first : `${first} … ${last}`
    return `  ${String(count).padStart(8)}  ${category.padEnd(10)}  ${code}  ${stage}  ${span}\n`
  })
  return `${head}\n${lines.join('')}`
}

export function showEntry(id: string, options: ShowOptions, io: Io, json: boolean): number {
  return answer(
    () => {
      const { parts, bytes } = findEntry(id, options)
      if (options.raw === true) io.outBytes(bytes)
      else if (options.hex === true) io.out(hexText(bytes))
      else if (json) io.out(`${JSON.stringify(withValue(parts, bytes))}\n`)
      else io.out(`${JSON.stringify(withValue(parts, bytes), null, 2)}\n`)
    },
    io,
    json,
  )
}

function findEntry(id: string, options: ShowOptions): ReturnType<typeof wholeEntry> {
  const found = placesOf(options).flatMap(({ directory }) => {
    const state = queueState(directory)
    return selectEntries(state, { ids: [id] }).map((entry) => ({ state, entry }))
  })
  const exact = found.filter(({ entry }) => entry.id === id)
  const [one, other] = exact.length > 0 ? exact : found
  if (one === undefined) {
    throw new HeadraceError('dlq_entry_not_found', `there is no dead letter "${id}"`, {
      hint: 'headrace dlq list shows them',
    })
  }
  if (other !== undefined) {
    throw new HeadraceError('cli_usage', `"${id}" is the beginning of several ids`, { hint: 'write more of it' })
  }
  return wholeEntry(one.state, one.entry, checksum)
}

/** The bytes as base64 stand first, as in the rows of `dlq.location`. */
const withValue = (parts: WholeEntry, bytes: Uint8Array) => ({
  ...parts,
  original_message: { key: null, value: Buffer.from(bytes).toString('base64'), headers: [], ...parts.original_message },
})

const LINE_BYTES = 16

function hexText(bytes: Uint8Array): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += LINE_BYTES) {
    const line = Buffer.from(bytes.subarray(at, at + LINE_BYTES))
    const digits = (line.toString('hex').match(/../g) ?? []).join(' ').padEnd(3 * LINE_BYTES - 1)
    const text = line.toString('latin1').replace(/[^ -~]/g, '.')
    lines.push(`${at.toString(16).padStart(8, '0')}  ${digits}  ${text}\n`)
  }
  return lines.join('')
}

export async function purge(options: PurgeOptions, io: Io, json: boolean): Promise<number> {
  try {
    const filter = {
      ...filterOf(options),
      ...(options.resolved === true ? { state: 'resolved' } : {}),
      ...(options.olderThan === undefined ? {} : { untilMs: timeOf('--older-than', options.olderThan) }),
    }
    for (const { pipeline, directory } of placesOf(options)) {
      const select = (state: ReturnType<typeof queueState>) => selectEntries(state, filter)
      const isMeant = options.confirm === true
      const entries = isMeant
        ? await purgeEntries(directory, { select, checksum, clock: systemClock })
        : select(queueState(directory)).length
      if (json) io.out(`${JSON.stringify({ pipeline, entries, purged: isMeant })}\n`)
      else io.out(`${pipeline}: ${entries} ${isMeant ? 'purged' : 'would be purged; --confirm removes them'}\n`)
    }
    return 0
  } catch (error) {
    return reportError(error, io, json)
  }
}
