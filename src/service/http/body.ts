import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createZstdDecompress } from 'node:zlib'
import type { Deadlines } from './deadlines.ts'
import { refusal, tooLarge } from './problem.ts'

/** A body that brings nothing for so long is given up. */
const SLOW_BODY_MS = 30_000

const DECODERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
} as const

/** The bytes of a body, decompressed; nothing of them has been read. Throws `unsupported_media_type`. */
export function decodedBody(request: IncomingMessage): Readable {
  const encoding = request.headers['content-encoding']
  if (encoding === undefined || encoding === 'identity' || encoding === '') return request
  const decoder = DECODERS[encoding.trim().toLowerCase() as keyof typeof DECODERS]
  if (decoder === undefined) {
    throw refusal('unsupported_media_type', `content encoding ${encoding.slice(0, 40)} is not known`, {
      headers: { 'accept-encoding': 'gzip, br, zstd' },
    })
  }
  const decoded = decoder()
  request.on('error', (error) => decoded.destroy(error))
  request.on('close', () => {
    if (!request.complete) decoded.destroy(new Error('the connection was closed'))
  })
  return request.pipe(decoded)
}

/** The whole body as text. Throws `too_large`, also when it only grows so large, `bad_request`, `invalid_json`. */
export async function bodyText(request: IncomingMessage, limit: number, deadlines: Deadlines): Promise<string> {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > limit) throw tooLarge(limit)
  const bytes = await collect(decodedBody(request), limit, deadlines)
  if (!isUtf8(bytes)) throw refusal('invalid_json', 'invalid JSON: the body is not UTF-8')
  return bytes.toString('utf8')
}

function collect(body: Readable, limit: number, deadlines: Deadlines): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const chunks: Buffer[] = []
  let length = 0
  let over = false
  let idle = deadlines.add(SLOW_BODY_MS, expire)
  function expire(): void {
    fail(refusal('bad_request', 'the body did not come in time'))
  }
  function fail(error: unknown): void {
    over = true
    idle()
    chunks.length = 0
    reject(error)
  }
  body.on('data', (chunk: Buffer) => {
    if (over) return
    length += chunk.length
    if (length > limit) fail(tooLarge(limit))
    else if (chunks.push(chunk) % 64 === 0) {
      idle()
      idle = deadlines.add(SLOW_BODY_MS, expire)
    }
  })
  body.on('end', () => {
    if (over) return
    over = true
    idle()
    resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length))
  })
  body.on('error', (error: NodeJS.ErrnoException) => {
    if (!over) fail(unreadable(error))
  })
  body.on('close', () => {
    if (!over) fail(refusal('bad_request', 'the body ended early'))
  })
  return promise
}

/** What still comes of a refused body is read away, so that the caller gets the answer; not for long. */
export function letGo(request: IncomingMessage, deadlines: Deadlines): void {
  if (request.complete) return
  const drop = deadlines.add(SLOW_BODY_MS, () => request.destroy())
  request.once('close', drop).unpipe().resume()
}

/** Of decompression: the bytes are not what their encoding says. */
export const unreadable = (error: NodeJS.ErrnoException) =>
  refusal(
    'bad_request',
    error.code?.startsWith('Z') === true ||
      error.code?.startsWith('ERR_') === true ||
      error.code?.startsWith('BROTLI') === true
      ? 'the body does not decompress'
      : 'the body cannot be read',
  )
