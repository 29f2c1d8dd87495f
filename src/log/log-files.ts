import { closeSync, fdatasync, fsyncSync, openSync, truncateSync, writeSync } from 'node:fs'

/** The file operations of a log; tests put failing ones in their place. */
export interface LogFiles {
  create(path: string): number
  openAppend(path: string): number
  /** Writes all bytes at the end. */
  write(descriptor: number, bytes: Uint8Array): void
  sync(descriptor: number): Promise<void>
  syncDirectory(path: string): void
  /** Cuts the file and syncs it. */
  truncate(path: string, length: number): void
  close(descriptor: number): void
}

export const systemFiles: LogFiles = {
  create: (path) => openSync(path, 'ax'),
  openAppend: (path) => openSync(path, 'a'),
  write(descriptor, bytes) {
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at)
  },
  sync: (descriptor) =>
    new Promise((resolve, reject) => {
      fdatasync(descriptor, (error) => {
        if (error === null) resolve()
        else reject(error)
      })
    }),
  syncDirectory(path) {
    const descriptor = openSync(path, 'r')
    try {
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  },
  truncate(path, length) {
    truncateSync(path, length)
    const descriptor = openSync(path, 'r+')
    try {
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  },
  close: closeSync,
}
