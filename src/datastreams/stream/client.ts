import type { ErrorCode } from '../../core/error-kinds.ts'
import { HeadraceError } from '../../core/errors.ts'
import type { Uri } from '../../core/uri.ts'
import { DatastreamsError } from '../errors.ts'
import type { DataStreamsService } from '../service.ts'
import type { Stream } from '../stream.ts'
import type { StreamOptions } from './options.ts'

/** The service of this process, which `stream:///…` means. */
export interface HostedStreams {
  readonly service: DataStreamsService
  /** The account of URIs that name none. */
  readonly account: string
}

let hosted: HostedStreams | undefined

/** From now on `stream:///…` of this process is that service; gives the end of it. */
export function hostStreams(streams: HostedStreams): () => void {
  hosted = streams
  return () => {
    if (hosted === streams) hosted = undefined
  }
}

/** One account of a service. */
export interface StreamAccount {
  readonly service: DataStreamsService
  readonly account: string
}

/** The service of a URI and the account whose streams it means. */
export function accountOf(uri: Uri, options: StreamOptions): StreamAccount {
  if (uri.hosts.length > 0) {
    throw new HeadraceError('not_implemented', 'streams of another process are not read or written from SQL yet', {
      hint: 'stream:///<name> names a stream of this process',
    })
  }
  if (hosted === undefined) {
    throw new HeadraceError('connector_not_found', 'this process has no data streams', {
      hint: 'run the script in a process that serves them',
    })
  }
  return { service: hosted.service, account: options.account ?? hosted.account }
}

/** The id, symbol or name of `stream:///name`. */
export function streamText(uri: Uri): string {
  const text = uri.path.join('/')
  if (text !== '') return text
  throw new HeadraceError('connector_uri_invalid', 'the URI names no stream', {
    hint: 'stream:///<id, symbol or name>',
  })
}

const PAGE = 500
const NAMED_MAX = 5

/** The stream of an id, symbol or name; undefined: there is none. Several of that name are an error. */
export async function findStream({ service, account }: StreamAccount, text: string): Promise<Stream | undefined> {
  try {
    return await service.getStream(account, text)
  } catch (error) {
    if (!(error instanceof DatastreamsError) || error.code !== 'not_found') throw connectorFault(error)
  }
  const found = new Map<string, Stream>()
  for (const query of [{ symbol: text.toUpperCase() }, { namePrefix: text }]) {
    let after: Stream | undefined
    do {
      const page = await service.listStreams(account, { ...query, limit: PAGE, after }).catch(rethrow)
      for (const stream of page) {
        if (stream.name === text || stream.symbol === text.toUpperCase()) found.set(stream.id, stream)
      }
      after = page.length === PAGE ? page.at(-1) : undefined
    } while (after !== undefined)
  }
  if (found.size <= 1) return [...found.values()][0]
  const ids = [...found.keys()]
  const more = ids.length > NAMED_MAX ? ` and ${ids.length - NAMED_MAX} more` : ''
  throw new HeadraceError('connector_uri_invalid', `"${text}" names ${ids.length} streams`, {
    hint: `use an id: ${ids.slice(0, NAMED_MAX).join(', ')}${more}`,
    details: { ids },
  })
}

export async function knownStream(account: StreamAccount, text: string): Promise<Stream> {
  const stream = await findStream(account, text)
  if (stream !== undefined) return stream
  throw new HeadraceError('connector_not_found', `there is no stream "${text}"`, {
    hint: 'make it first, or write to it with create = true',
  })
}

const CODES: Readonly<Partial<Record<DatastreamsError['code'], ErrorCode>>> = {
  not_found: 'connector_not_found',
  forbidden: 'connector_forbidden',
  ownership: 'connector_forbidden',
  fenced: 'connector_fenced',
  unavailable: 'connector_unreachable',
  // Back-pressure: the same is tried again later.
  stream_paused: 'connector_throttled',
  stream_not_active: 'connector_throttled',
}

/** An error of the service as one of a connector: its code tells what can be done. */
export function connectorFault(error: unknown): unknown {
  if (!(error instanceof DatastreamsError)) return error
  if (error.code === 'cursor_expired') {
    const earliest = `s1:${String(error.details?.['earliest'])}`
    return new HeadraceError('connector_offset_gone', error.message, {
      hint: `the earliest position is ${earliest}`,
      details: { earliest },
      cause: error,
    })
  }
  const code = CODES[error.code]
  return code === undefined ? error : new HeadraceError(code, error.message, { cause: error })
}

export function rethrow(error: unknown): never {
  throw connectorFault(error)
}
