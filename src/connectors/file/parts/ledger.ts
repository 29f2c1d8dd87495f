import { dirname, join } from 'node:path'
import { HeadraceError } from '../../../core/errors.ts'
import {
  makeFolder,
  orAbsent,
  type SystemFiles,
  syncDirectory,
  systemCode,
  writeSynced,
} from '../../../core/system-files.ts'
import type { ConnectorContext, SinkLedger } from '../../contract.ts'
import { fileError } from '../client.ts'
import { ledgerName, lockName, type OutputOwner, stagedName } from './staged-names.ts'
import { lockTarget } from './target-lock.ts'

/** Where an appended file ended when a lineage began to write it. */
export interface LedgerBase {
  readonly inode: string
  readonly length: number
}

/** What one lineage of the pipeline has done to the target. */
interface LineageEntry {
  incarnation: string
  /** Per writer: the last epoch whose publication began, and the last one that is done. */
  writers: Record<string, { begun: string; done: string }>
  base?: LedgerBase
  closedAt?: number
}

interface LedgerText {
  readonly format: 1
  /** The lineage that may write. */
  readonly owner: string
  readonly lineages: Record<string, LineageEntry>
}

/** Lineages that are remembered. */
const LINEAGES_MAX = 32

/**
 * `<folder>/.headrace-<pipeline>-<part>.ledger` (rulings 15, 17): who may write the target, and which epoch it holds.
 * Every change is made under a lock, to a copy that replaces the file; readers need no lock.
 */
export class TargetLedger {
  readonly #folder: string
  readonly #owner: OutputOwner
  readonly #lineage: string
  #incarnation: bigint
  readonly #place: Pick<ConnectorContext, 'clock' | 'signal'>
  readonly #files: SystemFiles
  /** A replacement failed: what can be read may not be durable, and is written anew before anybody counts on it. */
  #unsure = false

  constructor(
    folder: string,
    who: { readonly owner: OutputOwner; readonly lineage: string; readonly incarnation: bigint },
    place: Pick<ConnectorContext, 'clock' | 'signal'> & { readonly files: SystemFiles },
  ) {
    this.#folder = folder
    this.#owner = who.owner
    this.#lineage = who.lineage
    this.#incarnation = who.incarnation
    this.#place = place
    this.#files = place.files
  }

  get path(): string {
    return join(this.#folder, ledgerName(this.#owner))
  }

  /** Makes the folder, writes the own incarnation; from then on lower ones can publish nothing. */
  async claim(incarnation: bigint): Promise<SinkLedger> {
    this.#incarnation = incarnation
    await this.#makeFolder()
    const entry = await this.#update(true, () => true)
    const { begun, done } = writerOf(entry, this.#owner)
    const ledger = { epoch: BigInt(done), incarnation: BigInt(entry.incarnation) }
    return BigInt(begun) > BigInt(done) ? { ...ledger, begun: BigInt(begun) } : ledger
  }

  async #makeFolder(): Promise<void> {
    try {
      // Also where the folder was there: whoever made it may have died before this.
      const unsynced = new Set([dirname(this.#folder)])
      await makeFolder(this.#files, this.#folder, { mode: 0o777, unsynced })
      for (const folder of unsynced) {
        await syncDirectory(this.#files, folder).catch((error: unknown) => {
          // A folder that may not be read holds no name of ours.
          if (systemCode(error) !== 'EACCES') throw error
        })
      }
    } catch (error) {
      throw fileError('open', `cannot write "${this.#folder}"`, error)
    }
  }

  /** Throws when another instance has claimed the target. */
  async check(): Promise<void> {
    this.#entryOf(await this.#read(), false)
  }

  /** Before the first publication of an epoch; false when the epoch is done. */
  async begin(epoch: bigint): Promise<boolean> {
    let isDone = false
    await this.#update(false, (entry) => {
      const writer = writerOf(entry, this.#owner)
      isDone = BigInt(writer.done) >= epoch
      if (isDone || BigInt(writer.begun) >= epoch) return false
      writer.begun = String(epoch)
      return true
    })
    return !isDone
  }

  /** After the last publication. */
  async done(epoch: bigint): Promise<void> {
    await this.#update(false, (entry) => {
      const writer = writerOf(entry, this.#owner)
      if (BigInt(writer.done) >= epoch) return false
      writer.done = String(epoch)
      return true
    })
  }

  /** Whether the own lineage's epoch is published; also where somebody else owns the target by now. */
  async isDone(epoch: bigint): Promise<boolean> {
    const entry = (await this.#read())?.lineages[this.#lineage]
    return entry !== undefined && BigInt(writerOf(entry, this.#owner).done) >= epoch
  }

  /** Whether the own lineage has begun to publish anything. */
  async hasBegun(): Promise<boolean> {
    const entry = (await this.#read())?.lineages[this.#lineage]
    return entry !== undefined && Object.values(entry.writers).some(({ begun }) => BigInt(begun) > 0n)
  }

  async base(): Promise<LedgerBase | undefined> {
    return (await this.#read())?.lineages[this.#lineage]?.base
  }

  async setBase(base: LedgerBase): Promise<void> {
    await this.#update(false, (entry) => {
      entry.base = base
      return true
    })
  }

  /** Where the file ended when an instance closed it with nothing behind its last epoch. */
  async closedAt(): Promise<number | undefined> {
    return (await this.#read())?.lineages[this.#lineage]?.closedAt
  }

  /** Undefined: rows follow. */
  async setClosedAt(length: number | undefined): Promise<void> {
    await this.#update(false, (entry) => {
      if (entry.closedAt === length) return false
      if (length === undefined) delete entry.closedAt
      else entry.closedAt = length
      return true
    })
  }

  async #read(): Promise<LedgerText | undefined> {
    let bytes: Uint8Array | undefined
    try {
      bytes = await orAbsent(this.#files.read(this.path))
    } catch (error) {
      throw fileError('open', `cannot read "${this.path}"`, error)
    }
    return bytes === undefined ? undefined : parseLedger(this.path, Buffer.from(bytes).toString())
  }

  /** The own lineage's entry, checked and made where it is not. */
  #entryOf(found: LedgerText | undefined, claiming: boolean): LineageEntry {
    const entry = found?.lineages[this.#lineage]
    const foreign = found !== undefined && found.owner !== this.#lineage && !claiming
    if (foreign || (entry !== undefined && BigInt(entry.incarnation) > this.#incarnation)) {
      throw new HeadraceError('connector_fenced', `a newer instance writes "${this.#folder}"`, {
        hint: 'stop this instance; the newer one goes on from the last complete checkpoint',
      })
    }
    return entry ?? { incarnation: String(this.#incarnation), writers: {} }
  }

  /** `change` alters the own entry and tells whether it did. Only a claim takes the target from another lineage. */
  async #update(claiming: boolean, change: (entry: LineageEntry) => boolean): Promise<LineageEntry> {
    const lock = await lockTarget(join(this.#folder, lockName(this.#owner)), this.#place)
    try {
      const found = await this.#read()
      const entry = this.#entryOf(found, claiming)
      const altered = change(entry)
      if (!altered && !this.#unsure) return entry
      entry.incarnation = String(this.#incarnation)
      const others = Object.entries(found?.lineages ?? {}).filter(([lineage]) => lineage !== this.#lineage)
      const lineages = { ...Object.fromEntries(others.slice(1 - LINEAGES_MAX)), [this.#lineage]: entry }
      this.#unsure = true
      await this.#replace({ format: 1, owner: this.#lineage, lineages })
      this.#unsure = false
      return entry
    } finally {
      lock.release()
    }
  }

  /** Nobody will ask any more: the ledger and its lock go, unless somebody else owns the target by now. */
  async remove(): Promise<void> {
    const lock = await lockTarget(join(this.#folder, lockName(this.#owner)), this.#place)
    let isOwn = false
    try {
      isOwn = ((await this.#read())?.owner ?? this.#lineage) === this.#lineage
      if (isOwn) await orAbsent(this.#files.unlink(this.path))
    } finally {
      lock.release(isOwn)
    }
  }

  async #replace(next: LedgerText): Promise<void> {
    const temp = join(this.#folder, stagedName(this.#owner, { incarnation: this.#incarnation, epoch: 0n, n: 'ledger' }))
    try {
      // Left by an instance that died here: whoever has the lock is alone.
      await orAbsent(this.#files.unlink(temp))
      await writeSynced(this.#files, temp, [Buffer.from(`${JSON.stringify(next)}\n`)])
      await this.#files.rename(temp, this.path)
      await syncDirectory(this.#files, this.#folder)
    } catch (error) {
      throw fileError('open', `cannot replace "${this.path}"`, error)
    }
  }
}

function writerOf(entry: LineageEntry, { writer }: OutputOwner): { begun: string; done: string } {
  return (entry.writers[writer] ??= { begun: '0', done: '0' })
}

function parseLedger(path: string, text: string): LedgerText {
  let parsed: Partial<LedgerText> | undefined
  try {
    parsed = JSON.parse(text) as Partial<LedgerText>
  } catch {
    // Told below.
  }
  if (parsed?.format === 1 && typeof parsed.owner === 'string' && typeof parsed.lineages === 'object') {
    return parsed as LedgerText
  }
  throw new HeadraceError('connector_commit_ambiguous', `the ledger "${path}" cannot be read`, {
    hint: 'it is damaged or of a newer version; what was published is not known without it',
  })
}
