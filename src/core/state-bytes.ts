/** Bytes whose length is known before they are made. `chunks` may be called again and gives the same bytes. */
export interface StateBytes {
  readonly byteLength: number
  /** Pieces, each valid until the next is asked for. */
  chunks(): Iterable<Uint8Array>
}
