import { described } from '../../core/option-names.ts'
import { DataSourceError } from './errors.ts'

/** Where reading goes on in one partition: at the connector's own offset, some rows later. */
export interface SplitOffset {
  /** The connector's own; undefined: where the source's options say. */
  readonly offset: string | undefined
  /** Rows behind it that are done. */
  readonly skip: number
}

export const START: SplitOffset = { offset: undefined, skip: 0 }

/** Positions that the connector itself does not name are counted in rows from one that it does: `r1:<rows>:<offset>`. */
export function splitOffsetText({ offset, skip }: SplitOffset): string {
  if (skip === 0 && offset !== undefined) return offset
  return `r1:${skip}:${offset ?? ''}`
}

export function parseSplitOffset(text: string): SplitOffset {
  if (typeof text !== 'string') throw invalid(text)
  const match = /^r1:(\d+):(.*)$/s.exec(text)
  if (match !== null) return { offset: match[2] === '' ? undefined : match[2], skip: Number(match[1]) }
  if (text.length === 0 || text.length > OFFSET_MAX) throw invalid(text)
  return { offset: text, skip: 0 }
}

/** The offset behind the first `done` of the `rows` rows between `start` and `next`. */
export function offsetWithin(
  { start, next }: { readonly start: SplitOffset; readonly next: string },
  { done, rows }: { readonly done: number; readonly rows: number },
): SplitOffset {
  if (done === rows) return { offset: next, skip: 0 }
  // A channel counts its rows one by one, and nothing can be counted from what it has freed.
  const sequence = /^m1:(\d+)$/.exec(next)
  if (sequence !== null) return { offset: `m1:${Number(sequence[1]) - (rows - done)}`, skip: 0 }
  return { offset: start.offset, skip: start.skip + done }
}

const OFFSET_MAX = 8192

/** Where a reader is in all its partitions: `p1:` and JSON. */
export const positionText = (positions: ReadonlyMap<string, SplitOffset>): string =>
  `p1:${JSON.stringify(Object.fromEntries([...positions].map(([split, at]) => [split, splitOffsetText(at)])))}`

/** Undefined when the text is the offset of one record. */
export function parsePosition(text: string): Map<string, SplitOffset> | undefined {
  if (typeof text !== 'string') throw invalid(text)
  if (!text.startsWith('p1:')) return undefined
  try {
    const entries = Object.entries(JSON.parse(text.slice(3)) as Record<string, string>)
    return new Map(entries.map(([split, at]) => [split, parseSplitOffset(at)]))
  } catch (error) {
    throw error instanceof DataSourceError ? error : invalid(text)
  }
}

function invalid(text: unknown): DataSourceError {
  const isText = typeof text === 'string'
  const shown = isText ? `"${text.length > 80 ? `${text.slice(0, 80)}…` : text}"` : described(text)
  return new DataSourceError('SourceSpecific', 'connector_offset_invalid', `${shown} is not an offset`, {
    hint: 'give what position() or the offset of a record gave',
  })
}

/** An offset with names for its parts; offsets are opaque to everything else. */
export type OffsetView =
  | {
      readonly kind: 'file'
      readonly identity: string
      /** Uncompressed byte where reading goes on. */
      readonly byteOffset: number
      /** Rows before it in the file. */
      readonly line: number
      /** Rows behind it that are done. */
      readonly skip: number
      /** The record's partition, when it was given. */
      readonly path?: string | undefined
    }
  | { readonly kind: 'sequence'; readonly next: bigint; readonly skip: number }
  | { readonly kind: 'start'; readonly skip: number }
  | { readonly kind: 'text'; readonly text: string; readonly skip: number }

const SEQUENCES: Readonly<Record<string, string>> = { memory: 'm1', channel: 'm1', datagen: 'g1', nexmark: 'g1' }

/** The parts of an offset of that scheme; `partition`: that of its record. */
export function decodeOffset(scheme: string, text: string, partition?: string): OffsetView {
  const { offset, skip } = parseSplitOffset(text)
  if (offset === undefined) return { kind: 'start', skip }
  const file = scheme === 'file' ? /^f1:(\d+\.\d+\.[0-9a-f]+):(\d+):(\d+)$/.exec(offset) : null
  if (file !== null) {
    const [, identity = '', byte, row] = file
    const path = partition === undefined ? {} : { path: partition }
    return { kind: 'file', identity, byteOffset: Number(byte), line: Number(row), skip, ...path }
  }
  const tag = SEQUENCES[scheme]
  const sequence = tag === undefined ? null : new RegExp(`^${tag}:(\\d+)$`).exec(offset)
  if (sequence !== null) return { kind: 'sequence', next: BigInt(sequence[1]!), skip }
  if (scheme === 'file' || tag !== undefined) throw invalid(text)
  return { kind: 'text', text: offset, skip }
}

/** The text that `decodeOffset` takes apart. */
export function encodeOffset(scheme: string, view: OffsetView): string {
  const own = ((): string | undefined => {
    switch (view?.kind) {
      case 'file':
        return `f1:${view.identity}:${view.byteOffset}:${view.line}`
      case 'sequence':
        return `${SEQUENCES[scheme] ?? 'n1'}:${view.next}`
      case 'text':
        return view.text
      case 'start':
        return undefined
      default:
        throw invalid(view)
    }
  })()
  return splitOffsetText({ offset: own, skip: view.skip })
}
