import { promisify } from 'node:util'
import { brotliCompress, constants, gzip, zstdCompress } from 'node:zlib'

/** Shorter answers are sent as they are (streams-service.md §3.3). */
const COMPRESSED_FROM = 1024

const ENCODERS = {
  br: (text: string) =>
    promisify(brotliCompress)(Buffer.from(text), { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  zstd: (text: string) => promisify(zstdCompress)(Buffer.from(text)),
  gzip: (text: string) => promisify(gzip)(Buffer.from(text), { level: 5 }),
} as const
type Encoding = keyof typeof ENCODERS

/** The answer in an encoding that the caller takes; undefined: as it is. */
export async function compressed(
  text: string,
  accepted: string | readonly string[] | undefined,
): Promise<{ readonly encoding: Encoding; readonly bytes: Buffer } | undefined> {
  if (typeof accepted !== 'string' || text.length < COMPRESSED_FROM) return undefined
  const encoding = encodingOf(accepted)
  return encoding === undefined ? undefined : { encoding, bytes: await ENCODERS[encoding](text) }
}

function encodingOf(accepted: string): Encoding | undefined {
  const named = accepted
    .toLowerCase()
    .split(',')
    .filter((entry) => !/;\s*q=0(\.0*)?\s*$/.test(entry))
    .map((entry) => entry.split(';')[0]!.trim())
  return (['zstd', 'br', 'gzip'] as const).find((encoding) => named.includes(encoding))
}
