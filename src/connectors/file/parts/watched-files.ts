import { type BigIntStats, closeSync, fstatSync, openSync } from 'node:fs'
import type { SourceContext, SplitEvent } from '../../contract.ts'
import { fileError } from '../client.ts'
import type { FileOptions } from '../options.ts'
import { decodeState, encodeState } from './file-state.ts'
import { Handles } from './handles.ts'
import { beginsWith, type FileIdentity, fileKey, identify } from './identity.ts'
import { codecOfHead } from './input.ts'
import { startOfLastLine } from './last-line.ts'
import { isLiteral } from './list-files.ts'
import { type Seen, seeFiles } from './see-files.ts'
import { statOrNothing } from './stat-file.ts'
import { TrackedFile } from './tracked-file.ts'

/** What was lost or read anew, for `Source.health`. */
export interface FileIssue {
  readonly code: 'file_truncated' | 'file_lost'
  readonly path: string
  times: number
}

/** Paths that issues are kept of. */
const ISSUES_MAX = 100

/**
 * The files of a watched source: which file is which, however they are renamed, cut and replaced, and which of them are
 * splits. A look at the file system is one call; between looks nothing changes but what readers say.
 */
export class WatchedFiles {
  readonly handles: Handles
  readonly path: string
  /** The path is the name of one file, whatever characters it holds. */
  literal: boolean
  readonly #context: SourceContext
  readonly #options: FileOptions
  readonly #files = new Map<string, TrackedFile>()
  readonly #byKey = new Map<string, TrackedFile>()
  readonly #issues = new Map<string, FileIssue>()
  #events: SplitEvent[] = []
  /** No look was made, in this run or an earlier one. */
  #isFirst: boolean
  /** Directories that changes show in. */
  directories: ReadonlySet<string> = new Set()

  constructor(context: SourceContext, options: FileOptions, path: string) {
    this.#context = context
    this.#options = options
    this.path = path
    this.handles = new Handles(options.read_files_max)
    const state = context.state === undefined ? undefined : decodeState(context.state, 'watched', path)
    this.literal = state?.literal ?? isOneFile(path)
    this.#isFirst = state === undefined
    for (const known of state?.files ?? []) {
      const file = TrackedFile.fromKnown(this.handles, known)
      this.#files.set(file.split, file)
      if (file.phase === 'live') this.#events.push({ kind: 'added', split: { id: file.split } })
    }
  }

  get issues(): readonly FileIssue[] {
    return [...this.#issues.values()]
  }

  get(split: string): TrackedFile | undefined {
    return this.#files.get(split)
  }

  get hasEvents(): boolean {
    return this.#events.length > 0
  }

  /** What happened since the last call. */
  takeEvents(): readonly SplitEvent[] {
    const events = this.#events
    this.#events = []
    return events
  }

  /** The consumer has taken this event. */
  told(event: SplitEvent): void {
    const file = event.kind === 'removed' ? this.#files.get(event.id) : undefined
    if (file === undefined || file.phase !== 'ended') return
    file.removed = true
    if (file.cut) this.#forget(file)
  }

  state(): Uint8Array {
    const files = [...this.#files.values()].filter((file) => file.phase !== 'pending').map((file) => file.toKnown())
    return encodeState({ kind: 'watched', literal: this.literal, files })
  }

  /** The file was read to its end, or nothing more of it can be had. */
  end(file: TrackedFile, at: { readonly byte: number; readonly row: number }): void {
    file.start = at
    file.phase = 'ended'
    file.removed = false
    this.#events.push({ kind: 'removed', id: file.split })
    this.#admit()
  }

  /** A reader found that less is there than was read, or something else. */
  lose(file: TrackedFile): void {
    if (file.key !== undefined) this.#byKey.delete(file.key)
    file.lose()
    if (isUnread(file)) this.report('file_truncated', file.path)
  }

  isPacked(descriptor: number, path: string): boolean {
    return codecOfHead(descriptor, path, this.#options.compression) !== undefined
  }

  report(code: FileIssue['code'], path: string): void {
    const key = `${code} ${path}`
    const issue = this.#issues.get(key) ?? { code, path, times: 0 }
    issue.times++
    this.#issues.delete(key)
    this.#issues.set(key, issue)
    if (this.#issues.size > ISSUES_MAX) this.#issues.delete(this.#issues.keys().next().value!)
  }

  /** Compares the file system with what is known. */
  look(): void {
    const nowMs = this.#context.clock.elapsedMs()
    if (this.#isFirst) this.literal = isOneFile(this.path)
    const { seen, directories } = seeFiles(this, this.#options, this.#byKey)
    this.directories = directories
    if (this.#byKey.size < this.#files.size) this.#recognise(seen)
    for (const [key, one] of seen) {
      const file = this.#byKey.get(key)
      if (file !== undefined) this.#update(file, one, nowMs)
    }
    for (const file of this.#files.values()) {
      if (file.cut || (file.key !== undefined && seen.has(file.key))) continue
      this.#missing(file, seen, nowMs)
    }
    for (const [key, one] of seen) if (!this.#byKey.has(key)) this.#discover(one, nowMs)
    this.#isFirst = false
    this.#admit()
  }

  /** Finds the files of an earlier run: by inode and first bytes, then by path and first bytes. */
  #recognise(seen: ReadonlyMap<string, Seen>): void {
    const lost = [...this.#files.values()].filter((file) => file.key === undefined && !file.cut)
    const byInode = Map.groupBy(lost, (file) => file.identity.inode)
    const byPath = new Map(lost.map((file) => [file.at ?? file.path, file]))
    const take = (file: TrackedFile | undefined, key: string, one: Seen): boolean => {
      if (file === undefined || file.key !== undefined || this.#byKey.has(key)) return false
      if (!this.#holds(one, file.identity)) return false
      file.key = key
      this.#byKey.set(key, file)
      return true
    }
    for (const [key, one] of seen) byInode.get(String(one.stat.ino))?.some((file) => take(file, key, one))
    for (const [key, one] of seen) {
      const file = byPath.get(one.path)
      if (file === undefined || take(file, key, one)) continue
      // The file is there, its bytes are not.
      if (file.key === undefined && String(one.stat.ino) === file.identity.inode) {
        this.lose(file)
        if (file.phase !== 'live') this.#forget(file)
      }
    }
  }

  #update(file: TrackedFile, { path, stat }: Seen, nowMs: number): void {
    const isNew = file.size === 0 || file.at === undefined
    const isKnown = file.size > 0
    // The system gives numbers of files that are gone to new ones.
    if (!file.observe(stat, path, nowMs) && !isNew) return
    const read = file.phase === 'ended' ? file.start.byte : file.readTo
    if (file.phase === 'ignored') return
    const isCut = file.size < read || (isKnown && !this.#holds({ path, stat }, file.identity))
    if (isCut) {
      this.lose(file)
      if (file.phase !== 'live') this.#forget(file)
    } else if (file.phase === 'ended' && file.size > read && !this.#isWhole(file, { path, stat })) {
      file.phase = 'live'
      file.readTo = read
      this.#events.push({ kind: 'added', split: { id: file.split } })
    }
  }

  /** A file that is read once has ended, whatever is added to it. */
  #isWhole(file: TrackedFile, one: Pick<Seen, 'path' | 'stat'>): boolean {
    if (file.isWhole || this.#options.format === 'raw') return true
    return this.#open(one, (descriptor) => this.isPacked(descriptor, one.path)) === true
  }

  /** None of its names was found; it may still be open. */
  #missing(file: TrackedFile, seen: ReadonlyMap<string, Seen>, nowMs: number): void {
    if (file.phase === 'ended' || file.phase === 'ignored') {
      file.miss(nowMs)
      // A listing that is made while files are renamed may leave one out.
      const { rotate_wait, poll_interval } = this.#options
      if (nowMs - file.missingMs! > rotate_wait + 10 * poll_interval) this.#forget(file)
      return
    }
    const stat = file.handle.isOpen ? fstatSync(file.handle.descriptor, { bigint: true }) : undefined
    // It has another name that is not looked at.
    if (stat !== undefined && stat.nlink > 0n) {
      file.observe(stat, undefined, nowMs)
      return
    }
    const heir = this.#heirOf(file, seen)
    if (heir !== undefined) {
      if (file.key !== undefined) this.#byKey.delete(file.key)
      file.handle.forget()
      file.identity = { ...file.identity, inode: String(heir.stat.ino) }
      file.observe(heir.stat, heir.path, nowMs)
      this.#byKey.set(file.key!, file)
    } else if (stat !== undefined) file.observe(stat, undefined, nowMs)
    else file.miss(nowMs)
  }

  /** A new file at the path that begins like the one that is gone, and is no shorter: it was written anew. */
  #heirOf(file: TrackedFile, seen: ReadonlyMap<string, Seen>): Seen | undefined {
    if (file.identity.length === 0) return undefined
    for (const [key, one] of seen) {
      if (one.path !== file.path || this.#byKey.has(key)) continue
      return Number(one.stat.size) >= file.readTo && this.#holds(one, file.identity) ? one : undefined
    }
    return undefined
  }

  #discover(one: Seen, nowMs: number): void {
    const { stat, path, isListed } = one
    const { clock } = this.#context
    const { min_age: minAge, start } = this.#options
    if (minAge > 0 && clock.nowMicros() / 1000 - Number(stat.mtimeMs) < minAge) return
    // A later file is taken when it has something by which it is known again.
    if (stat.size === 0n && !this.#isFirst) return
    const found = this.#open(one, (descriptor) => ({
      identity: identify(descriptor, this.#options.fingerprint_bytes),
      isPacked: this.isPacked(descriptor, path),
      lastLine: start === 'latest' && this.#isFirst ? startOfLastLine(descriptor, Number(stat.size)) : 0,
    }))
    if (found === undefined) return
    const { identity, isPacked, lastLine } = found
    const isOld = this.#isFirst && (start === 'latest' ? isPacked : !isListed)
    const isIgnored = isOld || (!isListed && (isPacked || this.#isFirst))
    const name = isListed || !this.literal ? path : this.path
    const split = this.#isFirst && isListed ? path : this.#unusedId(name, identity)
    const file = new TrackedFile(this.handles, {
      split,
      path: name,
      identity,
      start: { byte: isIgnored ? 0 : lastLine, row: 0 },
      phase: isIgnored ? 'ignored' : 'pending',
    })
    file.observe(stat, path, nowMs)
    this.#files.set(split, file)
    this.#byKey.set(file.key!, file)
    if (!isIgnored) {
      for (const other of this.#files.values()) {
        if (other !== file && other.path === name && isUnread(other)) file.after.push(other)
      }
    }
  }

  /** Files that wait for nothing any more become splits. */
  #admit(): void {
    for (const file of this.#files.values()) {
      if (file.phase !== 'pending' || file.after.some(isUnread)) continue
      file.after.length = 0
      file.phase = 'live'
      this.#events.push({ kind: 'added', split: { id: file.split } })
    }
  }

  #forget(file: TrackedFile): void {
    file.phase = 'ended'
    this.#files.delete(file.split)
    if (file.key !== undefined) this.#byKey.delete(file.key)
  }

  #unusedId(path: string, { inode, crc }: FileIdentity): string {
    const id = `${path}#${inode}.${crc}`
    let split = id
    for (let n = 2; this.#files.has(split); n++) split = `${id}.${n}`
    return split
  }

  #holds(one: Pick<Seen, 'path' | 'stat'>, identity: FileIdentity): boolean {
    if (identity.length === 0) return true
    if (Number(one.stat.size) < identity.length) return false
    return this.#open(one, (descriptor) => beginsWith(descriptor, identity)) === true
  }

  /** Undefined when the file is gone, or another one by now: the next look will see. */
  #open<T>({ path, stat }: Pick<Seen, 'path' | 'stat'>, task: (descriptor: number) => T): T | undefined {
    this.handles.makeRoom()
    let descriptor: number
    try {
      descriptor = openSync(path, 'r')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw fileError('open', `cannot read "${path}"`, error)
    }
    try {
      return isSame(fstatSync(descriptor, { bigint: true }), stat) ? task(descriptor) : undefined
    } finally {
      closeSync(descriptor)
    }
  }
}

const isOneFile = (path: string): boolean => isLiteral(path) && statOrNothing(path)?.isDirectory() !== true

const isSame = (a: BigIntStats, b: BigIntStats): boolean => fileKey(a) === fileKey(b)

const isUnread = (file: TrackedFile): boolean => file.phase === 'live' || file.phase === 'pending'
