import { readFileSync } from 'node:fs'
import type { WorkerMemory } from '../core/memory.ts'
import { writePowers } from './powers.ts'

/** The functions of kernels.wasm; addresses are byte offsets into the worker's memory. See asm/ for their contracts. */
export interface KernelExports {
  initTables(): void
  initCrc(): void
  crc32c(address: number, length: number, seed: number): number
  indexLines(address: number, limit: number, starts: number, ends: number, most: number): number
  readonly linesNext: { readonly value: number }
  scanJson(context: number): number
  scanCsv(context: number): number
  endOfNested(start: number, end: number): number
  widen(data: number, wide: number, rows: number): void
  anyZero(address: number, length: number): number
  parseIso(address: number): number
  parseDate(address: number): number
  readonly isoMicros: { readonly value: bigint }
  readonly isoDays: { readonly value: number }
  putDouble(address: number, value: number): number
  putTimestamp(address: number, micros: bigint): number
  putDate(address: number, days: number): number
  scanNumber(address: number): number
  doubleOf(): number
  readonly doubleKnown: { readonly value: number }
  encodeDialect(delimiter: number, quote: number, escapeByte: number, nullText: number, nullLength: number): void
  encodeRows(
    program: number,
    from: number,
    to: number,
    out: number,
    outEnd: number,
    rowEnds: number,
    base: number,
  ): number
  readonly encodeEnd: { readonly value: number }
  keyLookup(table: number, spans: number, from: number, to: number, slots: number): number
  keyRehash(table: number, old: number, oldCount: number): void
  keyForget(table: number): void
  keyCopy(table: number, from: number, to: number, end: number): number
  readonly keyCopyEnd: { readonly value: number }
  fillZero(address: number, length: number): void
}

/** Converts `[start, end)`, a whole JSON value, and stores it as row `row` of a column; 0: it does not fit. */
export type HostValue = (column: number, row: number, start: number, end: number) => number

let compiled: WebAssembly.Module | undefined

/**
 * The compiled kernels over one worker's memory. Mode `off` compiles nothing: everything that is given such an object
 * works with the TypeScript twins. Not to be shared between threads; several may stand over one memory.
 */
export class Kernels {
  readonly memory: WorkerMemory
  readonly mode: 'on' | 'off'
  /** Set by a scanner for the length of one `scanJson` call. */
  hostValue: HostValue = refuse
  readonly #exports: KernelExports | undefined
  #crcReady = false

  constructor(memory: WorkerMemory, mode: 'on' | 'off' = 'on') {
    this.memory = memory
    this.mode = mode
    if (mode === 'off') return
    compiled ??= new WebAssembly.Module(readFileSync(new URL('./kernels.wasm', import.meta.url)))
    const host: HostValue = (column, row, start, end) => this.hostValue(column, row, start, end)
    const instance = new WebAssembly.Instance(compiled, { env: { memory: memory.wasm, hostValue: host } })
    this.#exports = instance.exports as unknown as KernelExports
    this.#exports.initTables()
    writePowers(memory)
  }

  /** The compiled functions; mode `off` has none. */
  get exports(): KernelExports {
    return this.#exports!
  }

  /**
   * Compiles what the first batch calls, so that it can happen while the first bytes are still being fetched: under
   * 1 ms. V8's first compiler then runs the scanner at half speed, and the optimised code follows by itself after some
   * 20,000 records. Engine flags that force it (`--no-liftoff`) cost 10–30 ms at start, more than short jobs win.
   */
  warm(): void {
    if (this.mode === 'off') return
    const size = 4096
    const address = this.memory.allocate(size)
    this.memory.bytes.fill(10, address, address + size)
    this.exports.indexLines(address, address + 1024, address + 2048, address + 3072, 1)
    const context = address + 2048
    this.memory.bytes.fill(0, context, address + size)
    this.exports.scanJson(context)
    this.memory.free(address, size)
  }

  /** CRC-32C of a region; `seed` is the CRC of what came before it. */
  crc32c(address: number, length: number, seed = 0): number {
    if (!this.#crcReady) this.exports.initCrc()
    this.#crcReady = true
    return this.exports.crc32c(address, length, seed) >>> 0
  }
}

const refuse: HostValue = () => 0
