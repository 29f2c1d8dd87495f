import { type FileHandle, link, mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'

/** An open file. After a failed call only `close` is allowed, once. */
export interface StoreFile {
  /** Writes all bytes behind those written before. */
  write(bytes: Uint8Array): Promise<void>
  sync(): Promise<void>
  /** Device and inode: the same for every name of the file. */
  identity(): Promise<string>
  close(): Promise<void>
}

/** The system calls of the file store; tests put failing ones in their place. */
export interface StoreFiles {
  /** `wx` makes a new file that only this user may read; `r` opens a folder to sync it. */
  open(path: string, flags: 'wx' | 'r'): Promise<StoreFile>
  link(from: string, to: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  readdir(path: string): Promise<string[]>
  read(path: string): Promise<Uint8Array>
  identity(path: string): Promise<string>
  mkdir(path: string): Promise<void>
}

const identityOf = ({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string => `${dev}:${ino}`

function fileOf(handle: FileHandle): StoreFile {
  return {
    async write(bytes) {
      for (let at = 0; at < bytes.length; ) {
        at += (await handle.write(bytes, at, bytes.length - at)).bytesWritten
      }
    },
    sync: () => handle.sync(),
    identity: async () => identityOf(await handle.stat({ bigint: true })),
    close: () => handle.close(),
  }
}

export const systemFiles: StoreFiles = {
  open: async (path, flags) => fileOf(await open(path, flags, 0o600)),
  link,
  rename,
  unlink,
  readdir: (path) => readdir(path),
  read: (path) => readFile(path),
  identity: async (path) => identityOf(await stat(path, { bigint: true })),
  mkdir: (path) => mkdir(path, 0o700),
}

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
export async function writeSynced(files: StoreFiles, path: string, chunks: Iterable<Uint8Array>): Promise<string> {
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
export async function syncDirectory(files: StoreFiles, path: string): Promise<void> {
  const directory = await files.open(path, 'r')
  try {
    await directory.sync()
  } catch (error) {
    await directory.close().catch(() => {})
    throw error
  }
  await directory.close()
}
