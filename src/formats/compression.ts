import { createGunzip, createZstdDecompress } from 'node:zlib'
import { HeadraceError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'

export type Codec = 'gzip' | 'zstd'

/** Input of one step of decompression; bounds what one step can put out. */
const PIECE_BYTES = 64 * 1024
/** Below this much output no ratio is looked at: short texts of one letter are no attack. */
const RATIO_FREE_BYTES = 8 * 1024 * 1024

/**
 * Decompresses gzip (also several members) and zstd (also several frames) as a stream. What came out before damage or a
 * cut is given first; then it throws `connector_data_corrupt`. Output beyond `ratioMax` × input is taken for a bomb.
 */
export async function* inflate(
  codec: Codec,
  input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: { readonly ratioMax?: number | undefined; readonly name: string },
): AsyncGenerator<Uint8Array> {
  const ratioMax = options.ratioMax ?? limits.inflateRatioMax
  const total = { bytesIn: 0, bytesOut: 0 }
  let member = new Member(codec, total, ratioMax)
  try {
    for await (const chunk of input) {
      for (let at = 0; at < chunk.length; ) {
        // A copy: the stream takes no views of shared memory.
        const piece = Buffer.from(chunk.subarray(at, at + PIECE_BYTES))
        const used = await member.write(piece)
        at += used
        yield* member.output()
        if (member.fault !== undefined) throw faultOf(member.fault, options.name, ratioMax)
        if (used === piece.length) continue
        // The stream of zstd stops behind its first frame.
        member.destroy()
        if (codecOfBytes(chunk.subarray(at)) !== codec)
          throw faultOf(new Error('unknown bytes follow its end'), options.name, ratioMax)
        member = new Member(codec, total, ratioMax)
      }
    }
    await member.end()
    yield* member.output()
    if (member.fault !== undefined) throw faultOf(member.fault, options.name, ratioMax)
  } finally {
    member.destroy()
  }
}

/** One run of Node's decompressor; keeps what came out before a fault. */
class Member {
  fault: Error | undefined
  readonly #stream: ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>
  readonly #closed: Promise<void>
  #queue: Uint8Array[] = []
  #fed = 0
  readonly #total: { bytesIn: number }

  constructor(codec: Codec, total: { bytesIn: number; bytesOut: number }, ratioMax: number) {
    const stream = codec === 'gzip' ? createGunzip() : createZstdDecompress()
    this.#stream = stream
    this.#total = total
    stream.on('data', (chunk: Uint8Array) => {
      total.bytesOut += chunk.length
      if (total.bytesOut > RATIO_FREE_BYTES && total.bytesOut > ratioMax * total.bytesIn)
        stream.destroy(new BombError())
      else this.#queue.push(chunk)
    })
    stream.on('error', (error: Error) => {
      this.fault ??= error
    })
    this.#closed = new Promise<void>((resolve) => stream.once('close', resolve))
  }

  /** Feeds a piece; returns how much of it belongs to this member. */
  async write(piece: Uint8Array): Promise<number> {
    this.#total.bytesIn += piece.length
    this.#fed += piece.length
    const written = new Promise<void>((resolve) => this.#stream.write(piece, () => resolve()))
    await Promise.race([this.#closed, written])
    const unused = this.#stream.readableEnded || this.#stream.closed ? this.#fed - this.#stream.bytesWritten : 0
    this.#total.bytesIn -= unused
    return piece.length - unused
  }

  async end(): Promise<void> {
    if (this.#stream.closed) return
    this.#stream.end()
    await this.#closed
  }

  *output(): Iterable<Uint8Array> {
    const queue = this.#queue
    this.#queue = []
    yield* queue
  }

  destroy(): void {
    this.#stream.destroy()
  }
}

class BombError extends Error {}

function faultOf(error: Error, name: string, ratioMax: number): HeadraceError {
  if (error instanceof BombError) {
    return new HeadraceError('connector_data_corrupt', `"${name}" unpacks to more than ${ratioMax} times its size`, {
      hint: 'Raise inflate_ratio_max if the file is trusted.',
    })
  }
  return new HeadraceError('connector_data_corrupt', `"${name}" is damaged or cut off: ${error.message}`, {
    hint: 'Replace the file; the rows before the damage were read.',
    cause: error,
  })
}

/** The codec that the first bytes tell: gzip 1f 8b, zstd 28 b5 2f fd. */
export function codecOfBytes(bytes: Uint8Array): Codec | undefined {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip'
  return bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd ? 'zstd' : undefined
}

/** Codecs that are recognised, so that they are named and not taken for text. */
const LATER_CODECS = [
  { codec: 'snappy', magic: Buffer.from('\u00ff\u0006\u0000\u0000sNaPpY', 'latin1'), path: /\.(sz|snappy)$/i },
  { codec: 'lz4', magic: Buffer.from('\u0004\u0022\u004d\u0018', 'latin1'), path: /\.lz4$/i },
] as const

/** Refuses bytes of a codec that is not built yet. `name`: whose they are. */
export function refuseLaterBytes(bytes: Uint8Array, name: string): void {
  const found = LATER_CODECS.find(({ magic }) => magic.equals(bytes.subarray(0, magic.length)))
  if (found !== undefined) throw laterCodec(found.codec, name)
}

/** Refuses a path to be written whose extension promises a codec that is not built yet. */
export function refuseLaterPath(path: string): void {
  const found = LATER_CODECS.find((each) => each.path.test(path))
  if (found !== undefined) throw laterCodec(found.codec, path)
}

const laterCodec = (codec: string, name: string): HeadraceError =>
  new HeadraceError('not_implemented', `"${name}": compression ${codec} is not built yet`, {
    hint: 'built: gzip, zstd; compression = none takes the bytes as they are',
  })

/** The codec that a path's extension tells. */
export function codecOfPath(path: string): Codec | undefined {
  if (/\.(gz|gzip)$/i.test(path)) return 'gzip'
  return /\.(zst|zstd)$/i.test(path) ? 'zstd' : undefined
}
