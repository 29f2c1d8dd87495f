import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { BackOff, isRetryable, RETRY_DEFAULTS } from '../core/retry.ts'
import { StreamsClientError } from './client-error.ts'
import type { Connection } from './connection.ts'
import type { LiveFrame, SubscribeOptions } from './types.ts'
import { frameFrom, framesFrom } from './wire.ts'

/** The service sends a sign of life every 15 s: a connection without any for so long is dead. */
const SILENT_MS = 45_000
const RECONNECT_MS_MAX = 10_000
const POLL_SECONDS = 20

/** Where a subscription stands. */
interface Place {
  cursor: string | undefined
  ended: boolean
}

/**
 * Frames of a stream as they come, over as many connections as it takes: each goes on behind the last frame that was
 * given. Ends with the stream, or the signal.
 */
export async function* subscribeTo(
  connection: Connection,
  streamId: string,
  options: SubscribeOptions,
): AsyncGenerator<LiveFrame, void, undefined> {
  const { signal, transport = 'sse' } = options
  const place: Place = { cursor: options.cursor, ended: false }
  const path = `/v1/streams/${encodeURIComponent(streamId)}/subscribe`
  const read = transport === 'sse' ? readEvents : readPages
  let backOff = newBackOff(connection)
  const aborted = (): boolean => signal?.aborted === true
  while (!place.ended && !aborted()) {
    try {
      for await (const frame of read(connection, path, { place, options })) {
        backOff = newBackOff(connection)
        yield frame
      }
      continue
    } catch (error) {
      if (aborted()) return
      if (isExpired(error)) {
        goOn(place, error.earliestCursor, options)
        continue
      }
      if (!isRetryable(error)) throw error
    }
    await connection.clock.sleep(backOff.next(), signal)
  }
}

const newBackOff = ({ random }: Connection): BackOff =>
  new BackOff({ ...RETRY_DEFAULTS, maxMs: RECONNECT_MS_MAX }, random)

interface Reading {
  readonly place: Place
  readonly options: SubscribeOptions
}

function queryOf({ place, options }: Reading): Readonly<Record<string, string | undefined>> {
  const { from, statuses } = options
  const start = from instanceof Date ? from.toISOString() : from
  return {
    cursor: place.cursor,
    from: place.cursor === undefined && start !== undefined ? String(start) : undefined,
    filter: statuses === undefined ? undefined : `status:${statuses.join(',')}`,
  }
}

async function* readPages(connection: Connection, path: string, reading: Reading): AsyncGenerator<LiveFrame> {
  const { place, options } = reading
  const query = { ...queryOf(reading), wait: String(POLL_SECONDS), limit: '500' }
  const response = await connection.once({ method: 'GET', path, query, signal: options.signal })
  const isFirst = place.cursor === undefined
  if (response.status === 204) {
    place.cursor = response.headers.get('next-cursor') ?? place.cursor
    if (isFirst && place.cursor !== undefined) options.onReady?.(place.cursor)
    return
  }
  const { data, nextCursor } = framesFrom(await response.text())
  for (const [i, frame] of data.entries()) {
    // Only the cursor behind the page is known: a reader who stops inside it gets its frames again.
    const cursor = i === data.length - 1 && nextCursor !== undefined ? nextCursor : (place.cursor ?? '')
    if (i === data.length - 1) place.cursor = nextCursor
    yield { ...frame, cursor }
  }
}

async function* readEvents(connection: Connection, path: string, reading: Reading): AsyncGenerator<LiveFrame> {
  const { place, options } = reading
  const silence = new AbortController()
  const signals = options.signal === undefined ? [silence.signal] : [silence.signal, options.signal]
  const signal = AbortSignal.any(signals)
  const headers = {
    accept: 'text/event-stream',
    ...(place.cursor === undefined ? {} : { 'last-event-id': place.cursor }),
  }
  const response = await connection.once(
    { method: 'GET', path, query: queryOf(reading), headers, signal },
    { forever: true },
  )
  const waiting: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (event) => waiting.push(event) })
  const decoder = new TextDecoder()
  const reader = response.body!.getReader()
  try {
    for (;;) {
      const { done, value } = await withinSilence(reader.read(), connection, silence)
      if (done) return
      parser.feed(decoder.decode(value, { stream: true }))
      for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) {
        const frame = onEvent(event, place, options)
        if (frame !== undefined) yield frame
        if (place.ended) return
      }
    }
  } catch (error) {
    if (error instanceof StreamsClientError || options.signal?.aborted === true) throw error
    throw new StreamsClientError('unavailable', 'the live connection was cut', { status: 0, cause: error })
  } finally {
    // Also when the caller stops: nobody reads on.
    await reader.cancel().catch(() => undefined)
  }
}

/** The frame of an event, when it is one; moves the place. */
function onEvent(
  { event, id, data }: EventSourceMessage,
  place: Place,
  options: SubscribeOptions,
): LiveFrame | undefined {
  if (event === 'frame') {
    place.cursor = id
    return { ...frameFrom(data), cursor: id ?? '' }
  }
  const { cursor } = JSON.parse(data) as { readonly cursor?: string }
  if (event === 'ready') {
    place.cursor = cursor
    options.onReady?.(cursor ?? '')
  } else if (event === 'reset') goOn(place, cursor, options)
  else if (event === 'end') place.ended = true
  else if (cursor !== undefined) place.cursor = cursor
  return undefined
}

/** Retention has passed the place. */
function goOn(place: Place, earliest: string | undefined, { onReset }: SubscribeOptions): void {
  if (onReset === undefined || earliest === undefined) {
    throw new StreamsClientError('cursor_expired', 'retention has passed the cursor', {
      status: 410,
      earliestCursor: earliest,
    })
  }
  place.cursor = earliest
  onReset(earliest)
}

/** Given by the service, not by `goOn`, which throws to the caller. */
const isExpired = (error: unknown): error is StreamsClientError =>
  error instanceof StreamsClientError && error.code === 'cursor_expired' && error.traceId !== undefined

async function withinSilence<T>(read: Promise<T>, { clock }: Connection, silence: AbortController): Promise<T> {
  const done = new AbortController()
  void clock.sleep(SILENT_MS, done.signal).then(() => {
    if (!done.signal.aborted) silence.abort(new Error('silent'))
  })
  try {
    return await read
  } finally {
    done.abort()
  }
}
