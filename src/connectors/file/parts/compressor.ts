import { gzipSync, zstdCompressSync } from 'node:zlib'

/** Each call makes one member (gzip) or frame (zstd); readers take them as one stream. */
export function compressorFor(
  path: string,
  option: 'auto' | 'none' | 'gzip' | 'zstd',
): (bytes: Uint8Array) => Uint8Array {
  const kind = option === 'auto' ? byExtension(path) : option
  if (kind === 'gzip') return (bytes) => gzipSync(own(bytes))
  if (kind === 'zstd') return (bytes) => zstdCompressSync(own(bytes))
  return (bytes) => bytes
}

/** zlib refuses views of shared memory. */
const own = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes)

function byExtension(path: string): 'none' | 'gzip' | 'zstd' {
  if (/\.(gz|gzip)$/i.test(path)) return 'gzip'
  return /\.(zst|zstd)$/i.test(path) ? 'zstd' : 'none'
}
