// What the Node typings leave out: the part of WebAssembly that is used, and the raw string methods of Buffer.

declare namespace WebAssembly {
  interface MemoryDescriptor {
    initial: number
    maximum?: number
    shared?: boolean
  }
  class Memory {
    constructor(descriptor: MemoryDescriptor)
    readonly buffer: ArrayBuffer | SharedArrayBuffer
    grow(pages: number): number
  }
  class Module {
    constructor(bytes: Uint8Array | ArrayBuffer)
  }
  class Instance {
    constructor(module: Module, imports?: Record<string, Record<string, unknown>>)
    readonly exports: Record<string, unknown>
  }
}

interface Buffer {
  /** Bytes `start` to `end` (exclusive) as text. */
  utf8Slice(start: number, end: number): string
  latin1Slice(start: number, end: number): string
  /** Writes at `offset`; returns the bytes written. */
  utf8Write(text: string, offset: number, length?: number): number
  latin1Write(text: string, offset: number, length?: number): number
}
