import { type BigIntStats, statfsSync, writeSync } from 'node:fs'
import {
  constants,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  stat,
  unlink,
} from 'node:fs/promises'
import { dirname } from 'node:path'

export interface FileFacts {
  /** Of the file system; a hint only: it may change with every mount. */
  readonly device: string
  readonly inode: string
  readonly size: number
  readonly mode: number
  readonly isFile: boolean
  readonly isDirectory: boolean
}

/** An open file. After a failed call only `close` is allowed, once. */
export interface SystemFile {
  /** Writes all bytes behind those written before. */
  write(bytes: Uint8Array): Promise<void>
  /** The same, before it returns. */
  append(bytes: Uint8Array): void
  /** At most `length` bytes from `offset`; fewer only at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>
  truncate(length: number): Promise<void>
  chmod(mode: number): Promise<void>
  sync(): Promise<void>
  /** Device and inode: the same for every name of the file. */
  identity(): Promise<string>
  facts(): Promise<FileFacts>
  close(): Promise<void>
}

/** `wx` makes a new file; `a` writes behind what is there; `r` reads, or opens a folder to sync it. */
export type OpenFlags = 'wx' | 'a' | 'r'

/** The system calls of what must survive a crash; tests put failing ones in their place. */
export interface SystemFiles {
  /** A new file may be read by this user alone, unless `mode` says otherwise. */
  open(path: string, flags: OpenFlags, mode?: number): Promise<SystemFile>
  link(from: string, to: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  readdir(path: string): Promise<string[]>
  read(path: string): Promise<Uint8Array>
  identity(path: string): Promise<string>
  /** Links are followed. */
  facts(path: string): Promise<FileFacts>
  /** A new folder is open to this user alone, unless `mode` says otherwise. */
  mkdir(path: string, mode?: number): Promise<void>
  /** Bytes that may still be written to the file system of a path. */
  freeBytes(path: string): number
}

const identityOf = ({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string => `${dev}:${ino}`

const factsOf = (stats: BigIntStats): FileFacts => ({
  device: String(stats.dev),
  inode: String(stats.ino),
  size: Number(stats.size),
  mode: Number(stats.mode),
  isFile: stats.isFile(),
  isDirectory: stats.isDirectory(),
})

function fileOf(handle: FileHandle): SystemFile {
  return {
    async write(bytes) {
      for (let at = 0; at < bytes.length; ) {
        at += (await handle.write(bytes, at, bytes.length - at)).bytesWritten
      }
    },
    append(bytes) {
      for (let at = 0; at < bytes.length; ) at += writeSync(handle.fd, bytes, at, bytes.length - at)
    },
    async read(offset, length) {
      const bytes = new Uint8Array(length)
      let got = 0
      while (got < length) {
        const { bytesRead } = await handle.read(bytes, got, length - got, offset + got)
        if (bytesRead === 0) break
        got += bytesRead
      }
      return bytes.subarray(0, got)
    },
    truncate: (length) => handle.truncate(length),
    chmod: (mode) => handle.chmod(mode),
    sync: () => handle.sync(),
    identity: async () => identityOf(await handle.stat({ bigint: true })),
    facts: async () => factsOf(await handle.stat({ bigint: true })),
    close: () => handle.close(),
  }
}

const FLAGS: Readonly<Record<OpenFlags, number>> = {
  wx: constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
  // A file that is not there is not made.
  a: constants.O_RDWR | constants.O_APPEND,
  r: constants.O_RDONLY,
}

export const systemFiles: SystemFiles = {
  open: async (path, flags, mode = 0o600) => fileOf(await open(path, FLAGS[flags], mode)),
  link,
  rename,
  unlink,
  readdir: (path) => readdir(path),
  read: (path) => readFile(path),
  identity: async (path) => identityOf(await stat(path, { bigint: true })),
  facts: async (path) => factsOf(await stat(path, { bigint: true })),
  mkdir: (path, mode = 0o700) => mkdir(path, mode),
  freeBytes(path) {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize
  },
}

/** A hard link is refused for good: the file system has none. */
export const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

export const systemCode = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code

/** Undefined where the file is not there. */
export async function orAbsent<T>(task: Promise<T>): Promise<T | undefined> {
  try {
    return await task
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Writes a new file and syncs it; gives its identity. On failure the file may be there, and nothing is synced twice. */
export async function writeSynced(files: SystemFiles, path: string, chunks: Iterable<Uint8Array>): Promise<string> {
  const file = await files.open(path, 'wx')
  let identity: string
  try {
    for (const chunk of chunks) await file.write(chunk)
    await file.sync()
    identity = await file.identity()
  } catch (error) {
    await file.close().catch(() => {})
    throw error
  }
  await file.close()
  return identity
}

/** Makes names of a folder durable. */
export async function syncDirectory(files: SystemFiles, path: string): Promise<void> {
  const directory = await files.open(path, 'r')
  try {
    await directory.sync()
  } catch (error) {
    await directory.close().catch(() => {})
    throw error
  }
  await directory.close()
}

/** Makes a folder and those above it; puts every folder that got a new name into `unsynced`. */
export async function makeFolder(
  files: SystemFiles,
  path: string,
  { mode, unsynced }: { readonly mode?: number; readonly unsynced: Set<string> },
): Promise<void> {
  try {
    await files.mkdir(path, mode)
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return
    if (systemCode(error) !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolder(files, dirname(path), { ...(mode === undefined ? {} : { mode }), unsynced })
    // Somebody else may have made it meanwhile.
    await files.mkdir(path, mode).catch((again: unknown) => {
      if (systemCode(again) !== 'EEXIST') throw again
    })
  }
  unsynced.add(dirname(path))
}
