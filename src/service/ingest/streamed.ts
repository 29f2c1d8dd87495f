import type { Readable } from 'node:stream'
import type { FrameInput } from '../../datastreams/frame-fields.ts'
import type { FrameOutcome } from '../../datastreams/service.ts'
import { refusal, tooLargeFrame } from '../http/problem.ts'
import { type FrameContext, frameInput } from '../shapes/frame-shape.ts'
import { type Line, linesOf } from './lines.ts'
import { Tally } from './results.ts'

/** Frames that are read but not committed; above it the socket is not read on. */
const WAITING_MAX = 4000
/** Frames of one commit. */
const COMMIT_MAX = 2000

type Waiting = (FrameInput & { readonly receivedAt: number }) | Error

/** What the answer of a streamed body is written to. */
export interface ResultWriter {
  /** Resolves when more can be written. Throws when nobody reads. */
  write(text: string): Promise<void>
  /** Something was written: the status is out. */
  readonly started: boolean
}

export interface StreamedIngest {
  readonly body: Readable
  readonly context: FrameContext
  readonly maxFrameBytes: number
  readonly commit: (frames: readonly FrameInput[]) => Promise<readonly FrameOutcome[]>
  readonly out: ResultWriter
}

/**
 * Frames of a body, line by line: while some are committed, the next are read. Results go out in the order of the lines.
 * A fault of all (the store, the stream) ends it; before anything was written it is thrown.
 */
export async function ingestLines(ingest: StreamedIngest): Promise<Tally> {
  const waiting: Waiting[] = []
  const tally = new Tally()
  let progress = Promise.withResolvers<void>()
  let fault: { readonly error: unknown } | undefined
  let committing: Promise<void> | undefined
  const commitAll = async (): Promise<void> => {
    try {
      while (waiting.length > 0) {
        await commitSome(waiting.splice(0, COMMIT_MAX), ingest, tally)
        progress.resolve()
        progress = Promise.withResolvers()
      }
    } catch (error) {
      fault = { error }
      progress.resolve()
    }
    committing = undefined
  }
  const failed = (): { readonly error: unknown } | undefined => fault
  for await (const lines of linesOf(ingest.body, ingest.maxFrameBytes)) {
    for (const line of lines) waiting.push(frameOf(line, ingest))
    committing ??= commitAll()
    while (waiting.length >= WAITING_MAX && failed() === undefined) await progress.promise
    if (failed() !== undefined) break
  }
  await committing
  const broken = failed()
  if (broken === undefined) return tally
  if (!ingest.out.started) throw broken.error
  // The status is out: the lines that are known to be lost say so, then the answer ends.
  await ingest.out.write(`${tally.result({ status: 'error', error: broken.error as Error })}\n`)
  return tally
}

function frameOf(line: Line, { context, maxFrameBytes }: StreamedIngest): Waiting {
  if ('fault' in line) {
    return line.fault === 'too_large'
      ? tooLargeFrame(maxFrameBytes)
      : refusal('invalid_json', 'invalid JSON: the line is not UTF-8')
  }
  try {
    return frameInput(line.text, context, maxFrameBytes)
  } catch (error) {
    return error as Error
  }
}

async function commitSome(frames: readonly Waiting[], { commit, out }: StreamedIngest, tally: Tally): Promise<void> {
  const sound = frames.filter((frame): frame is Exclude<Waiting, Error> => !(frame instanceof Error))
  const outcomes = sound.length === 0 ? [] : await commit(sound)
  let next = 0
  let text = ''
  for (const frame of frames) {
    text += tally.result(frame instanceof Error ? { status: 'error', error: frame } : outcomes[next++]!)
    text += '\n'
  }
  await out.write(text)
}
